"""Authentication as a whole: what vouches, what stays open, and the header that tells it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.dns.resolver import Resolver
from relaydesk.mailauth import dkim, dkim_signature, spf, spf_query, spf_record
from relaydesk.mailauth.authenticate import authenticate
from relaydesk.mailauth.spf_record import parse_record
from relaydesk.message.auth_results import authentication_results, undecided, vouches
from relaydesk.message.envelope import Envelope, Origin
from relaydesk.message.message import Address, Message
from relaydesk_testkit.signing import DOMAIN, MESSAGE, SELECTOR, key_zone, over, signed
from relaydesk_testkit.zones import dns_server

if TYPE_CHECKING:
    from relaydesk.message.auth_results import AuthResults

IP = "66.220.144.130"
ZONE: dict[str, list[Any]] = {
    **key_zone(),
    DOMAIN: [{"TXT": f"v=spf1 ip4:{IP} -all"}],
    "_dmarc.instagram.com": [{"TXT": "v=DMARC1; p=reject"}],
}
DMARC, KEY = "_dmarc.instagram.com", f"{SELECTOR}._domainkey.{DOMAIN}"


def envelope(raw: bytes | None = None, **changes: Any) -> Envelope:
    base = Envelope(
        peer=IP,
        origin=Origin(IP, "origin", allowlisted=True, how="peer"),
        helo="mx-out.facebook.com",
        mail_from=f"bounce@{DOMAIN}",
        rcpt_to=("help@shop.example",),
        raw=signed() if raw is None else raw,
        received_at=datetime(2026, 11, 21, 10, 0, tzinfo=UTC),
    )
    return replace(base, **changes)


def letter(*domains: str) -> Message:
    return Message(from_=tuple(Address("", "case++x", domain) for domain in domains or (DOMAIN,)))


async def report(zone: dict[str, list[Any]] | None = None, **changes: Any) -> AuthResults:
    return await authenticate(envelope(**changes), letter(), over(ZONE if zone is None else zone))


async def test_it_finds_genuine_mail_genuine() -> None:
    found = await report()
    assert (found.spf.result, found.dkim[0].result, found.dmarc.result) == ("pass", "pass", "pass")
    assert found.dmarc.aligned_by == ("dkim", "spf")
    assert found.aligned_dkim == (0,)
    assert (found.dmarc.policy, found.dmarc.domain) == ("reject", "instagram.com")
    assert vouches(found, DOMAIN, {}, spf_counts=True) == ("aligned_dkim", {"domain": DOMAIN})


async def test_it_finds_a_forgery_forged() -> None:
    found = await report(raw=MESSAGE, mail_from="x@evil.example")
    assert (found.spf.result, found.dkim, found.dmarc.result) == ("none", (), "fail")
    assert found.dmarc.policy == "reject"
    assert vouches(found, DOMAIN, {}, spf_counts=True) is None
    assert undecided(found, DOMAIN, {}, spf_counts=True) == ""


async def test_it_does_not_check_spf_of_a_relay() -> None:
    relayed = Origin(None, "relay", allowlisted=False, how="unknown")
    found = await report(origin=relayed)
    assert (found.spf.result, found.spf.reason) == ("none", "relayed: the origin is unknown")
    assert found.dmarc.aligned_by == ("dkim",)


async def test_it_aligns_the_helo_of_the_null_sender() -> None:
    found = await report(raw=MESSAGE, mail_from="", helo=DOMAIN)
    assert (found.spf.identity, found.dmarc.result, found.dmarc.aligned_by) == ("helo", "pass", ("spf",))
    assert vouches(found, DOMAIN, {}, spf_counts=True) == ("aligned_spf", {"domain": DOMAIN, "ip": IP})
    assert vouches(found, DOMAIN, {}, spf_counts=False) is None


async def test_a_mapped_signature_vouches() -> None:
    zone = {**ZONE, **key_zone("facebookmail.com")}
    found = await report(zone, raw=signed(domain="facebookmail.com"), mail_from="x@evil.example")
    assert found.dmarc.aligned_by == ()
    facts = {"domain": "facebookmail.com", "from_domain": DOMAIN}
    assert vouches(found, DOMAIN, {DOMAIN: ("facebookmail.com",)}, spf_counts=True) == ("mapped_dkim", facts)
    assert vouches(found, DOMAIN, {"other.example": ("facebookmail.com",)}, spf_counts=True) is None


async def test_no_record_is_needed_to_vouch() -> None:
    zone = {name: records for name, records in ZONE.items() if name != DMARC}
    found = await report(zone)
    assert found.dmarc.result == "none"
    assert vouches(found, DOMAIN, {}, spf_counts=False) == ("aligned_dkim", {"domain": DOMAIN})


@pytest.mark.parametrize(
    ("domains", "result"),
    [
        ((), "none"),
        (("[192.0.2.1]",), "none"),
        ((DOMAIN, "evil.example"), "permerror"),
        ((DOMAIN, f"mail.{DOMAIN}"), "permerror"),
        ((DOMAIN, "localhost"), "permerror"),
        ((DOMAIN, DOMAIN, "evil.example"), "permerror"),
    ],
)
async def test_dmarc_needs_one_author_domain(domains: tuple[str, ...], result: str) -> None:
    several = Message(from_=tuple(Address("", "x", domain) for domain in domains))
    auth = await authenticate(envelope(), several, over(ZONE))
    assert (auth.dmarc.result, auth.aligned_dkim) == (result, ())
    assert vouches(auth, DOMAIN, {}, spf_counts=True) is None
    if result == "permerror":
        assert auth.dmarc.reason.endswith("2 domains; DMARC needs exactly one.")


@pytest.mark.parametrize(
    "domains", [(DOMAIN, DOMAIN), (DOMAIN, DOMAIN.upper()), (DOMAIN, f"{DOMAIN}."), (DOMAIN,) * 20]
)
async def test_several_authors_of_one_domain_are_one_author_domain(domains: tuple[str, ...]) -> None:
    """RFC 9989 §5.3.1 counts domains, not addresses. The policy holds such mail by its row 5 all the same."""
    several = Message(from_=tuple(Address("", f"u{n}", domain) for n, domain in enumerate(domains)))
    auth = await authenticate(envelope(), several, over(ZONE))
    assert (auth.dmarc.result, auth.dmarc.from_domain) == ("pass", DOMAIN)
    forged = await authenticate(envelope(MESSAGE, mail_from="x@evil.example"), several, over(ZONE))
    assert (forged.dmarc.result, forged.dmarc.policy) == ("fail", "reject")


@pytest.mark.parametrize("failure", ["TIMEOUT", "SERVFAIL"])
@pytest.mark.parametrize("name", [DOMAIN, KEY, DMARC])
async def test_one_failed_look_up_is_settled_by_what_else_passes(name: str, failure: str) -> None:
    found = await report({**ZONE, name: [failure]})
    results = {found.spf.result, found.dkim[0].result, found.dmarc.result}
    assert "temperror" in results
    assert undecided(found, DOMAIN, {}, spf_counts=True) == ""


@pytest.mark.parametrize("name", [DOMAIN, KEY, DMARC])
async def test_a_failed_look_up_leaves_open_what_nothing_else_settles(name: str) -> None:
    unsigned, foreign = {"raw": MESSAGE}, {"mail_from": "x@evil.example"}
    changes = {DOMAIN: unsigned, KEY: foreign, DMARC: unsigned | foreign}[name]
    found = await report({**ZONE, name: ["TIMEOUT"]}, **changes)
    assert vouches(found, DOMAIN, {}, spf_counts=True) is None
    assert "timeout" in undecided(found, DOMAIN, {}, spf_counts=True)


async def test_spf_that_does_not_count_leaves_nothing_open() -> None:
    found = await report({**ZONE, DOMAIN: ["TIMEOUT"]}, raw=MESSAGE)
    assert undecided(found, DOMAIN, {}, spf_counts=True)
    assert undecided(found, DOMAIN, {}, spf_counts=False) == ""


async def test_spf_that_does_not_count_does_not_settle_a_signature() -> None:
    found = await report({**ZONE, KEY: ["TIMEOUT"]})
    assert undecided(found, DOMAIN, {}, spf_counts=True) == ""
    assert KEY in undecided(found, DOMAIN, {}, spf_counts=False)


async def test_a_mapped_signature_that_failed_for_now_leaves_it_open() -> None:
    zone = {**ZONE, f"{SELECTOR}._domainkey.facebookmail.com": ["TIMEOUT"]}
    found = await report(zone, raw=signed(domain="facebookmail.com"), mail_from="x@evil.example")
    assert undecided(found, DOMAIN, {DOMAIN: ("facebookmail.com",)}, spf_counts=True)
    assert undecided(found, DOMAIN, {}, spf_counts=True) == ""


class Never:
    """A source that never answers."""

    async def query(self, name: str, rrtype: str) -> Any:
        await asyncio.Event().wait()


async def test_a_message_has_a_time_limit_in_all() -> None:
    async with asyncio.timeout(10):
        found = await authenticate(envelope(), letter(), Resolver(Never()), limit=0.1)
    assert (found.spf.result, found.dkim[0].result, found.dmarc.result) == ("temperror",) * 3
    assert found.dmarc.undecided


async def test_it_answers_over_the_network() -> None:
    with dns_server(ZONE) as server:
        resolver = Resolver.over_network([server.address], timeout=3)
        found = await authenticate(envelope(), letter(), resolver)
        asked = server.asked.total()
        assert found == await report()
        assert await authenticate(envelope(), letter(), resolver) == found
        assert server.asked.total() == asked, "the second message asks nothing"


# A record that uses every part of the evaluation, and its explanation.
EVERYTHING: dict[str, list[Any]] = {
    DOMAIN: [
        {"TXT": "v=spf1 x=1 a:%{d}.b.example mx:%{d} exists:%{p}.b.example -all exp=e.example"},
        {"A": "192.0.2.7"},
    ],
    "e.example": [{"TXT": "By %{d}"}],
    f"{DOMAIN}.b.example": [{"A": "192.0.2.8"}],
}


@pytest.mark.parametrize("error", [RuntimeError, ValueError, UnicodeDecodeError, KeyError, TypeError])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (spf._Evaluation, "_verdict"),
        (spf._Evaluation, "records"),
        (spf_query, "parse_record"),
        (spf_query, "expand_name"),
        (spf_query, "expand_text"),
        (spf_query, "ip_network"),
        (spf_query, "label_fits"),
        (spf_record, "check_domain_spec"),
        (spf_record, "check_macro_string"),
        (dkim_signature, "parse_tags"),
        (dkim_signature, "base64_octets"),
        (dkim_signature, "quoted_printable"),
        (dkim_signature, "domain_name"),
        (dkim, "header_digest"),
        (dkim, "read_signature"),
        (dkim, "parse_key"),
        (dkim, "body_hash"),
        (import_module("relaydesk.mailauth.authenticate"), "single_record"),
        (import_module("relaydesk.mailauth.authenticate"), "evaluate"),
    ],
)
async def test_a_bug_of_ours_is_no_result(
    module: Any, name: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a verdict nor ``temperror``, which ends in an unverified ticket."""

    def broken(*_: object, **__: object) -> None:
        raise (
            UnicodeDecodeError("x", b"", 0, 1, "planted") if error is UnicodeDecodeError else error("planted")
        )

    monkeypatch.setattr(module, name, broken)
    parse_record.cache_clear()
    raised: list[BaseException] = []
    try:
        await report({**ZONE, **EVERYTHING})
    except* error as group:
        raised.extend(group.exceptions)
    assert "planted" in repr(raised)


