"""One DKIM-Signature as read, and every rule about which may count before a key is asked for."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relaydesk.mailauth.dkim_key import SignatureProblem
from relaydesk.mailauth.signed_header import NO_FIELD
from relaydesk.mailauth.tag_list import TagListError, base64_octets, parse_tags, quoted_printable
from relaydesk.message import DkimResult, domain_name, printable, split_address

if TYPE_CHECKING:
    from collections import Counter

    from relaydesk.mailauth.body_hash import Canonical
    from relaydesk.mailauth.signed_header import Field

SIGNATURE_LIMIT = 1 << 15  # octets; z= holds a copy of the header
FIELDS_LIMIT = 2000
ALGORITHMS = {b"rsa-sha256": "rsa", b"ed25519-sha256": "ed25519"}
_CANONICAL: dict[bytes, Canonical] = {b"simple": "simple", b"relaxed": "relaxed"}
_REQUIRED = (b"v", b"a", b"b", b"bh", b"d", b"h", b"s")
_TIME = re.compile(rb"[0-9]++")
_TIME_DIGITS = 12  # of a time; a longer one is infinite (RFC 6376 §3.5, t=)
_SHOWN_NAMES = 256
# RFC 5322 §3.6, and the MIME fields that decide how the body is read.
_SINGLETONS = frozenset(
    b"from sender reply-to to cc bcc date message-id in-reply-to references subject "
    b"mime-version content-type content-transfer-encoding".split()
)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature. ``result`` is what holds so far: ``pass`` when nothing speaks against it yet.

    ``key_name`` is where its key lies; ``header`` and ``body`` are the canonical forms; ``signed`` are the
    octets of ``b=``, ``body_hash`` those of ``bh=``.
    """

    field: Field
    result: DkimResult
    key_name: str = ""
    key_type: str = ""
    identity_domain: str = ""
    names: tuple[bytes, ...] = ()
    header: Canonical = "simple"
    body: Canonical = "simple"
    signed: bytes = b""
    body_hash: bytes = b""


def read_signature(field: Field, counts: Counter[bytes], now: int, *, whole: bool = True) -> Signature:
    """The signature in this field of a message that has ``counts`` fields of each name.

    ``now`` is a POSIX time; ``whole`` is false when the header section was too large to be read to its end.
    """
    tags: dict[bytes, bytes] = {}
    try:
        if not whole or len(field.raw) > SIGNATURE_LIMIT or counts.total() > FIELDS_LIMIT:
            raise SignatureProblem("permerror", "The signature or the header section is too large to verify.")
        try:
            tags = parse_tags(field.value)
        except TagListError as broken:
            reason = f"The signature cannot be read: {printable(str(broken))}."
            raise SignatureProblem("permerror", reason) from None
        return _signature(field, tags, counts, now)
    except SignatureProblem as objection:
        return Signature(field, replace(_evidence(tags), result=objection.result, reason=str(objection)))


def _signature(field: Field, tags: dict[bytes, bytes], counts: Counter[bytes], now: int) -> Signature:
    _object_to_tags(tags)
    signed, body_digest = base64_octets(tags[b"b"]), base64_octets(tags[b"bh"])
    if not signed or not body_digest:
        raise SignatureProblem("permerror", "The signature or its body hash is not base64 (b=, bh=).")
    domain, key_name, identity_domain = _names(tags)
    if b"l" in tags:
        raise SignatureProblem(
            "policy", "The signature covers only a part of the body (l=); text could follow it."
        )
    _object_to_times(tags, now)
    names = tuple(name.strip().lower() for name in tags[b"h"].split(b":"))
    _object_to_names(names, counts)
    header, body = _canonical(tags)
    selector = key_name.removesuffix(f"._domainkey.{domain}")
    return Signature(
        field,
        replace(_evidence(tags), result="pass", domain=domain, selector=selector),
        key_name,
        ALGORITHMS[tags[b"a"].lower()],
        identity_domain,
        names,
        header,
        body,
        signed,
        body_digest,
    )


