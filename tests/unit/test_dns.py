"""The resolver against real DNS servers on loopback, and zones as files."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import dns.name
import pytest

from relaydesk.dns.records import DnsAnswer, NoData, NxDomain, RecordSet, RrType, TempFail
from relaydesk.dns.resolver import CacheLimits, NameServers, Resolver, name_server
from relaydesk.dns.zone import ZoneError, ZoneSource, parse_zone
from relaydesk.dns.zone_server import ZoneServer
from relaydesk_testkit.zones import dns_server

LONG = "v=spf1 " + " ".join(f"ip4:192.0.2.{number}" for number in range(256)) + " -all"
ZONE: dict[str, Any] = {
    "shop.example": [
        {"TXT": LONG},
        {"A": "192.0.2.7"},
        {"AAAA": "2001:DB8::7"},
        {"MX": [10, "mx.shop.example"]},
    ],
    "alias.example": [{"CNAME": "Shop.Example."}],
    "loop.example": [{"CNAME": "pool.example"}],
    "pool.example": [{"CNAME": "loop.example"}],
    "dead.example": [{"CNAME": "gone.example"}],
    "slow.example": ["TIMEOUT"],
    "broken.example": ["SERVFAIL"],
    "half.example": [{"TXT": "here"}, "TIMEOUT"],
    "a.b.deep.example": [{"A": "192.0.2.9"}],
    "7.2.0.192.in-addr.arpa": [{"PTR": "mail.shop.example"}],
    "bytes.example": [{"TXT": ["one ", "two"]}, {"TXT": 'a"b\\c \x80'}],
}
ANSWERS: list[tuple[str, RrType, DnsAnswer]] = [
    ("shop.example", "TXT", RecordSet((LONG.encode(),), 60)),
    ("SHOP.example.", "A", RecordSet(("192.0.2.7",), 60)),
    ("shop.example", "AAAA", RecordSet(("2001:db8::7",), 60)),
    ("shop.example", "MX", RecordSet(((10, "mx.shop.example"),), 60)),
    ("alias.example", "A", RecordSet(("192.0.2.7",), 60)),
    ("dead.example", "A", NxDomain(60)),
    ("broken.example", "TXT", TempFail("servfail")),
    ("half.example", "TXT", RecordSet((b"here",), 60)),
    ("shop.example", "PTR", NoData(60)),
    ("deep.example", "A", NoData(60)),
    ("nothing.example", "A", NxDomain(60)),
    ("7.2.0.192.in-addr.arpa", "PTR", RecordSet(("mail.shop.example",), 60)),
    ("bytes.example", "TXT", RecordSet((b"one two", b'a"b\\c \x80'), 60)),
]


async def test_it_reads_every_answer_of_an_independent_server() -> None:
    with dns_server(ZONE, ttl=60) as server:
        source = NameServers([server.address], timeout=3)
        for name, rrtype, wanted in ANSWERS:
            assert await source.query(name.lower().rstrip("."), rrtype) == wanted, (name, rrtype)


async def test_it_reads_every_answer_of_our_server_and_of_the_zone_itself() -> None:
    zone = parse_zone(ZONE, ttl=60)
    async with ZoneServer(zone) as server:
        source = NameServers([server.address], timeout=3)
        for name, rrtype, wanted in ANSWERS:
            found = await source.query(name.lower().rstrip("."), rrtype)
            if isinstance(found, RecordSet):  # records of one answer have no order (RFC 2181 §5)
                found = RecordSet(tuple(sorted(found.records, key=repr, reverse=True)), found.ttl)
            assert found == wanted, (name, rrtype)
            assert zone.answer(name, rrtype) == wanted, (name, rrtype)
        assert server.asked["shop.example", "TXT"] == 2, "a long answer is asked again over TCP"


async def test_it_tells_a_time_out_from_absence() -> None:
    with dns_server(ZONE) as server:
        source = NameServers([server.address], timeout=0.3)
        assert await source.query("slow.example", "TXT") == TempFail("timeout")
        assert await source.query("half.example", "A") == TempFail("timeout")
        assert parse_zone(ZONE).answer("half.example", "A") == TempFail("timeout")


async def test_it_calls_a_cname_loop_a_failure() -> None:
    assert parse_zone(ZONE).answer("loop.example", "A") == TempFail("servfail")


async def test_it_calls_a_server_that_is_not_there_a_failure() -> None:
    async with ZoneServer(parse_zone({})) as server:
        address = server.address
    found = await NameServers([address], timeout=0.5).query("shop.example", "A")
    assert isinstance(found, TempFail)


@pytest.mark.parametrize(
    "name", ["", "a..b", "x" * 64 + ".example", "münchen.example", "a." * 130 + "b", "\udc80.x"]
)
async def test_it_knows_names_that_cannot_exist(name: str) -> None:
    with dns_server({}) as server:
        assert isinstance(await NameServers([server.address]).query(name, "A"), NxDomain)
        assert not server.asked


async def test_it_uses_no_search_domain() -> None:
    with dns_server({"shop.example.search.example": [{"A": "192.0.2.1"}]}) as server:
        source = NameServers([server.address])
        source._resolver.search = [dns.name.from_text("search.example")]  # as /etc/resolv.conf would
        assert isinstance(await source.query("shop.example", "A"), NxDomain)
        assert list(server.asked) == [("shop.example", "A")]


class Counting:
    """A source whose answers wait until they are let go."""

    def __init__(self, answer: DnsAnswer) -> None:
        self.answer, self.count, self.go = answer, 0, asyncio.Event()

    async def query(self, name: str, rrtype: RrType) -> DnsAnswer:
        self.count += 1
        await self.go.wait()
        return self.answer


class Hands:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_it_asks_equal_questions_once() -> None:
    source = Counting(RecordSet(("192.0.2.1",), 60))
    resolver = Resolver(source)
    asked = [asyncio.create_task(resolver.lookup(name, "A")) for name in ("x.example", "X.Example.") * 50]
    await asyncio.sleep(0)
    source.go.set()
    assert set(await asyncio.gather(*asked)) == {source.answer}
    assert source.count == resolver.asked == 1


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (RecordSet(("192.0.2.1",), 60), 60),
        (RecordSet(("192.0.2.1",), 0), 5),
        (RecordSet(("192.0.2.1",), 10**6), 3600),
        (NxDomain(60), 60),
        (NoData(10**6), 300),
        (TempFail("timeout"), 2),
    ],
)
async def test_it_keeps_an_answer_for_its_time_within_caps(answer: DnsAnswer, kept: float) -> None:
    source, clock = Counting(answer), Hands()
    source.go.set()
    resolver = Resolver(source, clock=clock)
    await resolver.lookup("x.example", "A")
    clock.now += kept - 0.1
    assert resolver.cached("x.example", "A") == answer
    assert await resolver.lookup("x.example", "A") == answer
    assert source.count == 1
    clock.now += 0.2
    assert resolver.cached("x.example", "A") is None
    await resolver.lookup("x.example", "A")
    assert source.count == 2


async def test_it_forgets_the_answer_used_longest_ago() -> None:
    source = Counting(NxDomain())
    source.go.set()
    resolver = Resolver(source, CacheLimits(size=2))
    for name in ("a", "b", "a", "c"):
        await resolver.lookup(name, "A")
    assert resolver.cached("a", "A") and resolver.cached("c", "A") and resolver.cached("b", "A") is None


async def test_it_gives_up_at_the_deadline_and_keeps_the_answer_that_comes_later() -> None:
    source = Counting(NxDomain())
    resolver = Resolver(source)
    soon = asyncio.get_running_loop().time() + 0.01
    assert await resolver.lookup("x.example", "A", soon) == TempFail("timeout")
    source.go.set()
    await asyncio.sleep(0.01)
    assert resolver.cached("x.example", "A") == NxDomain()
    assert source.count == 1


async def test_one_slow_zone_does_not_delay_another() -> None:
    with dns_server(ZONE) as server:
        resolver = Resolver.over_network([server.address], timeout=4)
        slow = [asyncio.create_task(resolver.lookup(f"{n}.slow.example", "A")) for n in range(3)]
        slow.append(asyncio.create_task(resolver.lookup("slow.example", "A")))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        assert await resolver.lookup("shop.example", "A") == RecordSet(("192.0.2.7",), 300)
        assert time.monotonic() - started < 2
        assert not slow[-1].done()
        for task in slow:
            task.cancel()


async def test_ten_thousand_questions_of_one_domain_cost_one() -> None:
    with dns_server(ZONE) as server:
        resolver = Resolver.over_network([server.address])
        for _ in range(10_000):
            await resolver.lookup("shop.example", "A")
        assert server.asked.total() == 1


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("9.9.9.9", "9.9.9.9", 53),
        ("127.0.0.1:5353", "127.0.0.1", 5353),
        ("2620:fe::fe", "2620:fe::fe", 53),
        ("[::1]:5353", "::1", 5353),
        ("[::1]", "::1", 53),
    ],
)
def test_it_reads_name_servers(text: str, host: str, port: int) -> None:
    server = name_server(text)
    assert (server.address, server.port) == (host, port)


@pytest.mark.parametrize("text", ["dns.example", "", "9.9.9.9:x", "1.2.3", "[::1]5353x"])
def test_it_names_what_is_no_name_server(text: str) -> None:
    with pytest.raises(ValueError, match="is not a name server; use an address"):
        Resolver.over_network([text])


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (["x"], "A zone maps names to lists"),
        ({"x.example": "gone"}, "x.example: expected a list of records"),
        ({"x.example": {"A": "192.0.2.1"}}, "x.example: expected a list of records"),
        ({"x.example": ["NEVER"]}, "x.example: 'NEVER' is not a record"),
        ({"x.example": [{"A": "192.0.2.256"}]}, "x.example: '192.0.2.256' is not an address"),
        ({"x.example": [{"AAAA": "192.0.2.1"}]}, "x.example: '192.0.2.1' is not an address"),
        ({"x.example": [{"MX": "mx.example"}]}, "x.example: an MX is written"),
        ({"x.example": [{"MX": ["ten", "mx.example"]}]}, "x.example: an MX is written"),
        ({"x.example": [{"TXT": 5}]}, "x.example: a TXT is a string"),
        ({"x.example": [{"SRV": "x"}]}, "x.example: unknown record type SRV"),
        ({"x.example": [{"CNAME": 5}]}, "x.example: 5 is not a name"),
        ({5: []}, "5: 5 is not a name"),
        (None, "A zone maps names"),
    ],
)
def test_it_names_what_is_wrong_with_a_zone(mapping: object, sentence: str) -> None:
    with pytest.raises(ZoneError, match=sentence.replace("(", r"\(")):
        parse_zone(mapping)


async def test_a_zone_file_times_out_at_once() -> None:
    resolver = Resolver(ZoneSource(parse_zone(ZONE)))
    assert await resolver.lookup("slow.example", "TXT") == TempFail("timeout")


@pytest.mark.parametrize("entries", [["SERVFAIL"], "SERVFAIL", [{"SERVFAIL": True}], {"SERVFAIL": None}])
def test_it_reads_a_failure_in_any_of_its_shapes(entries: object) -> None:
    zone = parse_zone({"broken.example": entries})
    assert zone.answer("broken.example", "TXT") == TempFail("servfail")
