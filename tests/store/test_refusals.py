"""The tally of what was turned away: exact for few, bounded for many, and nobody pushes out anybody else."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.intake.refused import MOST_KEYS, RefusalCounter, standing_of
from relaydesk.message.envelope import Origin
from relaydesk.store import refusals
from relaydesk.store.engine import Store
from relaydesk.store.errors import StoreUnavailable
from relaydesk.store.refusals import (
    OF_DAY,
    OF_LISTED,
    OF_NETWORK,
    OF_WIDE,
    OTHERS,
    RefusalKey,
    RefusalStanding,
    RefusalTally,
    network_of,
    refusal_key,
    wide_network_of,
)
from relaydesk_testkit.arriving import NOON

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

DAY = date(2026, 11, 24)


def refused(
    ip: str, domain: str, code: str = "no_role", standing: RefusalStanding = "stranger", day: date = DAY
) -> RefusalKey:
    return refusal_key(day, code, ip, domain, standing)


def count(store: Store, *keys: RefusalKey, number: int = 1, at: datetime = NOON) -> None:
    refusals.write(store, {key: RefusalTally(number, at, at) for key in keys})


def tally(store: Store, text: str = "") -> list[tuple[str, str, str, int]]:
    with store.reading() as session:
        lines = refusals.search(
            session,
            since=NOON - timedelta(days=9),
            until=NOON + timedelta(days=9),
            text=text,
            limit=100_000,
        )
    return sorted((line.code, line.network, line.from_domain, line.count) for line in lines)


def test_it_adds_up_by_day_reason_network_and_domain(store: Store) -> None:
    count(store, refused("203.0.113.5", "Evil.example"))
    count(store, refused("203.0.113.77", "evil.example"), number=4, at=NOON + timedelta(hours=1))
    count(store, refused("2001:db8:1:2::3", "facebook.com", "forged"))
    assert tally(store) == [
        ("forged", "2001:db8:1::/48", "facebook.com", 1),
        ("no_role", "203.0.113.0/24", "evil.example", 5),
    ]
    assert tally(store, "203.0.113.200") == [("no_role", "203.0.113.0/24", "evil.example", 5)]
    assert tally(store, "forged")[0][3] == 1
    assert tally(store, "nothing") == []
    with store.reading() as session:
        line = refusals.search(session, since=NOON, until=NOON, text="no_role")[0]
    assert (line.first_at, line.last_at) == (NOON, NOON + timedelta(hours=1))


def strangers(number: int, ip: str = "198.51.100.7") -> Iterable[RefusalKey]:
    """One stranger, always by another name."""
    return (refused(ip, f"{name}.evil.example") for name in range(number))


def test_one_stranger_takes_a_few_rows_whatever_names_it_takes(store: Store) -> None:
    for _ in range(3):  # as from several processes, or after a restart
        count(store, *strangers(3 * OF_NETWORK))
    rows = tally(store)
    assert len(rows) == OF_NETWORK + 1
    assert sum(row[3] for row in rows) == 9 * OF_NETWORK
    assert ("no_role", "198.51.100.0/24", OTHERS, 6 * OF_NETWORK) in rows
    count(store, refused("203.0.113.5", "shop.example"), refused("198.51.100.9", "neighbour.example"))
    assert ("no_role", "203.0.113.0/24", "shop.example", 1) in tally(store)
    assert ("no_role", "198.51.100.0/24", OTHERS, 6 * OF_NETWORK + 1) in tally(store)


def test_who_holds_a_whole_wide_network_takes_its_share(store: Store) -> None:
    """As one stranger may with an IPv6 /32: 65,536 networks of their own."""
    count(store, *(refused(f"2001:db8:{n:x}::1", f"{n}.example") for n in range(5 * OF_WIDE)))
    rows = tally(store)
    assert len(rows) == OF_WIDE + 1
    assert ("no_role", "2001:db8::/32", OTHERS, 4 * OF_WIDE) in rows
    # Whoever asks for an address of it sees what was added up.
    assert ("no_role", "2001:db8::/32", OTHERS, 4 * OF_WIDE) in tally(store, "2001:db8:ffff::1")
    count(store, refused("2001:db9::1", "shop.example"))
    assert ("no_role", "2001:db9::/48", "shop.example", 1) in tally(store)


def test_a_day_of_strangers_from_everywhere_is_bounded_and_keeps_those_seldom_seen(store: Store) -> None:
    everywhere = [
        refused(f"{11 + n // 250}.{n % 250}.{m}.1", f"{n}-{m}.example") for n in range(300) for m in range(40)
    ]
    count(store, *everywhere)
    rows = tally(store)
    assert OF_DAY // 2 < len(rows) <= OF_DAY + 1
    assert sum(row[3] for row in rows) == len(everywhere)
    count(store, refused("203.0.113.5", "late.example"))
    assert ("no_role", "203.0.113.0/24", "late.example", 1) in tally(store) or len(rows) >= OF_DAY


def test_drift_and_the_list_are_apart_from_all_strangers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "OF_DAY", 40)
    count(store, *(refused(f"{n}.0.0.1", f"{n}.example") for n in range(11, 91)))
    count(
        store,
        refused("203.0.113.5", "facebookmail.com", "drift", "sender"),
        *(refused("66.220.144.1", f"{n}.example", "forged", "listed") for n in range(2 * OF_LISTED)),
        refused("66.220.144.1", "support.facebook.com", "auth_unknown", "sender"),
    )
    rows = tally(store)
    assert ("drift", "203.0.113.0/24", "facebookmail.com", 1) in rows
    assert ("auth_unknown", "66.220.144.0/24", "support.facebook.com", 1) in rows
    assert ("forged", "66.220.144.0/24", OTHERS, OF_LISTED) in rows
    assert ("no_role", OTHERS, OTHERS, 40) in rows
    assert len([row for row in rows if row[0] == "no_role"]) == 41


def test_it_forgets_old_days(store: Store) -> None:
    count(store, refused("203.0.113.5", "old.example", day=DAY - timedelta(days=500)))
    count(store, refused("203.0.113.5", "new.example"))
    with store.reading() as session:
        lines = refusals.search(session, since=NOON - timedelta(days=999), until=NOON)
    assert [line.from_domain for line in lines] == ["new.example"]


def test_processes_that_write_the_same_rows_wait_for_none_of_each_other(store: Store) -> None:
    keys = [refused(f"198.51.{n}.7", f"{n}.example") for n in range(90)]

    def process(number: int) -> None:
        for _ in range(5):
            count(store, *(keys if number % 2 else reversed(keys)))

    with ThreadPoolExecutor(4) as processes:
        list(processes.map(process, range(4)))
    assert {row[3] for row in tally(store)} == {20}


def test_what_is_counted_in_memory_is_bounded_and_nothing_is_lost() -> None:
    counter = RefusalCounter()
    for number in range(30_000):
        ip = f"{11 + number % 200}.{number % 251}.{number % 7}.1"
        counter.count(NOON, "no_role", ip, f"{number}.example", "listed")
    assert len(list(counter)) <= MOST_KEYS + 1
    assert counter.total == 30_000
    for days in range(1, 100):  # the store is away for months
        for number in range(50):
            at = NOON + timedelta(days=days)
            counter.count(at, "no_role", f"{11 + number}.0.0.1", f"{number}.example", "stranger")
    assert len(list(counter)) <= MOST_KEYS + 100
    assert counter.total == 30_000 + 99 * 50


def test_what_the_store_does_not_take_waits(sqlite_url: str) -> None:
    store = Store.open(sqlite_url, lock_timeout=0.1)
    counter = RefusalCounter()
    counter.count(NOON, "no_role", "203.0.113.5", "a.example", "stranger")
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        taken = counter.take()
        with pytest.raises(StoreUnavailable):
            refusals.write(store, taken)
        counter.count(NOON, "no_role", "203.0.113.5", "a.example", "stranger")
        counter.give_back(taken)
        other.execute("ROLLBACK")
    taken = counter.take()
    refusals.write(store, taken)
    assert (taken, counter.total) == ({}, 0)
    assert tally(store) == [("no_role", "203.0.113.0/24", "a.example", 2)]
    store.close()


ORIGIN = Origin("66.220.144.1", "origin", allowlisted=True, how="peer")


@pytest.mark.parametrize(
    ("origin", "code", "from_sender", "standing"),
    [
        (ORIGIN, "forged", False, "listed"),
        (ORIGIN, "forged", True, "sender"),
        (Origin("203.0.113.5", "none", allowlisted=False, how="peer"), "no_role", True, "stranger"),
        (Origin("203.0.113.5", "none", allowlisted=False, how="peer"), "drift", True, "sender"),
        (Origin("203.0.113.5", "relay", allowlisted=False, how="peer"), "not_ours", False, "listed"),
        (Origin("203.0.113.5", "relay", allowlisted=False, how="received"), "forged", True, "stranger"),
        (Origin(None, "relay", allowlisted=False, how="unknown"), "forged", False, "listed"),
    ],
)
def test_it_knows_strangers_from_the_list(
    origin: Origin, code: str, from_sender: bool, standing: RefusalStanding
) -> None:
    assert standing_of(origin, code, from_sender=from_sender) == standing


@pytest.mark.parametrize(
    ("ip", "network", "wide"),
    [
        ("192.0.2.77", "192.0.2.0/24", "192.0.0.0/16"),
        ("2001:db8:aa:bb::1", "2001:db8:aa::/48", "2001:db8::/32"),
        ("", "", ""),
        ("unknown", "", ""),
        (OTHERS, "", ""),
    ],
)
def test_it_names_the_networks_around_an_address(ip: str, network: str, wide: str) -> None:
    assert network_of(ip) == network
    assert wide_network_of(network) == wide


def test_a_domain_cannot_pose_as_what_was_added_up() -> None:
    assert refused("203.0.113.5", OTHERS).from_domain == ""
    assert len(refused("203.0.113.5", "x" * 9000).from_domain) == 255
