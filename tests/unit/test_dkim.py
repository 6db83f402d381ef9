"""DKIM: what dkimpy verifies, and everything that it lets pass and must not."""

from __future__ import annotations

import base64
import random
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dkim
import pytest

from relaydesk.mailauth.body_hash import canonical_body
from relaydesk.mailauth.dkim import MAX_SIGNATURES, verify_dkim
from relaydesk.mailauth.signing import dkim_key_record
from relaydesk_testkit.signing import DOMAIN, MESSAGE, SELECTOR, key, key_zone, over, signed

if TYPE_CHECKING:
    from relaydesk.message.auth_results import DkimResult

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
KEY_NAME = f"{SELECTOR}._domainkey.{DOMAIN}"


async def result(raw: bytes, zone: dict[str, list[object]] | None = None, now: datetime = NOW) -> DkimResult:
    found = await verify_dkim(raw, over(key_zone() if zone is None else zone), now)
    assert len(found) == 1
    return found[0]


def record(text: str) -> dict[str, list[object]]:
    return {KEY_NAME: [{"TXT": text}]}


@pytest.mark.parametrize("bits", [1024, 2048, 4096, 0])
@pytest.mark.parametrize("form", ["relaxed/simple", "simple/simple", "relaxed/relaxed", "simple/relaxed"])
async def test_it_passes_a_signature_of_every_key_and_form(bits: int, form: str) -> None:
    found = await result(signed(bits=bits, canonicalization=form), key_zone(bits=bits))
    assert (found.result, found.domain, found.selector) == ("pass", DOMAIN, SELECTOR), found.reason
    assert found.key_bits == (bits or 256)
    assert found.signed_headers == ("date", "to", "subject", "from", "mime-version", "content-type")


async def test_it_keeps_the_evidence() -> None:
    found = await result(signed(tags=[("t", "1763900000"), ("i", f"@{DOMAIN}")]))
    assert found.signed_at == 1763900000
    assert found.identity == f"@{DOMAIN}"
    assert found.algorithm == "rsa-sha256"
    assert found.record == dkim_key_record(key())
    assert len(base64.b64decode(found.b)) == 128


async def test_it_says_nothing_of_an_unsigned_message() -> None:
    assert await verify_dkim(MESSAGE, over({}), NOW) == ()
    assert await verify_dkim(b"", over({}), NOW) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"alice", b"mallory"),
        (b"my parcel", b"my money"),
        (b"Alice  \r\n", b"Alice \r\n"),
        (b"To: h", b"To: x"),
    ],
)
async def test_it_fails_a_changed_message(old: bytes, new: bytes) -> None:
    raw = signed()
    assert raw.count(old) >= 1
    assert (await result(raw.replace(old, new))).result == "fail"


async def test_it_passes_what_relaying_may_change() -> None:
    raw = signed(canonicalization="relaxed/relaxed").replace(b"from\r\n  alice", b"from\talice")
    raw = raw.replace(b"Alice  \r\n\r\n\r\n", b"Alice\r\n").replace(b"Reply-To: case", b"Reply-To: other")
    assert (await result(b"X-New: header\r\n" + raw)).result == "pass"


async def test_it_fails_under_another_key() -> None:
    zone = {KEY_NAME: [{"TXT": dkim_key_record(key(2048))}]}
    assert (await result(signed(), zone)).result == "fail"


@pytest.mark.parametrize("failure", ["TIMEOUT", "SERVFAIL"])
async def test_it_calls_a_failed_look_up_temporary(failure: str) -> None:  # D1
    found = await result(signed(), {KEY_NAME: [failure]})
    assert found.result == "temperror"
    assert failure.lower() in found.reason


async def test_it_fails_when_from_is_not_signed() -> None:  # D2
    raw = signed()
    unsigned = re.sub(rb"h=[^;]+;", b"h=Date:To:Subject;", raw, count=1)
    assert (await result(unsigned)).result == "fail"
    assert (await result(signed(headers=["Date", "Subject"]))).reason == "From is not signed (h=)."


async def test_it_never_passes_a_partly_signed_body() -> None:  # D3
    raw = signed(tags=[("l", "0")])
    found = await result(raw + b"Pay here instead.\r\n")
    assert found.result == "policy"


async def test_it_refuses_sha1() -> None:  # D4
    raw = signed().replace(b"a=rsa-sha256", b"a=rsa-sha1", 1)
    found = await result(raw)
    assert (found.result, "rsa-sha1" in found.reason) == ("permerror", True)


@pytest.mark.parametrize(
    ("extra", "wanted"),
    [
        ("h=sha1; ", "permerror"),
        ("h=sha1:sha256; ", "pass"),
        ("s=tlsrpt; ", "permerror"),
        ("s=tlsrpt:email; ", "pass"),
        ("s=*; ", "pass"),
        ("s=other; ", "permerror"),
        ("t=y; ", "neutral"),
        ("t=s:y; ", "neutral"),
        ("n=a note; g=*; ", "pass"),
    ],
)
async def test_it_enforces_what_the_key_record_says(extra: str, wanted: str) -> None:  # D4, D10
    assert (await result(signed(), key_zone(extra=extra))).result == wanted