def _evidence(tags: dict[bytes, bytes]) -> DkimResult:
    """What the signature says of itself, as far as it can be read."""
    signed_at = tags.get(b"t", b"")
    names = tags.get(b"h", b"").split(b":", _SHOWN_NAMES)[:_SHOWN_NAMES]
    return DkimResult(
        "permerror",
        domain=domain_name(_text(tags.get(b"d", b""))) or "",
        selector=printable(_text(tags.get(b"s", b""))).lower(),
        identity=printable(_text(quoted_printable(tags.get(b"i", b"")))),
        algorithm=printable(_text(tags.get(b"a", b""))).lower(),
        signed_headers=tuple(printable(_text(name)).lower() for name in names),
        # Canonical, so that two spellings of one signature are one replay key.
        b=base64.b64encode(base64_octets(tags.get(b"b", b"")) or b"").decode("ascii"),
        signed_at=_seconds(signed_at) if _TIME.fullmatch(signed_at) else None,
    )


def _object_to_tags(tags: dict[bytes, bytes]) -> None:
    """RFC 6376 §3.5 and §6.1.1; RFC 8301 §3.1 for rsa-sha1."""
    missing = [name.decode() for name in _REQUIRED if name not in tags]
    if missing:
        raise SignatureProblem("permerror", f"The signature lacks {', '.join(missing)}=.")
    if tags[b"v"] != b"1":
        raise SignatureProblem("permerror", "The signature is of another version than 1 (v=).")
    if tags[b"a"].lower() not in ALGORITHMS:
        algorithm = printable(_text(tags[b"a"]))
        raise SignatureProblem("permerror", f"The algorithm {algorithm} is forbidden or unknown (a=).")
    if b"dns/txt" not in {query.strip().lower() for query in tags.get(b"q", b"dns/txt").split(b":")}:
        raise SignatureProblem("permerror", "The key is not offered in DNS (q=).")


def _names(tags: dict[bytes, bytes]) -> tuple[str, str, str]:
    """The domain, where its key lies, and the domain of the identity; U-labels as A-labels (RFC 8616 §4)."""
    domain = domain_name(_text(tags[b"d"]))
    key_name = domain_name(f"{_text(tags[b's'])}._domainkey.{domain}") if domain else None
    if domain is None or key_name is None:
        raise SignatureProblem("permerror", "The signature names no usable domain or selector (d=, s=).")
    identity = domain  # RFC 6376 §3.5: i= is @d= where there is none
    if b"i" in tags:
        _, written = split_address(_text(quoted_printable(tags[b"i"])))
        identity = domain_name(written) or ""
    if not f".{identity}".endswith(f".{domain}"):
        raise SignatureProblem("permerror", f"The identity is not of {domain} (i=).")
    return domain, key_name, identity


def _object_to_times(tags: dict[bytes, bytes], now: int) -> None:
    for name in (b"t", b"x"):
        if name in tags and not _TIME.fullmatch(tags[name]):
            raise SignatureProblem("permerror", f"{name.decode()}= is not a time.")
    if b"x" in tags:
        expires = _seconds(tags[b"x"])
        if b"t" in tags and expires <= _seconds(tags[b"t"]):
            raise SignatureProblem("permerror", "The signature expires before it was made (x=, t=).")
        if expires < now:
            raise SignatureProblem("fail", "The signature has expired (x=).")


def _seconds(time: bytes) -> int:
    return int(time) if len(time) <= _TIME_DIGITS else 10**_TIME_DIGITS


def _object_to_names(names: tuple[bytes, ...], counts: Counter[bytes]) -> None:
    if b"from" not in names:
        raise SignatureProblem("fail", "From is not signed (h=).")
    if counts[NO_FIELD]:
        raise SignatureProblem("permerror", "The header section has a line that is not a header field.")
    if not counts[b"from"]:
        raise SignatureProblem("permerror", "The message has no From.")
    for name in _SINGLETONS.intersection(names):
        if counts[name] > max(1, names.count(name)):
            raise SignatureProblem("policy", f"{name.decode().title()} occurs more often than it is signed.")


def _canonical(tags: dict[bytes, bytes]) -> tuple[Canonical, Canonical]:
    """The forms of header and body; a body that is not named is simple (RFC 6376 §3.5)."""
    header, slash, body = tags.get(b"c", b"simple").lower().partition(b"/")
    forms = _CANONICAL.get(header), _CANONICAL.get(body if slash else b"simple")
    if forms[0] is None or forms[1] is None:
        raise SignatureProblem("permerror", "The canonicalization is unknown (c=).")
    return forms[0], forms[1]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
