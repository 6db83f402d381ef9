"""The samples: messages in the shape of Meta's mail that no buyer wrote, signed with a key at hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING, Literal, get_args

from relaydesk.dns import RecordSet, TempFail
from relaydesk.mailauth import dkim_key_record, new_dkim_key, sign_dkim
from relaydesk.message import domain_name, domain_of
from relaydesk.smtpd import PathError, parse_rcpt

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.dns import Lookup

SampleKind = Literal["case", "claim", "chargeback", "forged"]
KINDS: tuple[SampleKind, ...] = get_args(SampleKind)

# From (with {token}), Subject (with {order}); the shapes are those of Meta's own mail.
_SHAPES: dict[SampleKind, tuple[str, str]] = {
    "case": ("Instagram Support <case++{token}@support.instagram.com>", "Message from relaydesk send-test"),
    "claim": ("Instagram <no-reply@shopping.instagram.com>", "A claim has been opened for order #{order}"),
    "chargeback": ("Facebook <commerce-no-reply@support.facebook.com>", "Chargeback on order #{order}"),
    "forged": ("Instagram Support <case++{token}@support.instagram.com>", "Message from somebody"),
}
_OWN_NAME = "send-test@"
_SELECTOR = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_TEXT = (
    "This is a sample made by `relaydesk send-test` at {at}; no buyer wrote it.\r\n"
    "\r\nFacebook order number: {order}\r\n"
    "\r\nIf it became a ticket, close that with `relaydesk ticket ID --close`.\r\n"
)


class SendTestError(Exception):
    """The sample could not be made or handed over; the message is a sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs the sample, with an unencrypted private key (PEM, RSA or Ed25519), and under which name."""

    domain: str
    selector: str
    key: bytes

    @classmethod
    def of(cls, domain: str, selector: str, key: bytes) -> Signer:
        """The signer of these options. SendTestError names the one that cannot be used."""
        name = domain_name(domain)
        if name is None:
            raise SendTestError(f"{domain!r} is not a domain name; use one such as shop.example.")
        if not _SELECTOR.fullmatch(selector):
            raise SendTestError(f"{selector!r} is not a selector; use the name before ._domainkey.{name}.")
        try:
            dkim_key_record(key)
        except (ValueError, TypeError):
            raise SendTestError(
                "The key cannot be used: it must be RSA or Ed25519 in unencrypted PEM; make one with "
                "`openssl genrsa -out key.pem 2048`."
            ) from None
        return cls(name, selector, key)

    @property
    def record_name(self) -> str:
        """Where the public key must be published."""
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One message ready to be sent. Without a ``signer`` its signature is of a key that nobody publishes."""

    kind: SampleKind
    sender: str
    mail_from: str
    rcpt: str
    raw: bytes
    at: datetime
    signer: Signer | None = None

    @property
    def foreign(self) -> bool:
        """Whether it is sent in another name than Meta's."""
        return self.sender.startswith(_OWN_NAME)


def make_sample(
    kind: SampleKind, rcpt: str, *, now: datetime, token: int, signer: Signer | None = None
) -> Sample:
    """A sample of this kind for the mailbox ``rcpt``; ``token`` (a random number) makes it one of its own.

    A ``signer`` whose domain is not that of the sample's sender sends in its own name. Without one the
    sample is signed with a fresh key that nobody publishes; ``forged`` is not signed at all.
    """
    if kind == "forged" and signer is not None:
        raise SendTestError("A forged sample is not signed: leave the signing domain out.")
    try:
        parse_rcpt(f"TO:<{rcpt}>", utf8=False)
    except PathError:
        raise SendTestError(f"{rcpt!r} is not an email address; use one such as help@shop.example.") from None
    order = f"{9 * 10**14 + token % 10**14:015d}"
    shape, subject = (text.format(token=f"t{token % 10**13:013d}", order=order) for text in _SHAPES[kind])
    sender = parseaddr(shape)[1]
    if signer is not None and not _related(domain_of(sender), signer.domain):
        sender = shape = f"{_OWN_NAME}{signer.domain}"
    head = (
        f"Date: {format_datetime(now)}\r\nTo: {rcpt}\r\nSubject: {subject}\r\nFrom: {shape}\r\n"
        f"Message-ID: <send-test.{token}@{domain_of(sender)}>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
    )
    raw = (head + _TEXT.format(at=now.isoformat(timespec="seconds"), order=order)).encode()
    if kind == "forged":
        return Sample(kind, sender, f"{_OWN_NAME}{domain_of(sender)}.invalid", rcpt, raw, now)
    # Meta's reverse-path is its own: SPF may then vouch as it does for real mail.
    return Sample(kind, sender, sender, rcpt, _signed(raw, sender, signer), now, signer)


def _related(domain: str, signing: str) -> bool:
    return domain == signing or domain.endswith(f".{signing}")


def _signed(raw: bytes, sender: str, signer: Signer | None) -> bytes:
    signing = signer or Signer(domain_of(sender), "send-test", new_dkim_key(1024))
    return sign_dkim(raw, signing.domain, signing.selector, signing.key)


async def key_published(signer: Signer, resolver: Lookup) -> bool | None:
    """Whether the signer's public key is published where it must be; None when DNS cannot tell."""
    answer = await resolver.lookup(signer.record_name, "TXT")
    if isinstance(answer, TempFail):
        return None
    if not isinstance(answer, RecordSet):
        return False
    public_key = _public_part(dkim_key_record(signer.key).encode())
    return any(_public_part(text) == public_key for text in answer.texts)


def _public_part(record: bytes) -> bytes:
    for tag in record.split(b";"):
        name, _, value = tag.partition(b"=")
        if name.strip() == b"p":
            return b"".join(value.split())
    return b""
