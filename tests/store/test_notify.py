"""Webhooks and digests: what is told to whom, once, signed, and tried again."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_string
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from relaydesk.business_time.calendar import Calendar
from relaydesk.clocks.timekeeper import sweep
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import CONSOLE, NotPermitted
from relaydesk.notify.deliver import Deliverer
from relaydesk.notify.digest import DIGEST_WAITS, DigestFrom, write_digests
from relaydesk.notify.gather import gather_news
from relaydesk.outbound.answer import HopReply
from relaydesk.store import webhooks
from relaydesk.store.lists import TicketFilter
from relaydesk.store.preferences import Preferences
from relaydesk_testkit.arriving import NOON, open_ticket
from tests.support.desk import ADA, ALICE, desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_httpserver import HTTPServer

    from relaydesk.store.engine import Store

SHOP = DigestFrom("Example Shop", "help@shop.example", "https://desk.shop.example", Calendar.default())


@dataclass
class Hop:
    """Takes mail as the next hop would."""

    replies: list[int] = field(default_factory=list)
    taken: list[tuple[str, str, bytes]] = field(default_factory=list)

    async def deliver(self, envelope_from: str, recipient: str, raw: bytes) -> HopReply:
        self.taken.append((envelope_from, recipient, raw))
        return HopReply(self.replies.pop(0) if self.replies else 250, "Ok", "data")


@pytest.fixture
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def deliver(store: Store, workers: ThreadPoolExecutor, now: datetime, hop: Hop | None = None) -> int:
    async def round_() -> int:
        deliverer = Deliverer(store, "test", lambda: now, workers, hop, "help@shop.example")
        return await deliverer.round()

    return asyncio.run(round_())


def hook(store: Store, server: HTTPServer, *events: str) -> tuple[int, str]:
    chosen = {"events": events} if events else {}
    return desk(store).webhooks.add(server.url_for("/hook"), by=ADA, **chosen)  # type: ignore[arg-type]


def test_a_ticket_that_opens_is_told_once_and_signed(
    store: Store, workers: ThreadPoolExecutor, httpserver: HTTPServer
) -> None:
    posted: list[tuple[dict[str, str], bytes]] = []

    def take(request: Any) -> Response:
        posted.append((dict(request.headers), request.get_data()))
        return Response("thanks")

    httpserver.expect_request("/hook", method="POST").respond_with_handler(take)
    number, secret = hook(store, httpserver)
    gather_news(store, NOON, address="https://desk.shop.example")  # from here on
    ticket = open_ticket(store)
    assert gather_news(store, NOON, address="https://desk.shop.example") == 1
    assert gather_news(store, NOON, address="https://desk.shop.example") == 0
    assert deliver(store, workers, NOON) == 1
    assert deliver(store, workers, NOON) == 0
    [(headers, body)] = posted
    news = json.loads(body)
    assert (news["type"], news["ticket"]["id"]) == ("ticket.opened", ticket)
    assert news["ticket"]["url"] == f"https://desk.shop.example/tickets/{ticket}"
    assert "Where is my order" not in body.decode()
    signed = b".".join((headers["Webhook-Id"].encode(), headers["Webhook-Timestamp"].encode(), body))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
    assert headers["Webhook-Signature"] == f"v1,{expected}"
    assert headers["Webhook-Timestamp"] == str(int(NOON.timestamp()))
    [row] = desk(store).webhooks.log(number, by=ADA)
    assert (row.state, row.last_code, row.last_text) == ("sent", 200, "thanks")


def test_it_is_tried_again_with_pauses_and_given_up_after_a_day(
    store: Store, workers: ThreadPoolExecutor, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("not now", status=503)
    hook(store, httpserver)
    gather_news(store, NOON, address="")
    open_ticket(store)
    gather_news(store, NOON, address="")
    now, tries = NOON, []
    while True:
        [row] = desk(store).webhooks.log(by=ADA)
        if row.state == "failed":
            break
        now = row.next_try_at
        tries.append(now - NOON)
        assert deliver(store, workers, now) == 1
    assert tries[:4] == [timedelta(0), timedelta(seconds=30), timedelta(seconds=90), timedelta(seconds=210)]
    assert tries[-2] < timedelta(hours=24) <= tries[-1]
    assert (row.last_code, row.last_text) == (503, "not now")
    desk(store, now).webhooks.again(row.id, by=ADA)
    httpserver.clear()
    httpserver.expect_request("/hook").respond_with_data("ok")
    assert deliver(store, workers, now) == 1
    assert desk(store).webhooks.log(by=ADA)[0].state == "sent"


def test_a_receiver_that_wants_no_more_gets_no_more(
    store: Store, workers: ThreadPoolExecutor, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("gone", status=410)
    number, _ = hook(store, httpserver)
    desk(store).webhooks.try_out(number, by=ADA)
    assert deliver(store, workers, NOON) == 1
    [row] = desk(store).webhooks.everything(by=ADA)
    assert not row.active
    assert "410" in row.stopped_because
    gather_news(store, NOON, address="")
    open_ticket(store)
    assert gather_news(store, NOON, address="") == 0
    with pytest.raises(DeskError, match="no active webhook"):
        desk(store).webhooks.try_out(number, by=ADA)


def test_no_redirect_is_followed_and_an_address_that_does_not_answer_is_told(
    store: Store, workers: ThreadPoolExecutor, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("", status=307, headers={"Location": "/other"})
    number, _ = hook(store, httpserver)
    closed, _ = desk(store).webhooks.add("http://127.0.0.1:1/hook", by=ADA)
    for one in (number, closed):
        desk(store).webhooks.try_out(one, by=ADA)
    assert deliver(store, workers, NOON) == 2
    rows = {row.webhook_id: row for row in desk(store).webhooks.log(by=ADA)}
    assert (rows[number].state, rows[number].last_code) == ("queued", 307)
    assert rows[closed].last_code == 0
    assert "Connect" in rows[closed].last_text


def test_it_is_told_only_what_it_wants_to_hear(store: Store, httpserver: HTTPServer) -> None:
    hook(store, httpserver, "ticket.breached")
    gather_news(store, NOON, address="")
    open_ticket(store)
    assert gather_news(store, NOON, address="") == 0
    sweep(store, NOON + timedelta(hours=50))
    assert gather_news(store, NOON + timedelta(hours=50), address="") == 1


def test_events_that_appear_late_are_told_too(store: Store, httpserver: HTTPServer) -> None:
    """On PostgreSQL a number may be given out before, and be seen after, a higher one."""
    hook(store, httpserver)
    gather_news(store, NOON, address="")
    open_ticket(store)
    with store.transaction() as session:  # as if somebody had looked while the ticket's commit was under way
        webhooks.advance(session, "webhooks", webhooks.latest_event(session) + 3, NOON)
    assert gather_news(store, NOON + timedelta(seconds=1), address="") == 1


def test_who_may_and_what_is_no_address(store: Store) -> None:
    hooks = desk(store).webhooks
    with pytest.raises(NotPermitted):
        hooks.add("https://a.example/", by=ALICE)
    for url in (
        "ftp://a.example/",
        "https://",
        "https://u:p@a.example/",
        "a.example",
        "https://a.example/\n",
    ):
        with pytest.raises(DeskError, match="not an address for a webhook"):
            hooks.add(url + ("x" if url.endswith("\n") else ""), by=ADA)
    with pytest.raises(DeskError, match="is not a type of event"):
        hooks.add("https://a.example/", ["ticket.eaten"], by=ADA)


# --- digests


def mail(store: Store) -> list[str]:
    with store.reading() as session:
        assert all(row.what == "digest" for row in webhooks.log(session))
    with store.transaction() as session:
        claimed = webhooks.claim(session, "t", NOON + timedelta(days=9), timedelta(1), 99)
        return [news.body for news in claimed]


def late(store: Store, *, assignee: str | None = "alice", tickets: int = 12) -> datetime:
    """So many tickets of one agent, all past their deadline; the moment."""
    here = desk(store)
    here.agents.change("alice", email="alice@shop.example", by=CONSOLE)
    here.agents.change("bob", email="bob@shop.example", by=CONSOLE)
    assert write_digests(store, SHOP, NOON) == 0
    with store.transaction() as session:
        webhooks.advance(session, "digests", webhooks.latest_event(session), NOON)
    for number in range(tickets):
        ticket = open_ticket(store, name=f"buyer{number}")
        if assignee:
            here.tickets.assign(ticket, assignee, by=ALICE)
    now = NOON + timedelta(hours=49)
    sweep(store, now)
    return now


def test_one_digest_for_many_tickets_goes_to_who_has_them(store: Store) -> None:
    now = late(store)
    assert write_digests(store, SHOP, now) == 1
    assert write_digests(store, SHOP, now) == 0
    [text] = mail(store)
    message = message_from_string(text)
    assert (message["To"], message["Auto-Submitted"]) == ("alice@shop.example", "auto-generated")
    assert message["Subject"] == "relaydesk: 12 past the deadline"
    assert len(re.findall(r"/tickets/\d+", message.get_payload())) == 12


def test_what_nobody_has_is_told_to_the_leads(store: Store) -> None:
    now = late(store, assignee=None, tickets=2)
    assert write_digests(store, SHOP, now) == 1
    assert message_from_string(mail(store)[0])["To"] == "bob@shop.example"


def test_who_wants_no_mail_gets_none_and_nobody_does_in_their_place(store: Store) -> None:
    now = late(store, tickets=1)
    desk(store).accounts.change_preferences(Preferences(notify_mail=False), by=ALICE)
    assert write_digests(store, SHOP, now) == 0
    desk(store).accounts.change_preferences(Preferences(), by=ALICE)
    open_ticket(store, name="more", at=now)
    later = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)  # a Monday
    here = desk(store, later)
    here.tickets.assign(here.queues.page(TicketFilter(assignee="")).tickets[0].id, "alice", by=ALICE)
    sweep(store, later)
    assert write_digests(store, SHOP, later) == 1


def test_nobody_is_woken_at_night_and_it_is_told_in_the_morning(store: Store) -> None:
    calendar = Calendar.from_mapping(
        {"zone": "UTC", "hours": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}}
    )
    shop = DigestFrom("Shop", "help@shop.example", "", calendar)
    now = late(store, tickets=1)
    night = datetime(2026, 11, 26, 23, 0, tzinfo=UTC)
    assert now < night
    assert write_digests(store, shop, night) == 0
    assert write_digests(store, shop, datetime(2026, 11, 27, 9, 0, tzinfo=UTC)) == 1


def test_digests_wait_for_one_another(store: Store) -> None:
    now = late(store, tickets=1)
    assert write_digests(store, SHOP, now) == 1
    open_ticket(store, name="more")
    sweep(store, now + timedelta(hours=60))
    soon = now + DIGEST_WAITS - timedelta(seconds=1)
    assert write_digests(store, SHOP, soon) == 0


def test_what_was_settled_meanwhile_is_not_told(store: Store) -> None:
    now = late(store, tickets=1)
    here = desk(store, now)
    [row] = here.queues.page(TicketFilter()).tickets
    here.tickets.close(row.id, by=ALICE)
    assert write_digests(store, SHOP, now) == 0


def test_a_digest_leaves_by_the_next_hop_and_is_tried_again(
    store: Store, workers: ThreadPoolExecutor
) -> None:
    now = late(store, tickets=1)
    write_digests(store, SHOP, now)
    hop = Hop(replies=[451, 250])
    assert deliver(store, workers, now, hop) == 1
    assert deliver(store, workers, now + timedelta(minutes=1), hop) == 1
    assert [(sender, recipient) for sender, recipient, _ in hop.taken] == [
        ("help@shop.example", "alice@shop.example")
    ] * 2
    assert b"\r\n" in hop.taken[0][2]
    assert b"\n" not in hop.taken[0][2].replace(b"\r\n", b"")