@pytest.mark.parametrize(("extra", "wanted"), [("t=s; ", "permerror"), ("", "pass")])
async def test_it_enforces_the_exact_identity_of_a_strict_key(extra: str, wanted: str) -> None:  # D4
    raw = signed(tags=[("i", f"bob@mail.{DOMAIN}")])
    assert (await result(raw, key_zone(extra=extra))).result == wanted


async def test_it_refuses_an_identity_of_somebody_else() -> None:
    for identity in ("@instagram.com", f"@evil{DOMAIN}", "nobody", "@"):
        assert (await result(signed(tags=[("i", identity)]))).result == "permerror", identity


@pytest.mark.parametrize("name", [b"Subject", b"From", b"subject", b"Content-Type"])
async def test_it_does_not_pass_a_doubled_singleton(name: bytes) -> None:  # D5
    found = await result(name + b": added later\r\n" + signed())
    assert found.result == "policy"


async def test_it_passes_a_singleton_signed_as_often_as_it_may_occur() -> None:
    headers = ["From", "Subject", "Subject", "Date"]
    assert (await result(signed(headers=headers))).result == "pass"
    assert (await result(b"Subject: added\r\n" + signed(headers=headers))).result == "fail"


async def test_it_verifies_several_signatures_and_at_most_five() -> None:  # D6
    raw = signed(signed(domain="facebookmail.com", bits=0), bits=1024)
    zone = key_zone() | key_zone("facebookmail.com", 0)
    found = await verify_dkim(raw, over(zone), NOW)
    assert [(one.domain, one.result) for one in found] == [(DOMAIN, "pass"), ("facebookmail.com", "pass")]
    for _ in range(8):
        raw = signed(raw)
    assert len(await verify_dkim(raw, over(zone), NOW)) == MAX_SIGNATURES


async def test_it_refuses_keys_out_of_bounds_before_verifying() -> None:  # D7
    huge = base64.b64encode(_rsa_der(1 << 65536 | 1, 65537)).decode()
    odd = base64.b64encode(_rsa_der(_modulus(), (1 << 32) + 1)).decode()
    small = base64.b64encode(_rsa_der((1 << 511) | 1, 65537)).decode()
    started = time.process_time()
    for p, words in ((huge, "longer than 4096 bits"), (odd, "exponent"), (small, "")):
        found = await result(signed(), record(f"v=DKIM1; p={p}"))
        assert found.result in {"policy", "permerror"}, found.reason
        assert words in found.reason
    assert time.process_time() - started < 5


async def test_it_canonicalises_a_hostile_body_in_linear_time() -> None:  # D8
    for body in (b" " * 4_000_000, b"\r\n" * 2_000_000 + b"x", b" \r\n" * 1_000_000, b"\r\n" * 2_000_000):
        started = time.process_time()
        canonical_body(body, "relaxed")
        assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("body", "relaxed", "simple"),
    [
        (b"", b"", b"\r\n"),
        (b"\r\n\r\n", b"", b"\r\n"),
        (b" \r\n\t\r\n", b"", b" \r\n\t\r\n"),
        (b"a", b"a\r\n", b"a\r\n"),
        (b"a \t b \r\n\r\n", b"a b\r\n", b"a \t b \r\n"),
        (b" a\r\n\r\nb\r\n", b" a\r\n\r\nb\r\n", b" a\r\n\r\nb\r\n"),
        (b"a\n\r\n", b"a\n\r\n", b"a\n\r\n"),
        (b"a \r\n ", b"a\r\n", b"a \r\n \r\n"),
    ],
)
def test_it_canonicalises_bodies_as_rfc_6376_says(body: bytes, relaxed: bytes, simple: bytes) -> None:
    assert canonical_body(body, "relaxed") == relaxed
    assert canonical_body(body, "simple") == simple


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b";;;",
        b"v=1",
        b"v=1; a=rsa-sha256; d=; s=; h=; bh=; b=",
        b"v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=!; b=!",
        b"v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=AAAA; b=A",
        b"v=2; a=rsa-sha256; d=x.example; s=s; h=from; bh=AAAA; b=AAAA",
        b"v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=AAAA; b=AAAA; c=odd",
        b"v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=AAAA; b=AAAA; t=soon",
        b"v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=AAAA; b=AAAA; x=5; t=9",
        b"v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=AAAA; b=AAAA; q=http",
        b"v=1; a=rsa-sha256; d=single; s=s; h=from; bh=AAAA; b=AAAA",
        b"v=1; a=rsa-sha256; d=\xff\xfe.example; s=s; h=from; bh=AAAA; b=AAAA",
        b"v=1; a=rsa-sha256; d=x.example; s=a..b/../; h=from; bh=AAAA; b=AAAA",
        b"v=1; v=1; a=rsa-sha256",
        b"v=1; a=rsa-sha256; d=x.example; s=s; h=" + b"a:" * 4000 + b"from; bh=AAAA; b=AAAA",
        b"v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=AAAA; b=" + b"A \t" * 20_000,
    ],
)
async def test_it_calls_junk_a_permanent_error(value: bytes) -> None:  # D9
    found = await result(b"DKIM-Signature: " + value + b"\r\n" + MESSAGE, {})
    assert found.result == "permerror"
    assert found.reason


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("v=DKIM1; p=", "fail"),
        ("v=DKIM2; p=AAAA", "permerror"),
        ("v=DKIM1; k=dsa; p=AAAA", "permerror"),
        ("v=DKIM1; k=ed25519; p=AAAA", "permerror"),
        ("v=DKIM1; p=AAAA", "permerror"),
        ("v=DKIM1; p=%%%", "permerror"),
        ("v=DKIM1", "permerror"),
        ("hello", "permerror"),
        ("", "permerror"),
    ],
)
async def test_it_judges_a_useless_key_record(text: str, wanted: str) -> None:
    found = await result(signed(), record(text))
    assert found.result == wanted, found.reason


