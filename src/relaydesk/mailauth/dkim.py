"""DKIM (RFC 6376, 8301, 8463): the verification of a message's signatures.

The order is from cheap to dear: the rules of the signature, its key, the header, and only then the body, once
for all signatures that ask for the same form. So nobody makes us hash a body for a signature that is not one.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relaydesk.dns import RecordSet, TempFail
from relaydesk.mailauth.body_hash import body_hash
from relaydesk.mailauth.dkim_key import SignatureProblem, parse_key
from relaydesk.mailauth.dkim_signature import read_signature
from relaydesk.mailauth.signed_header import header_digest, header_fields, split_message
from relaydesk.message import printable

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.dns import Lookup
    from relaydesk.mailauth.body_hash import Canonical
    from relaydesk.mailauth.dkim_key import VerifyKey
    from relaydesk.mailauth.dkim_signature import Signature
    from relaydesk.mailauth.signed_header import Field
    from relaydesk.message import DkimResult

MAX_SIGNATURES = 5
MAX_KEYS = 4  # records of one selector that are tried
HEADER_LIMIT, LINES_LIMIT = 1 << 18, 10_000  # octets and lines of a header section that is verified
_TOP = 1 << 14  # octets at the top of a larger one, in which its signatures are looked for
_LARGE = 1 << 17  # octets of a body that is hashed off the event loop
# Hashes of large bodies at one time, of all messages: more threads would only take turns with the event loop.
_hashing = ThreadPoolExecutor(2, "dkim")
_KEY_RECORD = re.compile(rb"(?:^|;)\s*+p\s*+=")


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A message as its signatures see it: its fields, the topmost signatures among them, and its body."""

    fields: list[Field]
    signatures: list[Signature]
    body: memoryview

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains (``d=``) of the signatures: their keys are asked for below no other."""
        return tuple(signature.result.domain for signature in self.signatures if signature.result.domain)


def read_signed(raw: bytes, now: datetime) -> SignedMessage:
    """What is read before any key is asked for; its signatures are at most ``MAX_SIGNATURES``.

    ``raw`` is the message exactly as received; ``now`` the moment of receipt, against which ``x=`` is read.
    """
    section, body = split_message(raw)
    whole = len(section) <= HEADER_LIMIT and section.count(b"\r\n") <= LINES_LIMIT
    fields = header_fields(section if whole else section[:_TOP])
    signed = [field for field in fields if field.name == b"dkim-signature"][:MAX_SIGNATURES]
    counts, moment = Counter(field.name for field in fields), int(now.timestamp())
    signatures = [read_signature(field, counts, moment, whole=whole) for field in signed]
    return SignedMessage(fields, signatures, body)


async def verify_dkim(
    raw: bytes, resolver: Lookup, now: datetime, *, deadline: float | None = None
) -> tuple[DkimResult, ...]:
    """The results of the signatures of a message, () when unsigned; as :func:`verify_signed` has them."""
    return await verify_signed(read_signed(raw, now), resolver, deadline=deadline)


async def verify_signed(
    signed: SignedMessage, resolver: Lookup, *, deadline: float | None = None
) -> tuple[DkimResult, ...]:
    """The results of the signatures of a message.

    ``deadline`` is a moment of the running loop's clock for the look-ups. A failed look-up is ``temperror``;
    what is raised is a bug, whatever the message and its keys hold.
    """
    hashes = _BodyHashes(signed.body)
    return tuple(
        await asyncio.gather(
            *(_verify(each, signed.fields, hashes, resolver, deadline) for each in signed.signatures)
        )
    )


class _BodyHashes:
    """The hashes of one body, each computed when a signature first needs it."""

    def __init__(self, body: memoryview) -> None:
        self._body = body
        self._hashes: dict[Canonical, bytes] = {}
        self._one_at_a_time = asyncio.Lock()

    async def get(self, how: Canonical) -> bytes:
        async with self._one_at_a_time:
            if how not in self._hashes:
                large = len(self._body) > _LARGE
                loop = asyncio.get_running_loop()
                digest = loop.run_in_executor(_hashing, body_hash, self._body, how) if large else None
                self._hashes[how] = await digest if digest else body_hash(self._body, how)
        return self._hashes[how]


async def _verify(
    signature: Signature,
    fields: list[Field],
    hashes: _BodyHashes,
    resolver: Lookup,
    deadline: float | None,
) -> DkimResult:
    result = signature.result
    if result.result != "pass":
        return result
    try:
        records = await _key_records(signature.key_name, resolver, deadline)
        result = _with_record(result, records[0])
        keys = _keys(records, signature.key_type)
        result = replace(result, key_bits=keys[0][1].bits)
        record, key = _fitting(keys, signature, fields)
        result = replace(_with_record(result, record), key_bits=key.bits)
        if key.exact_identity and signature.identity_domain != result.domain:
            raise SignatureProblem("permerror", "The key allows no identity below its domain (t=s).")
        if await hashes.get(signature.body) != signature.body_hash:
            raise SignatureProblem("fail", "The body was changed after signing.")
        if key.testing:
            raise SignatureProblem(
                "neutral", f"{result.domain} is testing its key: the signature does not count (t=y)."
            )
    except SignatureProblem as objection:
        return replace(result, result=objection.result, reason=str(objection))
    return replace(
        result, reason=f"The signature of {result.domain} is valid ({key.bits}-bit {key.algorithm})."
    )


async def _key_records(name: str, resolver: Lookup, deadline: float | None) -> tuple[bytes, ...]:
    """The records that may hold the key. Beside them some publish texts that hold no p=."""
    answer = await resolver.lookup(name, "TXT", deadline)
    if isinstance(answer, TempFail):
        raise SignatureProblem("temperror", f"The key at {name} could not be looked up now ({answer.why}).")
    if not isinstance(answer, RecordSet):
        raise SignatureProblem("permerror", f"There is no key at {name}.")
    texts = answer.texts
    return tuple(filter(_KEY_RECORD.search, texts))[:MAX_KEYS] or texts[:1]


def _keys(records: tuple[bytes, ...], key_type: str) -> list[tuple[bytes, VerifyKey]]:
    """The usable keys among the records: RFC 6376 §3.6.2.2 leaves open what several mean, so each may fit."""
    keys, objections = [], []
    for record in records:
        try:
            keys.append((record, parse_key(record, key_type)))
        except SignatureProblem as objection:
            objections.append(objection)
    if not keys:
        raise objections[0]
    return keys


def _fitting(
    keys: list[tuple[bytes, VerifyKey]], signature: Signature, fields: list[Field]
) -> tuple[bytes, VerifyKey]:
    digest = header_digest(fields, signature.field, signature.names, signature.header)
    for record, key in keys:
        if key.fits(digest, signature.signed):
            return record, key
    raise SignatureProblem("fail", "The signed header fields were changed, or the key is another.")


def _with_record(result: DkimResult, record: bytes) -> DkimResult:
    return replace(result, record=printable(record.decode("utf-8", "replace"), 2048))
