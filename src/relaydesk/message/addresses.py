"""THE reader of addresses and domains, and of the header fields that hold them.

A domain has one normal form, :func:`domain_name`; an address has one way to be taken apart,
:func:`split_address`. Header fields are read by mail-parser's structural scanners, which never search a
display name or a comment for something that looks like an address, so a name such as
``"case++x@support.instagram.com" <evil@evil.example>`` stays a name.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING
from unicodedata import normalize

import idna

from relaydesk.message import charsets
from relaydesk.message.decoders import ODD
from relaydesk.message.message import Address
from relaydesk.message.unreadable import hostile_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

IpAddress = IPv4Address | IPv6Address

MAX_ADDRESSES = 100
MAX_SEPARATORS = 1_000  # commas and semicolons of a field; each costs mail-parser some microseconds
MAX_ADDRESS = 254  # octets; with its angle brackets a path has at most 256 (RFC 5321 §4.5.3.1.3)
MAX_DOMAIN, MAX_LABEL = 253, 63  # octets, without the final dot (RFC 1035 §2.3.4)

_ID = re.compile(r"<[^<>\s]{1,990}>")
# RFC 5321 §4.1.2, and the underscore, which real bounce domains have.
_LABEL = re.compile(r"(?!-)[a-z0-9_-]+(?<!-)")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"  # RFC 5322 §3.2.3, RFC 6532 §3.2
_Q_WORD = re.compile(r'=\?[^?\s<>@"]{1,60}\?[qQ]\?[^?\s<>@"]*+\?=')
_SPECIALS = {ord(char): f"={ord(char):02X}" for char in ",;:()"}
_BARE_PHRASE = re.compile(r'([^<>@"(),:;\\\[\]]*+,[^<>@"():;\\\[\]]*+)(<[^<>"(),:;\\\s]++>)\s*+')
_LONE = re.compile(
    r'"?([^<>@"();:\\]*+)"?\s*+<\s*+(?:mailto:)?([^<>@"(),;:\\\s]++@[^<>@"(),;:\\\s]++)\s*+>?[\s;,]*+',
    re.IGNORECASE,
)
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")


def domain_name(text: str) -> str | None:
    """The normal form of a mail domain, or None when ``text`` is none: lower-case A-labels, no final dot.

    Equal are: ASCII letters of either case (RFC 4343), a name with and without its final dot, a U-label and
    its A-label (RFC 5890 §2.3.2.1), and other letters of either case, composed or not (RFC 5895 §2, points 1
    and 3). ``ß`` is not ``ss`` and a final sigma no other sigma, as in UTS 46 without its transitional part.

    Nothing outside ASCII ever becomes ASCII. There UTS 46 is not followed: it reads full-width letters and
    dots, the Kelvin sign, ligatures, the long s and invisible characters as the plain name they imitate. A
    name that holds one is no domain. Letters of another script that merely look alike make
    another name.

    At least two labels, the last not all digits: address literals and host names are no mail domains.
    """
    labels = [_a_label(label) for label in text.removesuffix(".").split(".")]
    name = ".".join(label or "" for label in labels)
    if len(labels) == 1 or None in labels or len(name) > MAX_DOMAIN:
        return None
    return None if name.rpartition(".")[2].isdigit() else name


def _a_label(label: str) -> str | None:
    """One label in lower case, as an A-label where it is not ASCII; None when it is no label."""
    if len(label) > MAX_LABEL:
        return None
    if not label.isascii():
        letters = [normalize("NFC", char).lower() for char in label]
        if any(new.isascii() and not old.isascii() for old, new in zip(label, letters, strict=True)):
            return None
        try:
            label = idna.alabel(normalize("NFC", "".join(letters))).decode("ascii")
        except UnicodeError:  # idna's own error is one
            return None
    lowered = label.lower()
    return lowered if _LABEL.fullmatch(lowered) and len(lowered) <= MAX_LABEL else None


def split_address(address: str) -> tuple[str, str]:
    """The local part and the domain, both as written; the domain is "" where there is none.

    The last ``@`` divides, since no domain holds one, unless it stands in a quoted local part that ends
    behind it (RFC 5321 §4.1.2).
    """
    local, at, domain = address.rpartition("@")
    return (local, domain) if at and '"' not in domain else (address, "")


def domain_of(address: str) -> str:
    """The domain of an address in its normal form, "" for an address without one.

    What is no domain name (a look-alike, an address literal) stays as written, in lower-case ASCII: it can
    be shown, and equals no domain that is one.
    """
    return _domain_or_text(split_address(address)[1])


def _domain_or_text(domain: str) -> str:
    return domain_name(domain) or _ascii_lower(domain)


def _ascii_lower(text: str) -> str:
    """``str.lower`` would turn the Kelvin sign into a ``k``."""
    return text.encode("utf-8", "replace").lower().decode("utf-8")


def normal_address(address: str) -> str:
    """The form in which two spellings of one address are equal, for hosts whose local parts know no case."""
    local, domain = split_address(address)
    return f"{_ascii_lower(local)}@{_domain_or_text(domain)}" if domain else _ascii_lower(local)


def plain_address(text: str) -> str | None:
    """One plain mailbox, its domain in normal form; None for anything else.

    The local part is a dot-atom: no quotes, no display name, no list of two. The 64 octets of RFC 5321
    §4.5.3.1.1 are no limit here, for rewritten senders exceed them daily.
    """
    local, domain = split_address(text)
    name = domain_name(domain)
    if name is None or not _DOT_ATOM.fullmatch(local) or not local.isprintable() or ODD in local:
        return None
    address = f"{local}@{name}"
    return address if len(address.encode("utf-8", "replace")) <= MAX_ADDRESS else None


def _with_whole_phrases(text: str) -> str:
    """A field whose display names stand so that their commas part no mailboxes.

    Programs leave them bare in encoded words (against RFC 2047 §5) and in the name of a single mailbox.
    Nothing that could be an address is touched.
    """
    text = _Q_WORD.sub(lambda word: word[0].translate(_SPECIALS), text)
    single = _BARE_PHRASE.fullmatch(text)
    return f'"{single[1].strip()}" {single[2]}' if single else text


def mailboxes(values: Iterable[bytes], defects: list[str], charset: str = "") -> tuple[Address, ...]:
    """Every mailbox of these fields (RFC 5322 §3.4, groups opened), at most ``MAX_ADDRESSES``.

    ``charset`` is that of raw 8-bit names, as in :func:`.charsets.raw_text`.
    Raises :class:`Unreadable` for bytes on which mail-parser stumbles.
    """
    from mailparser.utils import get_addresses  # noqa: PLC0415 - heavy, and nothing that only lists needs it

    addresses: list[Address] = []
    for value in values:
        text = charsets.for_addresses(charsets.raw_text(value, charset))
        if text.count(",") + text.count(";") > MAX_SEPARATORS:
            defects.append(f"A field has more than {MAX_SEPARATORS} separators; no address is read of it.")
            continue
        text = _with_whole_phrases(text)
        unclear: list[dict[str, object]] = []
        with hostile_bytes():
            pairs = get_addresses(text, defects=unclear)
        if not any(split_address(addr)[1] for _, addr in pairs) and (lone := _LONE.fullmatch(text)):
            pairs = [(lone[1], lone[2])]  # dots of Japanese hosts, a bracket or quotation mark missing
        for name, addr in pairs[: MAX_ADDRESSES + 1]:
            local, domain = split_address(addr)
            if domain:
                shown, _ = charsets.decode(name.encode("utf-8", "replace"))
                addresses.append(
                    Address(shown.strip(), *map(charsets.harmless, (local, _domain_or_text(domain))))
                )
        defects.extend(
            f"An address could not be read: {entry['reason']}."
            for entry in unclear[:3]
            if not entry["recovered"]
        )
    if len(addresses) > MAX_ADDRESSES:
        defects.append(f"More than {MAX_ADDRESSES} addresses; the rest is left out.")
    return tuple(addresses[:MAX_ADDRESSES])


def date(value: bytes) -> datetime | None:
    """The moment of a Date field, aware UTC, or None when it names none. :class:`Unreadable`."""
    from mailparser.dates import parse_mail_date  # noqa: PLC0415 - as above

    with hostile_bytes():
        moment: datetime | None = parse_mail_date(value.decode("latin-1")).value
    return moment


def message_ids(values: Iterable[bytes], limit: int = 100) -> tuple[str, ...]:
    """The message identifiers of these fields with their angle brackets, at most ``limit``."""
    text = " ".join(value.decode("utf-8", "replace") for value in values)
    return tuple(_ID.findall(text)[:limit])


def canonical_ip(text: str) -> IpAddress | None:
    """The address a text means, or None. v4-mapped IPv6 becomes IPv4; a zone (``%eth0``) is dropped."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