async def test_it_says_that_there_is_no_key() -> None:
    for zone in ({}, {KEY_NAME: [{"A": "192.0.2.1"}]}):
        found = await result(signed(), zone)
        assert (found.result, found.reason) == ("permerror", f"There is no key at {KEY_NAME}.")


async def test_it_finds_the_key_beside_another_text() -> None:
    zone = {KEY_NAME: [{"TXT": "some note"}, {"TXT": dkim_key_record(key())}]}
    assert (await result(signed(), zone)).result == "pass"


async def test_it_does_not_read_bare_line_feeds_as_crlf() -> None:  # D11
    found = await verify_dkim(signed().replace(b"\r\n", b"\n"), over(key_zone()), NOW)
    assert all(one.result != "pass" for one in found)
    body = signed().replace(b"parcel?\r\n", b"parcel?\n")
    assert (await result(body)).result == "fail"


async def test_it_honours_expiry_by_the_moment_of_receipt() -> None:
    made = int(NOW.timestamp())
    raw = signed(tags=[("t", str(made)), ("x", str(made + 60))])
    assert (await result(raw)).result == "pass"
    late = await result(raw, now=NOW + timedelta(seconds=61))
    assert (late.result, late.reason) == ("fail", "The signature has expired (x=).")


async def test_it_names_one_signature_one_way() -> None:
    raw = signed()
    folded = re.sub(rb"(b=[A-Za-z0-9+/]{20})", rb"\1\r\n\t", raw, count=1)
    assert raw != folded
    first, second = await result(raw), await result(folded)
    assert first.result == second.result == "pass"
    assert first.b == second.b != ""


async def test_it_refuses_a_header_line_that_is_no_field() -> None:
    found = await result(signed().replace(b"Reply-To:", b"no field\r\nReply-To:"))
    assert found.result == "permerror"


async def test_it_reads_any_bytes() -> None:
    chance = random.Random(7)
    whole = signed()
    resolver = over(key_zone())
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            raw[chance.randrange(400)] = chance.randrange(256)
        for found in await verify_dkim(bytes(raw), resolver, NOW):
            assert found.result in {"pass", "fail", "permerror", "policy", "neutral"}


async def test_it_is_quick_on_a_hostile_signature_field() -> None:
    for filler in (b" " * 60_000, b"\r\n " * 1200, b"\r\n " * 20_000, b" b=A" * 900):
        head = b"DKIM-Signature: v=1; a=rsa-sha256; d=" + DOMAIN.encode() + b"; s=" + SELECTOR.encode()
        head += b"; h=from; bh=" + base64.b64encode(bytes(32)) + b"; b=AAAA" + filler + b"\r\n"
        started = time.process_time()
        await verify_dkim(head * 5 + MESSAGE, over(key_zone()), NOW)
        assert time.process_time() - started < 5


def _modulus() -> int:
    return (1 << 2047) | (1 << 1000) | 1


def _rsa_der(modulus: int, exponent: int) -> bytes:
    return _der(0x30, _integer(modulus) + _integer(exponent))


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    length = bytes([size]) if size < 128 else bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + length + content


async def test_it_signs_a_long_list_of_headers_without_breaking_a_name() -> None:
    names = ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version")
    raw = signed(headers=(*names, "Content-Type", "From", "To", "Subject"), tags=(("t", "1795412048"),))
    assert (await result(raw)).result == "pass"
    assert dkim.verify(raw, dnsfunc=lambda *_, **__: dkim_key_record(key()).encode())


@pytest.mark.parametrize("form", ["relaxed/simple", "simple/simple"])
async def test_it_signs_a_field_with_a_blank_before_its_colon(form: str) -> None:  # RFC 5322 §4.5; §3.4.1
    raw = MESSAGE.replace(b"Subject:", b"Subject \t:")
    raw = raw.replace(b"To: help", b"To: upper@shop.example\r\nTo : help")
    headers = ("Date", "To", "Subject", "From", "To", "Reply-To")
    assert (await result(signed(raw, canonicalization=form, headers=headers))).result == "pass"
