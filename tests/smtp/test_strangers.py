"""What one stranger's mail makes slow delays nobody else's: heavy content, slow name servers, crowds."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from sqlalchemy import select

from relaydesk import logs
from relaydesk.bounces import bounce_address
from relaydesk.config import parts
from relaydesk.config.settings import Settings
from relaydesk.config.snapshot import read_snapshot
from relaydesk.dns.records import DnsAnswer, RrType, TempFail
from relaydesk.dns.resolver import Resolver
from relaydesk.dns.zone import Zone, parse_zone
from relaydesk.intake.gather import GatherLimits, gather
from relaydesk.intake.reading import SMALL
from relaydesk.intake.receive import Intake
from relaydesk.message.envelope import Envelope, Origin
from relaydesk.policy import content
from relaydesk.policy.allowlist import parse_allowlist
from relaydesk.process_pool import ProcessPool
from relaydesk.reasons import reason
from relaydesk.store.tables import MessageTable, TicketTable, table
from relaydesk_testkit.buyers import ZONE, Mail, forged, mail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from relaydesk.config.snapshot import Snapshot
    from relaydesk.policy.decision import Decision
    from relaydesk.store.engine import Store

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
SECRET = b"0123456789abcdef"
LISTS = "networks: [66.220.144.128/25]\nrelays: [192.0.2.0/24]\nsenders: [support.instagram.com]\n"
DIRECT = Origin("66.220.144.130", "origin", allowlisted=True, how="peer")
RELAYED = Origin(None, "relay", allowlisted=False, how="unknown")
UNLISTED = Origin("203.0.113.9", "relay", allowlisted=False, how="received")
# What the HTML reader takes longest for, of those that it reads to their end.
HEAVY = b"<blockquote><font color=#fff><table><tr><td>x<p>" * 40_000


class Slow:
    """A source that does not answer for the names of slow domains before it is let go."""

    def __init__(self) -> None:
        self.zone: Zone = parse_zone(ZONE)
        self.go, self.waiting = asyncio.Event(), 0

    async def query(self, name: str, rrtype: RrType) -> DnsAnswer:
        if "slow" not in name:
            return self.zone.answer(name, rrtype)
        self.waiting += 1
        await self.go.wait()
        return TempFail("timeout")


@pytest.fixture
def snapshot() -> Snapshot:
    conf = Settings(mailboxes=("help@shop.example",), hostname="mx.shop.example")
    whole, lists = read_snapshot(conf, secret=SECRET, hostname=conf.hostname), parse_allowlist(LISTS)
    return replace(whole, allowlist=lists, policy=parts.policy(conf, lists, secret=SECRET))


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@asynccontextmanager
async def intake(
    store: Store, source: Slow | None = None, *, seconds: float = 20.0, **limits: Any
) -> AsyncIterator[Intake]:
    pool = ProcessPool(2, seconds, first_seconds=0.0)
    with ThreadPoolExecutor(4) as workers:
        try:
            yield Intake(
                store=store,
                resolver=Resolver(source or Slow()),
                clock=lambda: NOW,
                workers=workers,
                pool=pool,
                limits=GatherLimits(**limits),
            )
        finally:
            await pool.close()


def envelope(given: Mail, origin: Origin = DIRECT, **changed: Any) -> Envelope:
    facts = {"mail_from": given.mail_from, "rcpt_to": (given.rcpt,), "raw": given.raw, **changed}
    return Envelope(origin.ip or "192.0.2.7", origin, "mx-out.facebook.com", received_at=NOW, **facts)


def stranger(number: int, domain: str = "", body: bytes = b"hello", kind: str = "plain") -> Mail:
    """A mail of a slow domain; each has its own unless it is said."""
    domain = domain or f"slow{number}.example"
    head = f"From: a@{domain}\r\nSubject: {number}\r\nMIME-Version: 1.0\r\nContent-Type: text/{kind}\r\n\r\n"
    return Mail(number, head.encode() + body + b"\r\n", mail_from=f"a@{domain}")


def marks(store: Store) -> list[tuple[str, str | None]]:
    """Queue and mark of every ticket."""
    with store.reading() as session:
        columns = table(TicketTable).c
        return [tuple(row) for row in session.connection().execute(select(columns.queue, columns.needs_look))]


def kept(store: Store) -> list[bytes]:
    with store.reading() as session:
        return list(session.connection().scalars(select(table(MessageTable).c.raw)))


def codes(decision: Decision) -> list[str]:
    return [why.code for why in decision.reasons]


# --- reading


async def test_large_mail_is_read_elsewhere_and_as_small_mail_is(
    sqlite_store: Store, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = envelope(mail(1, size=3 * SMALL)), envelope(mail(2))
    at_once = await gather(large, Resolver(Slow()), snapshot.policy, snapshot.rules)
    async with intake(sqlite_store) as taking:
        gatherer = taking._gatherer
        monkeypatch.setattr(content, "parse_message", None)  # in this process, and in no other
        gathering = await gatherer.gather(large, snapshot.policy, snapshot.rules, 20.0, NOW)
        assert gathering.gathered == at_once
        assert (await taking.receive(snapshot, large)).vouched
        assert codes(await taking.receive(snapshot, small)) == ["internal_error"]


async def test_what_takes_too_long_to_read_is_kept_for_a_person_and_not_refused_for_it(
    sqlite_store: Store, snapshot: Snapshot, log_lines: io.StringIO
) -> None:
    mails = [stranger(1, "stranger.example", HEAVY, "html"), mail(2, photo=bytes(20_000_000))]
    async with intake(sqlite_store, seconds=0.01) as taking:
        held = await taking.receive(snapshot, envelope(mails[0], RELAYED))
        genuine = await taking.receive(snapshot, envelope(mails[1]))
    assert (held.outcome, held.queue) == ("accepted", "unsorted")
    assert genuine.vouched
    assert genuine.queue in ("case", "unsorted")  # as far as From and Subject tell
    for decision in (held, genuine):
        assert "content_unread" in codes(decision)
    assert [mark for _, mark in marks(sqlite_store)] == ["content_unread"] * 2
    assert sorted(kept(sqlite_store)) == sorted(given.raw for given in mails)
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    assert [line["event"] for line in lines].count("content_unread") == 2


@pytest.mark.parametrize("origin", [RELAYED, UNLISTED], ids=["unknown origin", "unlisted origin"])
async def test_what_a_relay_hands_on_fills_no_log(
    origin: Origin, sqlite_store: Store, snapshot: Snapshot, log_lines: io.StringIO
) -> None:
    """Strangers write through the mailbox provider in front as much as they like; the listed are told all."""
    away = reason("too_slow")
    async with intake(sqlite_store) as taking:
        for number in range(40):
            broken = replace(snapshot, policy=None)  # type: ignore[arg-type]
            for come in (origin, DIRECT):
                await taking.admit(snapshot, come, "mx.example", f"a@x{number}.example", "no@shop.example")
                await taking.turned_away(come, "192.0.2.7", f"a@x{number}.example", (), away)
                await taking.receive(broken, envelope(stranger(number, "x.example"), come))
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    written = Counter(line["event"] for line in lines)
    for event in ("rcpt", "turned_away", "message"):
        assert written[event] == 10 + 40, event


async def test_a_bounce_that_takes_too_long_to_read_is_unclear(
    sqlite_store: Store, snapshot: Snapshot
) -> None:
    given = stranger(1, "stranger.example", HEAVY, "html")
    sealed = bounce_address(SECRET, 7, "shop.example", 3)
    async with intake(sqlite_store, seconds=0.01) as taking:
        came = envelope(given, mail_from="", rcpt_to=(sealed,))
        gathering = await taking._gatherer.gather(came, snapshot.policy, snapshot.rules, 20.0, NOW)
    assert gathering.gathered.dsn is not None
    assert gathering.gathered.dsn.about == "unclear"


async def test_a_bug_while_reading_is_no_slow_mail(
    sqlite_store: Store, snapshot: Snapshot, log_lines: io.StringIO
) -> None:
    broken = replace(snapshot, rules=replace(snapshot.rules, rules=(None,)))  # type: ignore[arg-type]
    async with intake(sqlite_store) as taking:
        decision = await taking.receive(broken, envelope(mail(1, size=3 * SMALL)))
        assert (decision.outcome, codes(decision)) == ("deferred", ["internal_error"])
        assert kept(sqlite_store) == []
        assert (await taking.receive(snapshot, envelope(mail(1, size=3 * SMALL)))).outcome == "accepted"
    failed, deferred = [
        line for line in map(json.loads, log_lines.getvalue().splitlines()) if line["level"] == "error"
    ]
    assert (failed["event"], deferred["event"]) == ("task_failed", "unexpected_error")
    assert "NoneType" in failed["exception"] and "in classify" in failed["exception"]


@pytest.mark.parametrize("size", [0, 3 * SMALL])
async def test_what_is_refused_is_never_read(
    size: int, sqlite_store: Store, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = forged(1)
    given = replace(given, raw=given.raw + b"x" * size)
    async with intake(sqlite_store) as taking:
        monkeypatch.setattr(content, "parse_message", None)
        monkeypatch.setattr(ProcessPool, "run", None)
        refused = await taking.receive(snapshot, envelope(given))
        elsewhere = await taking.receive(snapshot, envelope(mail(2), UNLISTED))
    assert (refused.outcome, codes(refused)[0]) == ("refused", "forged")
    assert (elsewhere.outcome, codes(elsewhere)[0]) == ("refused", "origin_not_listed")
    assert kept(sqlite_store) == []


async def test_a_stranger_leaves_a_process_to_mail_that_is_proven(
    sqlite_store: Store, snapshot: Snapshot
) -> None:
    heavy = HEAVY * 4
    async with intake(sqlite_store, seconds=30.0) as taking:
        flood = [
            asyncio.create_task(
                taking.receive(snapshot, envelope(stranger(n, f"s{n}.example", heavy, "html"), RELAYED))
            )
            for n in range(4)
        ]
        await asyncio.sleep(0.2)
        assert (await taking.receive(snapshot, envelope(mail(9, size=3 * SMALL)))).vouched
        assert not all(task.done() for task in flood)
        for task in flood:
            task.cancel()
        await asyncio.gather(*flood, return_exceptions=True)


# --- waiting for DNS


async def test_slow_name_servers_of_strangers_delay_no_listed_sender(
    sqlite_store: Store, snapshot: Snapshot
) -> None:
    source = Slow()
    async with intake(sqlite_store, source, concurrent_auth=8, turn_seconds=0.3) as taking:
        flood = [
            asyncio.create_task(taking.receive(snapshot, envelope(stranger(n), RELAYED))) for n in range(40)
        ]
        await asyncio.sleep(0.05)
        good = [await taking.receive(snapshot, envelope(mail(n), RELAYED)) for n in range(5)]
        assert all(decision.vouched for decision in good)
        put_off = [task.result() for task in flood if task.done()]
        assert len(put_off) < 40, "the flood is over; nothing was shown"
        await asyncio.sleep(0.6)
        put_off = [task.result() for task in flood if task.done()]
        # One peer, even a listed relay, has half of the places.
        assert [codes(decision) for decision in put_off] == [["auth_busy"]] * 36
        assert {decision.outcome for decision in put_off} == {"deferred"}
        source.go.set()
        rest = [await task for task in flood]
        assert {code for decision in rest for code in codes(decision)} == {"auth_busy", "auth_unknown"}


async def test_what_is_refused_for_its_origin_asks_no_name_server(
    sqlite_store: Store, snapshot: Snapshot, log_lines: io.StringIO
) -> None:
    source = Slow()
    async with intake(sqlite_store, source) as taking, asyncio.timeout(20):
        for number in range(40):
            refused = await taking.receive(snapshot, envelope(stranger(number), UNLISTED))
            assert (refused.outcome, codes(refused)) == ("refused", ["origin_not_listed"])
        assert taking.resolver.asked == 0
        # A listed sender's SPF may say that the list is out of date.
        await taking.receive(snapshot, envelope(mail(1), UNLISTED))
        assert taking.resolver.asked > 0
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    refusals = [line for line in lines if line.get("code") == "origin_not_listed"]
    assert refusals and refusals[0]["auth"] is None


async def test_one_domain_holds_its_share_only_whoever_brings_its_mail(
    sqlite_store: Store, snapshot: Snapshot
) -> None:
    source = Slow()
    async with intake(sqlite_store, source, concurrent_auth=8, turn_seconds=20.0) as taking:
        peers = [
            replace(envelope(stranger(n, f"x{n}.slow.example"), RELAYED), peer=f"192.0.2.{n}")
            for n in range(8)
        ]
        flood = [asyncio.create_task(taking.receive(snapshot, came)) for came in peers]
        await asyncio.sleep(0.05)
        assert source.waiting == 2
        other = stranger(99, "quick.example")
        assert (await taking.receive(snapshot, envelope(other, RELAYED))).outcome == "accepted"
        source.go.set()
        await asyncio.gather(*flood)


async def test_a_stranger_that_signs_for_a_listed_sender_too_is_a_stranger(
    sqlite_store: Store, snapshot: Snapshot
) -> None:
    """Every domain that is asked for counts, wherever it stands."""
    source = Slow()
    signature = b"DKIM-Signature: v=1; a=rsa-sha256; d=slow.example; s=s; h=from; bh=AAAA; b=AAAA\r\n"
    async with intake(sqlite_store, source, concurrent_auth=4, turn_seconds=0.05) as taking:
        came = [envelope(replace(mail(n), raw=signature + mail(n).raw), RELAYED) for n in range(4)]
        flood = [asyncio.create_task(taking.receive(snapshot, one)) for one in came]
        await asyncio.sleep(0.3)
        assert [task.done() for task in flood].count(True) == 3
        source.go.set()
        await asyncio.gather(*flood)


# --- drift, asked at RCPT


async def test_drift_is_asked_once_for_each_network_at_a_time_and_remembered(
    sqlite_store: Store, snapshot: Snapshot
) -> None:
    source = Slow()
    async with intake(sqlite_store, source) as taking:

        async def admit(number: int, domain: str = "support.instagram.com") -> str:
            origin = Origin("203.0.113.9", "none", allowlisted=False, how="peer")
            sender = f"{number}@{domain}"
            admission = await taking.admit(snapshot, origin, "x.example", sender, "help@shop.example")
            assert admission.reason is not None
            return admission.reason.code

        slow = [asyncio.create_task(admit(n, f"slow{n}.support.instagram.com")) for n in range(20)]
        await asyncio.sleep(0.05)
        assert source.waiting == 1
        source.go.set()
        assert set(await asyncio.gather(*slow)) == {"no_role"}
        before = taking.resolver.asked
        assert {await admit(n) for n in range(50)} == {"no_role"}
        assert taking.resolver.asked <= before + 3
