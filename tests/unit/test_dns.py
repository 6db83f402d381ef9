"""The resolver against real DNS servers on loopback, and zones as files."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import dns.name
import pytest

from relaydesk.dns.cache import AnswerCache, CacheLimits, zone_of
from relaydesk.dns.records import DnsAnswer, NoData, NxDomain, RecordSet, RrType, TempFail
from relaydesk.dns.resolver import NameServers, QuestionLimits, Resolver, name_server
from relaydesk.dns.zone import ZoneError, ZoneSource, parse_zone
from relaydesk.dns.zone_server import ZoneServer
from relaydesk_testkit.zones import dns_server

if TYPE_CHECKING:
    from collections.abc import Collection

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


def filled(count: int, names: str, limits: CacheLimits, *, kept: Collection[str] = ()) -> AnswerCache:
    """A cache that was given so many large answers, for ``names`` with a number in it."""
    cache = AnswerCache(limits)
    cache.kept = kept
    cache.put(("www.listed.example", "A"), NxDomain(), 0.0)
    for number in range(count):
        cache.put((names.format(number), "TXT"), RecordSet((bytes(4_000),)), 0.0)
    return cache


def test_the_cache_is_bounded_in_bytes_whatever_is_asked_for() -> None:
    limits = CacheLimits(size=1 << 20)
    for names in ("{}.example", "x.{}.example", "x{}.stranger.example", "a.b.c.d.{}.co.uk"):
        tracemalloc.start()
        cache = filled(2_000, names, limits)
        taken = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert cache.size <= limits.size
        assert taken < 1.3 * limits.size, names
    tracemalloc.start()
    cache = AnswerCache(limits)
    for number in range(20_000):  # many small ones
        cache.put((f"{number}.{number}.example", "A"), NxDomain(), 0.0)
    assert tracemalloc.get_traced_memory()[0] < 1.3 * limits.size
    tracemalloc.stop()


def test_one_zone_has_its_share_of_the_cache_and_drives_out_only_its_own() -> None:
    cache = filled(2_000, "x{}.stranger.example", CacheLimits(size=1 << 20, share=0.125))
    assert cache.size < (1 << 20) * 0.13
    assert cache.get(("www.listed.example", "A"), 1.0) == NxDomain()
    assert cache.get(("x1999.stranger.example", "TXT"), 1.0) is not None
    assert cache.get(("x0.stranger.example", "TXT"), 1.0) is None


def test_any_number_of_zones_leaves_the_kept_ones_in_the_cache() -> None:
    flood = (2_000, "x.stranger{}.example", CacheLimits(size=1 << 20))
    assert filled(*flood).get(("www.listed.example", "A"), 1.0) is None
    assert filled(*flood, kept={"listed.example"}).get(("www.listed.example", "A"), 1.0) == NxDomain()


def test_the_answer_used_longest_ago_goes_first() -> None:
    cache = filled(0, "", CacheLimits(size=25_000, share=1.0))
    for name in ("a.a", "b.b", "c.c", "a.a", "d.d", "e.e"):
        if cache.get((name, "TXT"), 0.0) is None:
            cache.put((name, "TXT"), RecordSet((bytes(4_000),)), 0.0)
    assert [name for name in ("a.a", "b.b", "c.c") if cache.get((name, "TXT"), 0.0)] == ["a.a", "c.c"]


def test_an_answer_larger_than_its_share_is_not_kept() -> None:
    cache = AnswerCache(CacheLimits(size=80_000, share=0.5))
    cache.put(("x.example", "TXT"), RecordSet((bytes(60_000),)), 0.0)
    assert cache.size == 0


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("example", "example"), ("a.example", "a.example"), ("s1._domainkey.A.example.", "a.example"),
        ("x.shop.co.uk", "shop.co.uk"), ("x.shop.uk", "shop.uk"), ("co.uk", "co.uk"), ("x.ab.de", "ab.de"),
        ("4.3.2.1.in-addr.arpa", "2.1.in-addr.arpa"),
    ],
)  # fmt: skip
def test_a_zone_is_near_enough_the_registered_name(name: str, zone: str) -> None:
    assert zone_of(name) == zone


async def test_one_zone_has_its_share_of_the_questions_and_all_are_bounded() -> None:
    source = Counting(NxDomain())
    resolver = Resolver(source, questions=QuestionLimits(size=8, kept=1, share=0.25, wait=20.0))
    asked = [asyncio.create_task(resolver.lookup(f"{n}.slow.example", "A")) for n in range(20)]
    await asyncio.sleep(0.01)
    assert source.count == 2
    asked += [asyncio.create_task(resolver.lookup(f"x.other{n}.example", "A")) for n in range(20)]
    await asyncio.sleep(0.01)
    assert source.count == 8
    resolver.keep_places(["support.listed.example"])
    asked.append(asyncio.create_task(resolver.lookup("_dmarc.listed.example", "TXT")))
    await asyncio.sleep(0.01)
    assert source.count == 9  # listed senders' questions go at once
    source.go.set()
    assert set(await asyncio.gather(*asked)) == {NxDomain()}


async def test_a_question_that_waits_too_long_for_its_turn_counts_as_a_time_out_and_is_not_kept() -> None:
    source = Counting(NxDomain())
    resolver = Resolver(source, questions=QuestionLimits(size=1, wait=0.01))
    first = asyncio.create_task(resolver.lookup("x.example", "A"))
    await asyncio.sleep(0)
    assert await resolver.lookup("y.example", "A") == TempFail("timeout")
    source.go.set()
    assert await first == NxDomain()
    assert await resolver.lookup("y.example", "A") == NxDomain()


async def test_a_zone_that_never_answers_is_left_alone_for_a_while() -> None:
    source, clock = Counting(TempFail("timeout")), Hands()
    source.go.set()
    resolver = Resolver(source, clock=clock)
    for number in range(20):
        assert await resolver.lookup(f"{number}.slow.example", "A") == TempFail("timeout")
    assert source.count == 3
    assert await resolver.lookup("x.other.example", "A") == TempFail("timeout")
    assert source.count == 4  # another zone is asked
    clock.now += 16
    source.answer = NxDomain()
    assert await resolver.lookup("x.slow.example", "A") == NxDomain()  # it is tried again, and believed
    assert await resolver.lookup("y.slow.example", "A") == NxDomain()


async def test_a_zone_that_keeps_places_is_always_asked() -> None:
    source = Counting(TempFail("timeout"))
    source.go.set()
    resolver = Resolver(source)
    resolver.keep_places(["listed.example"])
    for number in range(20):
        await resolver.lookup(f"{number}.listed.example", "A")
    assert source.count == 20


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
