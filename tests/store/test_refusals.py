"""The tally of what was turned away."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.store import refusals
from relaydesk.store.refusals import RefusalKey, count_refusal, network_of
from relaydesk_testkit.arriving import NOON

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.store.engine import Store

DAY = date(2026, 11, 24)


def count(store: Store, refused: RefusalKey, number: int = 1, at: datetime = NOON) -> None:
    with store.transaction() as session:
        count_refusal(session, refused, number, at)


def tally(store: Store, text: str = "") -> list[tuple[str, str, str, int]]:
    with store.reading() as session:
        found = refusals.search(
            session, since=NOON - timedelta(days=9), until=NOON + timedelta(days=9), text=text
        )
    return sorted((line.code, line.network, line.from_domain, line.count) for line in found)


def test_it_adds_up_by_day_reason_network_and_domain(store: Store) -> None:
    count(store, RefusalKey(DAY, "no_role", "203.0.113.5", "Evil.example"))
    count(store, RefusalKey(DAY, "no_role", "203.0.113.77", "evil.example"), 4, NOON + timedelta(hours=1))
    count(store, RefusalKey(DAY, "forged", "2001:db8:1:2::3", "facebook.com"))
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


def test_it_is_bounded_a_day_and_forgets_old_days(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "DAILY_ROWS", 2)
    count(store, RefusalKey(DAY - timedelta(days=500), "no_role", "", "old.example"))
    for number in range(5):
        count(store, RefusalKey(DAY, "no_role", f"10.0.{number}.1", f"{number}.example"))
    assert tally(store) == [
        ("no_role", "", "", 3),
        ("no_role", "10.0.0.0/24", "0.example", 1),
        ("no_role", "10.0.1.0/24", "1.example", 1),
    ]
    with store.reading() as session:
        assert len(refusals.search(session, since=NOON - timedelta(days=999), until=NOON)) == 3


@pytest.mark.parametrize(
    ("ip", "network"),
    [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:aa:bb::1", "2001:db8:aa::/48"), ("", ""), ("unknown", "")],
)
def test_it_names_the_network_around_an_address(ip: str, network: str) -> None:
    assert network_of(ip) == network
