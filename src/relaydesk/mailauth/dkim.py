"""DKIM (RFC 6376, 8301, 8463) by dkimpy, with what a receiver must add around it.

dkimpy selects, canonicalises and hashes the signed header fields. The body hash, the key, and every rule
about which signatures may count are checked here first: dkimpy passes several that must not.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import dkim
from dkim.util import InvalidTagValueList, parse_tag_value

from relaydesk.dns import RecordSet, TempFail
from relaydesk.mailauth.body_hash import NO_FIELD, body_hash, split_message
from relaydesk.mailauth.dkim_key import SignatureProblem, parse_key
from relaydesk.message import DkimResult, domain_name, printable, split_address

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.dns import Lookup
    from relaydesk.mailauth.body_hash import Canonical

MAX_SIGNATURES = 5
_JUNK = (dkim.DKIMException, AssertionError, IndexError, ValueError)  # what dkimpy raises on hostile bytes
_SIGNATURE_LIMIT = 4096  # bytes; dkimpy's pattern for b= is quadratic in folds (8 KB cost 0.2 s)
_NAMES_LIMIT = 256  # names in h=: each is looked for among all fields
_FIELDS_LIMIT = 2000
_LARGE = 1 << 20  # a body that is hashed off the event loop
_ALGORITHMS = {b"rsa-sha256": "rsa", b"ed25519-sha256": "ed25519"}
_SELECTOR = re.compile(rb"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
# RFC 5322 §3.6, and the MIME fields that decide how the body is read.
_SINGLETONS = frozenset(
    b"from sender reply-to to cc bcc date message-id in-reply-to references subject "
    b"mime-version content-type content-transfer-encoding".split()
)


async def verify_dkim(
    raw: bytes, resolver: Lookup, now: datetime, *, deadline: float | None = None
) -> tuple[DkimResult, ...]:
    """The results of the topmost signatures of a message, at most ``MAX_SIGNATURES``; () when unsigned.

    ``raw`` is the message exactly as received; ``now`` the moment of receipt, against which ``x=`` is
    read; ``deadline`` a moment of the running loop's clock for the look-ups. A failed look-up is
    ``temperror``; what is raised is a bug, whatever the message and its keys hold.
    """
    fields, body = split_message(raw)
    signatures = [field for field in fields if field[0].lower() == b"dkim-signature"][:MAX_SIGNATURES]
    if not signatures:
        return ()
    counts = Counter(name.lower() for name, _ in fields)
    read = [_read(field, counts, int(now.timestamp())) for field in signatures]
    hashes = {
        how: await _hash(body, how)
        for how in {signature.body for signature in read if signature.result.result == "pass"}
    }
    return tuple(
        await asyncio.gather(*(_verify(signature, fields, hashes, resolver, deadline) for signature in read))
    )


async def _hash(body: bytes, how: Canonical) -> bytes:
    if len(body) > _LARGE:
        return await asyncio.to_thread(body_hash, body, how)
    return body_hash(body, how)


@dataclass(frozen=True, slots=True)
class _Signature:
    """One signature as read. ``result`` is what holds so far: ``pass`` when nothing speaks against it yet."""

    field: tuple[bytes, bytes]
    result: DkimResult
    tags: dict[bytes, bytes]
    names: tuple[bytes, ...] = ()
    body: Canonical = "simple"


def _read(field: tuple[bytes, bytes], counts: Counter[bytes], now: int) -> _Signature:
    tags: dict[bytes, bytes] = {}
    try:
        if len(field[1]) > _SIGNATURE_LIMIT or counts.total() > _FIELDS_LIMIT:
            raise SignatureProblem("permerror", "The signature or the header section is too large to verify.")
        try:
            tags = parse_tag_value(field[1])
        except InvalidTagValueList as broken:
            raise SignatureProblem("permerror", f"The signature cannot be read: {_text(broken)}.") from None
        result = _evidence(tags)
        _object_to_tags(tags, now)
        names = tuple(name.strip().lower() for name in tags[b"h"].split(b":"))
        _object_to_names(names, counts)
        return _Signature(field, replace(result, result="pass"), tags, names, _canonical(tags))
    except SignatureProblem as objection:
        result = replace(_evidence(tags), result=objection.result, reason=str(objection))
        return _Signature(field, result, tags)


def _evidence(tags: dict[bytes, bytes]) -> DkimResult:
    """What the signature says of itself, as far as it can be read."""
    signed_at = tags.get(b"t", b"")
    return DkimResult(
        "permerror",
        domain=_domain(tags.get(b"d", b"")) or "",
        selector=_text(tags.get(b"s", b"")).lower(),
        identity=_text(tags.get(b"i", b"")),
        algorithm=_text(tags.get(b"a", b"")).lower(),
        signed_headers=tuple(_text(name).lower() for name in tags.get(b"h", b"").split(b":")[:_NAMES_LIMIT]),
        b=_base64(tags.get(b"b", b"")),
        signed_at=int(signed_at) if re.fullmatch(rb"\d{1,12}", signed_at) else None,
    )


def _object_to_tags(tags: dict[bytes, bytes], now: int) -> None:
    """RFC 6376 §3.5 and §6.1.1; RFC 8301 §3.1 for rsa-sha1."""
    missing = [name.decode() for name in (b"v", b"a", b"b", b"bh", b"d", b"h", b"s") if name not in tags]
    if missing:
        raise SignatureProblem("permerror", f"The signature lacks {', '.join(missing)}=.")
    if tags[b"v"] != b"1":
        raise SignatureProblem("permerror", "The signature is of another version than 1 (v=).")
    if tags[b"a"].lower() not in _ALGORITHMS:
        raise SignatureProblem(
            "permerror", f"The algorithm {_text(tags[b'a'])} is forbidden or unknown (a=)."
        )
    if not _base64(tags[b"b"]) or not _base64(tags[b"bh"]):
        raise SignatureProblem("permerror", "The signature or its body hash is not base64 (b=, bh=).")
    domain = _domain(tags[b"d"])
    if domain is None or not _SELECTOR.fullmatch(tags[b"s"]):
        raise SignatureProblem("permerror", "The signature names no usable domain or selector (d=, s=).")
    if b"dns/txt" not in {query.strip().lower() for query in tags.get(b"q", b"dns/txt").split(b":")}:
        raise SignatureProblem("permerror", "The key is not offered in DNS (q=).")
    if not f".{_identity_domain(tags)}".endswith(f".{domain}"):
        raise SignatureProblem("permerror", f"The identity is not of {domain} (i=).")
    if b"l" in tags:
        raise SignatureProblem(
            "policy", "The signature covers only a part of the body (l=); text could follow it."
        )
    _object_to_times(tags, now)


def _object_to_times(tags: dict[bytes, bytes], now: int) -> None:
    for name in (b"t", b"x"):
        if name in tags and not re.fullmatch(rb"\d{1,12}", tags[name]):
            raise SignatureProblem("permerror", f"{name.decode()}= is not a time.")
    if b"x" in tags:
        expires = int(tags[b"x"])
        if b"t" in tags and expires <= int(tags[b"t"]):
            raise SignatureProblem("permerror", "The signature expires before it was made (x=, t=).")
        if expires < now:
            raise SignatureProblem("fail", "The signature has expired (x=).")


def _object_to_names(names: tuple[bytes, ...], counts: Counter[bytes]) -> None:
    if b"from" not in names:
        raise SignatureProblem("fail", "From is not signed (h=).")
    if counts[NO_FIELD]:
        raise SignatureProblem("permerror", "The header section has a line that is not a header field.")
    if not counts[b"from"]:
        raise SignatureProblem("permerror", "The message has no From.")
    if len(names) > _NAMES_LIMIT:
        raise SignatureProblem("permerror", "The signature names too many header fields (h=).")
    for name in _SINGLETONS.intersection(names):
        if counts[name] > max(1, names.count(name)):
            raise SignatureProblem("policy", f"{name.decode().title()} occurs more often than it is signed.")


def _canonical(tags: dict[bytes, bytes]) -> Canonical:
    header, _, body = tags.get(b"c", b"simple/simple").lower().partition(b"/")
    if header not in (b"simple", b"relaxed") or body not in (b"", b"simple", b"relaxed"):
        raise SignatureProblem("permerror", "The canonicalization is unknown (c=).")
    return "relaxed" if body == b"relaxed" else "simple"


async def _verify(
    signature: _Signature,
    fields: list[tuple[bytes, bytes]],
    hashes: dict[Canonical, bytes],
    resolver: Lookup,
    deadline: float | None,
) -> DkimResult:
    result = signature.result
    if result.result != "pass":
        return result
    try:
        record = await _key_record(result, resolver, deadline)
        result = replace(result, record=_text(record, 2048))
        key = parse_key(record, _ALGORITHMS[result.algorithm.encode()])
        result = replace(result, key_bits=key.bits)
        if key.exact_identity and _identity_domain(signature.tags) != result.domain:
            raise SignatureProblem("permerror", "The key allows no identity below its domain (t=s).")
        if hashes[signature.body] != base64.b64decode(signature.tags[b"bh"]):
            raise SignatureProblem("fail", "The body was changed after signing.")
        if not key.fits(_header_digest(signature, fields), base64.b64decode(signature.tags[b"b"])):
            raise SignatureProblem("fail", "The signed header fields were changed, or the key is another.")
        if key.testing:
            raise SignatureProblem(
                "neutral", f"{result.domain} is testing its key: the signature does not count (t=y)."
            )
    except SignatureProblem as objection:
        return replace(result, result=objection.result, reason=str(objection))
    return replace(
        result, reason=f"The signature of {result.domain} is valid ({key.bits}-bit {key.algorithm})."
    )


async def _key_record(result: DkimResult, resolver: Lookup, deadline: float | None) -> bytes:
    name = f"{result.selector}._domainkey.{result.domain}"
    answer = await resolver.lookup(name, "TXT", deadline)
    if isinstance(answer, TempFail):
        raise SignatureProblem("temperror", f"The key at {name} could not be looked up now ({answer.why}).")
    if not isinstance(answer, RecordSet):
        raise SignatureProblem("permerror", f"There is no key at {name}.")
    # RFC 6376 §3.6.2.2 allows one record; beside it some publish others, which hold no p=.
    texts = answer.texts
    return next((text for text in texts if re.search(rb"(?:^|;)\s*p\s*=", text)), texts[0])


class _Digest:
    """Takes a key's place with dkimpy and keeps the digest that the key is to verify.

    So OpenSSL does the arithmetic for both kinds of keys (measured for RSA of 2048 bits: 0.02 ms against
    0.2 ms), and nothing of ours runs where dkimpy's exceptions are taken for the message's fault.
    """

    value = b""

    def verify(self, digest: bytes, _signature: bytes) -> None:
        self.value = digest


def _header_digest(signature: _Signature, fields: list[tuple[bytes, bytes]]) -> bytes:
    """The SHA-256 of the signed header fields and of the signature without its b= (RFC 6376 §3.7)."""
    verifier, digest = dkim.DKIM(), _Digest()
    verifier.headers = fields
    verifier.pk, verifier.ktag = digest, b"ed25519"  # dkimpy asks its Ed25519 keys by verify()
    without_body = {name: value for name, value in signature.tags.items() if name != b"bh"}
    without_body[b"a"] = b"rsa-sha256"  # for dkimpy this only chooses SHA-256
    without_body[b"c"] = signature.tags.get(b"c", b"simple/simple").lower()
    try:
        verifier.verify_sig_process(without_body, list(signature.names), signature.field, None)
    except _JUNK as failure:
        raise SignatureProblem("permerror", f"The signature cannot be verified: {_text(failure)}.") from None
    return digest.value


def _identity_domain(tags: dict[bytes, bytes]) -> str | None:
    """The domain of i=, which is d= when there is none (RFC 6376 §3.5)."""
    if b"i" not in tags:
        return _domain(tags[b"d"])
    return domain_name(split_address(tags[b"i"].decode("utf-8", "replace"))[1])


def _domain(value: bytes) -> str | None:
    return domain_name(value.decode("utf-8", "replace"))


def _base64(value: bytes) -> str:
    """Canonical base64 of a tag, "" for none: two spellings of one signature are one replay key."""
    try:
        return base64.b64encode(base64.b64decode(b"".join(value.split()), validate=True)).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def _text(value: bytes | Exception, limit: int = 256) -> str:
    return printable(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value), limit)