async def test_it_has_a_result_for_any_bytes_and_names() -> None:
    chance = random.Random(3)
    resolver = over(ZONE)
    pieces = [
        b"\r\n",
        b"\n",
        b":",
        b"DKIM-Signature:",
        b"From:",
        b"\x00",
        b"\xff",
        b"v=1;",
        b" ",
        b"b=",
        b"a=rsa-sha256;",
    ]
    names = ["", "x", "\udc80", "a@b@c", "<>", "ü.example", "[::1]", "\r\n", "%{i}@%{l}.example", "." * 300]
    for _ in range(300):
        raw = b"".join(chance.choices(pieces, k=chance.randrange(40)))
        changes = {"mail_from": chance.choice(names), "helo": chance.choice(names)}
        assert await authenticate(envelope(raw, **changes), letter(chance.choice(names)), resolver)


async def test_it_writes_the_header() -> None:
    found = await report()
    b = found.dkim[0].b[:8]
    quoted = b if all(char not in "=" for char in b) else f'"{b}"'
    assert authentication_results(found, "mx.shop.example") == (
        f"mx.shop.example; spf=pass smtp.mailfrom={DOMAIN}; "
        f"dkim=pass header.d={DOMAIN} header.s={SELECTOR} header.b={quoted}; "
        f"dmarc=pass header.from={DOMAIN}"
    )


async def test_the_header_cannot_be_broken_out_of() -> None:
    found = await report(raw=MESSAGE, mail_from='x@evil.example"; dkim=pass\r\nX: y')
    text = authentication_results(found, 'mx"; spf=pass\r\n')
    assert "\r" not in text and "\n" not in text
    assert text.startswith('"mx\\"; spf=pass"; spf=none reason="')
    assert "dkim=none" in text


async def test_the_header_names_helo() -> None:
    found = await report(raw=MESSAGE, mail_from="", helo=DOMAIN)
    assert f"smtp.helo={DOMAIN}" in authentication_results(found, "mx.shop.example")
