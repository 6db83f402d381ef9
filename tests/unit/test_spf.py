"""SPF beyond the RFC's suite: what is normalised before pyspf sees it, and how its answers are read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.dns.resolver import Resolver
from relaydesk.mailauth.spf import check_spf
from relaydesk_testkit.signing import over
from relaydesk_testkit.zones import dns_server

if TYPE_CHECKING:
    from relaydesk.dns.records import DnsAnswer, RrType
    from relaydesk.message.auth_results import SpfResult

ZONE: dict[str, list[Any]] = {
    "h.com": [{"TXT": "v=spf1 ip4:192.0.2.0/24 -all exp=why.h.com"}],
    "why.h.com": [{"TXT": "Line one\r\nLine two\x1b[2J for %{l}"}],
    "xn--mnchen-3ya.example": [{"TXT": "v=spf1 -all"}],
    "six.example": [{"TXT": "v=spf1 ip6:2001:db8::/32 -all"}],
    "mx.example": [{"TXT": "v=spf1 mx -all"}, {"MX": [5, "a.mx.example"]}, {"MX": [9, "b.mx.example"]}],
    "a.mx.example": [{"A": "192.0.2.1"}],
    "b.mx.example": [{"A": "192.0.2.2"}],
    "slow.example": ["TIMEOUT"],
    "broken.example": ["SERVFAIL"],
    "include-slow.example": [{"TXT": "v=spf1 include:slow.example -all"}],
    "early.example": [{"TXT": "v=spf1 ip4:192.0.2.1 include:slow.example -all"}],
    "early-mx.example": [
        {"TXT": "v=spf1 mx -all"},
        {"MX": [9, "slow.example"]},
        {"MX": [5, "a.mx.example"]},
    ],
    "exp-slow.example": [{"TXT": "v=spf1 -all exp=slow.example"}],
    "bad.example": [{"TXT": "v=spf1 nonsense -all"}],
    "soft.example": [{"TXT": "v=spf1 ~all"}],
    "neutral.example": [{"TXT": "v=spf1 ?all"}],
    "deep.example": [{"TXT": "v=spf1 " + " ".join(f"include:i{n}.example" for n in range(12)) + " -all"}],
    **{f"i{n}.example": [{"TXT": "v=spf1 ?all"}] for n in range(12)},
    "user.example": [{"TXT": "v=spf1 exists:%{l}.users.example -all"}],
    "a.users.example": [{"A": "127.0.0.2"}],
}


async def spf(mail_from: str, ip: str = "198.51.100.1", helo: str = "mail.h.com") -> SpfResult:
    return await check_spf(ip, mail_from, helo, over(ZONE))


@pytest.mark.parametrize(
    "sender",
    ["u@h.com", '"a@b"@h.com', "u@h.com.", "U@H.COM", "u+tag@h.com", "@h.com", "\udc80@h.com", "h.com"],
)
async def test_it_fails_every_spelling_of_one_domain_alike(sender: str) -> None:
    found = await spf(sender)
    assert (found.result, found.domain, found.identity) == ("fail", "h.com", "mailfrom")


async def test_it_passes_with_its_evidence() -> None:
    found = await spf("u@h.com", "192.0.2.9")
    assert (found.result, found.ip, found.explanation) == ("pass", "192.0.2.9", "")
    assert found.record == "v=spf1 ip4:192.0.2.0/24 -all exp=why.h.com"
    assert found.reason == "192.0.2.9 is permitted by h.com (ip4:192.0.2.0/24)."


async def test_it_reads_u_labels_and_maps_nothing() -> None:
    assert (await spf("u@münchen.example")).result == "fail"
    assert (await spf("u@\uff48.com")).result == "none", "full-width letters are nobody else's domain"
    assert (await spf("u@\u212a.com")).result == "none", "the Kelvin sign is no k"


@pytest.mark.parametrize(
    "sender",
    ["u@localhost", "u@[192.0.2.1]", "u@a..b", "u@" + "x" * 64 + ".com", "u@-_ .com", "u@", "@", "\r\n"],
)
async def test_it_says_none_for_what_is_no_domain(sender: str) -> None:
    found = await spf(sender)
    assert found.result == "none"
    assert "is not a domain" in found.reason


@pytest.mark.parametrize("ip", ["", "none", "1.2.3", "1.2.3.4.5", "::g", "list", "192.0.2.1/24"])
async def test_it_says_none_for_what_is_no_address(ip: str) -> None:
    assert (await spf("u@h.com", ip)).result == "none"


@pytest.mark.parametrize(
    ("ip", "wanted"),
    [
        ("2001:db8::1", "pass"),
        ("2001:DB8:0:0:0:0:0:1", "pass"),
        ("2001:db8::1%eth0", "pass"),
        ("2001:db9::1", "fail"),
    ],
)
async def test_it_reads_ipv6(ip: str, wanted: str) -> None:
    assert (await spf("u@six.example", ip)).result == wanted


async def test_it_reads_a_mapped_address_as_ipv4() -> None:
    found = await spf("u@h.com", "::ffff:192.0.2.9")
    assert (found.result, found.ip) == ("pass", "192.0.2.9")


async def test_it_checks_helo_for_the_null_sender() -> None:
    found = await spf("", "192.0.2.9", "H.com.")
    assert (found.result, found.domain, found.identity) == ("pass", "h.com", "helo")
    assert (await spf("", helo="[192.0.2.9]")).result == "none"


async def test_it_makes_an_explanation_harmless() -> None:
    found = await spf("bob@h.com")
    assert found.explanation == "Line one  Line two [2J for bob"
    assert "\n" not in found.reason


@pytest.mark.parametrize(
    ("sender", "wanted"),
    [
        ("u@slow.example", "temperror"),
        ("u@broken.example", "temperror"),
        ("u@include-slow.example", "temperror"),
        ("u@exp-slow.example", "fail"),
        ("u@bad.example", "permerror"),
        ("u@deep.example", "permerror"),
        ("u@soft.example", "softfail"),
        ("u@neutral.example", "neutral"),
        ("u@nothing.example", "none"),
        ("a@user.example", "pass"),
        ("b@user.example", "fail"),
        ("ü\ud800@user.example", "fail"),
    ],
)
async def test_it_tells_results_apart(sender: str, wanted: str) -> None:
    found = await spf(sender)
    assert found.result == wanted, found.reason
    assert found.reason


async def test_a_match_before_the_failure_settles_it() -> None:
    assert (await spf("u@early.example", "192.0.2.1")).result == "pass"
    assert (await spf("u@early-mx.example", "192.0.2.1")).result == "pass"  # hosts by preference, §5.4
    assert (await spf("u@early-mx.example", "192.0.2.2")).result == "temperror"


class Slow:
    """A source that answers after a moment, in any order."""

    def __init__(self) -> None:
        self.inner = over(ZONE)
        self.rounds = 0

    async def query(self, name: str, rrtype: RrType) -> DnsAnswer:
        self.rounds += 1
        await asyncio.sleep(hash(name) % 5 / 1000)
        return await self.inner.lookup(name, rrtype)


async def test_many_checks_at_once_do_not_mix() -> None:
    resolver = Resolver(Slow())
    questions = [(f"192.0.2.{n % 4}", "u@mx.example") for n in range(40)]
    questions += [
        ("192.0.2.77", "u@h.com"),
        ("198.51.100.1", "bob@h.com"),
        ("192.0.2.1", "u@bad.example"),
    ] * 20
    found = await asyncio.gather(*(check_spf(ip, sender, "x.example", resolver) for ip, sender in questions))
    for (ip, sender), one in zip(questions, found, strict=True):
        alone = await check_spf(ip, sender, "x.example", over(ZONE))
        assert one == alone


async def test_a_warm_cache_needs_no_question() -> None:
    source = Slow()
    resolver = Resolver(source)
    first = await check_spf("192.0.2.2", "u@mx.example", "x.example", resolver)
    asked = source.rounds
    assert await check_spf("192.0.2.2", "u@mx.example", "x.example", resolver) == first
    assert first.result == "pass"
    assert source.rounds == asked == 4


async def test_it_asks_a_real_server() -> None:
    with dns_server(ZONE) as server:
        resolver = Resolver.over_network([server.address], timeout=0.4)
        assert (await check_spf("192.0.2.2", "u@mx.example", "x", resolver)).result == "pass"
        assert (await check_spf("192.0.2.2", "u@slow.example", "x", resolver)).result == "temperror"
        assert (await check_spf("192.0.2.2", "u@nothing.example", "x", resolver)).result == "none"
