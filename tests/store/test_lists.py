"""What lists show and count: whose turn it is, a line of the customer's words, views that are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from relaydesk.classify import excerpt_of
from relaydesk.desk.config import DeskError, NotThere
from relaydesk.desk.permissions import NotPermitted
from relaydesk.message.message import Body, Message, Passage
from relaydesk.store.lists import TicketFilter
from relaydesk.web.groups import Horizon, group_of
from relaydesk_testkit.arriving import NOON, open_ticket, planned
from tests.store.test_schema import older
from tests.support.desk import ALICE, BOB, desk

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)


def listed(store: Store, now: datetime = NOON, **wanted: Any) -> list[int]:
    return [row.id for row in desk(store, now).queues.page(TicketFilter(**wanted)).tickets]


def test_it_is_the_customers_turn_when_an_answer_has_left_and_no_clock_runs(store: Store) -> None:
    first, second = open_ticket(store, name="a"), open_ticket(store, name="b")
    handled = open_ticket(store, name="c", clocks=(planned("handling"),))
    assert listed(store, waiting=True) == []
    later = desk(store, NOON + 3 * HOUR)
    later.tickets.state_answered_elsewhere(second, at=NOON + HOUR, by=ALICE)
    later.tickets.state_answered_elsewhere(first, at=NOON + 2 * HOUR, by=ALICE)
    later.tickets.state_handled(handled, at=NOON + HOUR, how="Paid.", by=ALICE)
    assert listed(store, waiting=True) == [second, first]  # the longest first
    page = later.queues.page(TicketFilter(waiting=True), limit=1)
    rest = later.queues.page(TicketFilter(waiting=True), after=page.after, limit=1)
    assert [row.id for row in (*page.tickets, *rest.tickets)] == [second, first]
    assert later.queues.all_counts().waiting == 2
    later.tickets.close(first, by=ALICE)
    assert listed(store, waiting=True) == [second]
    later.tickets.reopen(first, by=ALICE)
    assert listed(store, waiting=True) == [second, first]


def test_rare_tickets_are_found_by_each_filter(store: Store) -> None:
    plain = open_ticket(store, name="plain")
    doubtful = open_ticket(store, name="doubtful", vouched=False)
    claim = open_ticket(store, name="claim", kind="claim")
    with store.transaction() as session:
        change = "UPDATE ticket SET escalated = true, contact_reason = 'return_request' WHERE id = :id"
        session.connection().execute(text(change), {"id": plain})
    assert listed(store, verified=False) == [doubtful]
    assert listed(store, escalated=True) == listed(store, contact_reason="return_request") == [plain]
    assert listed(store, escalated=False) == [doubtful, claim]
    assert listed(store, kinds=("claim", "chargeback")) == [claim]


def test_everything_is_counted_at_once_and_anew_when_something_happened(store: Store) -> None:
    here = desk(store, NOON + 3 * HOUR)
    late = open_ticket(store, name="late", clocks=(planned(hours=1),))
    open_ticket(store, name="today", clocks=(planned(hours=5),))
    here.tickets.take(late, by=ALICE)
    counts = here.queues.all_counts()
    assert [(count.open, count.due_today, count.overdue) for count in counts.queues[:2]] == [
        (2, 1, 1),
        (0, 0, 0),
    ]
    assert (counts.of("alice").overdue, counts.of(None).due_today, counts.of("bob").open) == (1, 1, 0)
    here.tickets.close(late, by=ALICE)
    assert here.queues.all_counts().of("alice").open == 0
    far = here.queues.all_counts(ZoneInfo("Pacific/Kiritimati"))  # there it is tomorrow already
    assert far.queues[0].open == 1


def test_a_group_counts_what_is_due_in_its_time(store: Store) -> None:
    here = desk(store)
    for hours in (1, 2, 30):
        open_ticket(store, name=f"due{hours}", clocks=(planned(hours=hours),))
    open_ticket(store, name="timeless", clocks=())
    everything = TicketFilter()
    assert here.queues.due_between(everything, NOON, NOON + 3 * HOUR) == 2
    assert here.queues.due_between(everything, NOON + 3 * HOUR) == 1
    assert here.queues.due_between(everything) == 1


def letter(*passages: tuple[str, bool], subject: str = "Message from alice") -> Message:
    return Message(subject=subject, bodies=(Body("text", tuple(Passage(*each) for each in passages)),))


FORM = "Hi Shop,\n\nalice has a question.\n\nReason for contact: Other\n\nalice wrote:\n\n"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (letter((FORM + "Where is it?\n\nReply to this mail.\nThe Instagram team", False)), "Where is it?"),
        (letter((FORM + "Where\n\nis  it?", False), ("> quoted", True)), "Where is it?"),
        (letter(("Only words, no form.", False)), "Only words, no form."),
        (letter(("alice wrote: nothing follows", False)), "alice wrote: nothing follows"),
        (letter(), "Message from alice"),
        (letter(("turned \u202eround\x07", False)), "turned round\ufffd"),
        (letter(("a" * 500, False)), "a" * 139 + "\u2026"),
    ],
)
def test_a_list_shows_a_line_of_the_customers_words(message: Message, line: str) -> None:
    assert excerpt_of(message, "case", "alice") == line
    assert excerpt_of(message, "claim", "") == "Message from alice"


def test_groups_follow_the_readers_day() -> None:
    zone = ZoneInfo("America/Los_Angeles")
    now = datetime(2026, 11, 25, 18, 42, tzinfo=UTC)
    thursday = now.astimezone(zone).date() + timedelta(days=1)
    horizon = Horizon(now, zone, now + 4 * HOUR, lambda day: "Thanksgiving Day" if day == thursday else "")
    titles = [
        group_of(due, horizon).title
        for due in (now - HOUR, now, now + 4 * HOUR, now + 13 * HOUR, now + 14 * HOUR, now + 60 * HOUR, None)
    ]
    assert titles == [
        "Past the deadline",
        "Due in the next 4 hours",
        "Due in the next 4 hours",
        "Due today",
        "Due tomorrow",
        "Due Fri 27 Nov",
        "No clock",
    ]
    assert group_of(now + 14 * HOUR, horizon).note == "Thu 26 Nov, Thanksgiving Day: nobody is on duty"


def test_a_view_is_its_owners_until_a_lead_shares_one(store: Store) -> None:
    views = desk(store).saved_views
    hers = views.save("Returns", "/queues/case", {"reason": ["return_request"]}, by=ALICE)
    with pytest.raises(DeskError, match="You have a view named returns already"):
        views.save(" returns ", "/", {}, by=ALICE)
    with pytest.raises(NotThere):
        views.remove(hers, by=BOB)
    with pytest.raises(NotPermitted):
        views.change(hers, "Returns", by=ALICE, shared=True)
    shared = views.save("Late", "/", {}, by=BOB, shared=True)
    assert [view.name for view in views.visible("alice")] == ["Late", "Returns"]
    with pytest.raises(NotPermitted):
        views.remove(shared, by=ALICE)
    views.change(hers, "To come back", by=ALICE)
    assert views.view(hers, "alice").query == {"reason": ["return_request"]}
    views.remove(hers, by=ALICE)
    assert [view.name for view in views.visible("alice")] == ["Late"]


def test_tickets_from_before_get_their_line_and_whose_turn_it_is(store_url: str) -> None:
    store = older(store_url, "0007")
    mail = (
        b"From: A <a@b.example>\r\nSubject: Message from alice\r\n\r\n"
        b"Hi Shop,\r\n\r\nalice wrote:\r\n\r\nWhere is it?\r\n"
    )
    at = NOON.replace(tzinfo=None)
    with store.engine.begin() as connection:
        for number, state in ((1, "open"), (2, "open"), (3, "closed")):
            connection.execute(
                text(
                    "INSERT INTO ticket (id, kind, queue, state, relay_address, case_token, case_number, "
                    "username,"
                    " sender, subject, contact_reason, escalated, verified, opened_at, last_message_at,"
                    " message_count) VALUES (:id, 'case', 'case', :state, '', '', '', 'alice', '', 'S', '',"
                    " false, true, :at, :at, 1)"
                ),
                {"id": number, "state": state, "at": at},
            )
            connection.execute(
                text(
                    "INSERT INTO message (delivery_key, ticket_id, kind, vouched, received_at, mail_from, "
                    "rcpt_to,"
                    " peer, helo, tls, size, from_addr, subject, message_id, origin, auth, reasons, "
                    "findings,"
                    " trace, raw) VALUES (:key, :id, 'case', true, :at, '', '[]', '', '', true, 1, '', 'S', "
                    "'',"
                    " '{}', '{}', '[]', '{}', '', :raw)"
                ),
                {"key": f"k{number}", "id": number, "at": at, "raw": mail},
            )
            connection.execute(
                text(
                    "INSERT INTO deadline (ticket_id, queue, clock, round, started_at, due_at, warn_at, "
                    "reading,"
                    " target, explanation, stopped_at, stopped_how) VALUES (:id, 'case', 'response', 1, "
                    ":at, :at, :at, 'elapsed', '', '[]', :stopped, :how)"
                ),
                {
                    "id": number,
                    "at": at,
                    "stopped": at if number == 2 else None,
                    "how": "answered" * (number == 2),
                },
            )
    store.upgrade()
    rows = desk(store).queues.rows((1, 2, 3)).tickets
    assert [row.excerpt for row in rows] == ["Where is it?"] * 3
    assert [row.next_warn for row in rows] == [NOON, None, None]
    assert [row.waiting_since for row in rows] == [None, NOON, None]
    store.close()
