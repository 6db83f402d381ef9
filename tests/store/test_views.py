"""What the desk shows: queues, lists with filters, pages, search, and one ticket whole."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.desk.answers import Written
from relaydesk.desk.config import DeskError, UnknownQueue
from relaydesk.outbound.answer import AnswerRefused
from relaydesk.policy.decision import Placement
from relaydesk.store import messages
from relaydesk.store.list_counts import QueueCount
from relaydesk.store.lists import TicketFilter
from relaydesk_testkit.arriving import (
    AUTH,
    NOON,
    ORDER,
    candidate,
    decision,
    envelope,
    open_ticket,
    parsed_message,
    planned,
    store_message,
)
from tests.support.desk import ALICE, BOB, desk

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)


def listed(store: Store, **wanted: object) -> list[int]:
    """The numbers of a list, gathered over pages of two."""
    numbers: list[int] = []
    after = None
    while True:
        page = desk(store).queues.page(TicketFilter(**wanted), after=after, limit=2)  # type: ignore[arg-type]
        assert len(page.tickets) <= 2
        numbers += [row.id for row in page.tickets]
        after = page.after
        if after is None:
            return numbers


def test_every_queue_is_counted_with_its_next_deadline(store: Store) -> None:
    open_ticket(store, name="a", clocks=(planned(hours=5),))
    open_ticket(store, name="b", clocks=(planned(hours=2),))
    open_ticket(store, name="c", clocks=(), kind="notice")
    counts = {count.queue: count for count in desk(store, NOON + 3 * HOUR).queues.counts()}
    assert list(counts) == ["case", "claim", "chargeback", "unsorted", "notice"]
    assert counts["case"] == QueueCount("case", 2, 1, 1, NOON + 2 * HOUR)
    assert counts["claim"] == QueueCount("claim", 0, 0, 0, None)
    assert counts["notice"] == QueueCount("notice", 1, 0, 0, None)


def test_a_queue_that_the_settings_lost_is_still_counted(store: Store) -> None:
    open_ticket(store, kind="claim")
    counts = desk(store, queues=("case",)).queues.counts()
    assert [(count.queue, count.open) for count in counts] == [("case", 0), ("claim", 1)]


def test_lists_are_narrowed_by_every_filter(store: Store) -> None:
    case = open_ticket(store, name="case", candidates=(candidate(),), bind_orders=(ORDER,))
    claim = open_ticket(store, name="claim", kind="claim")
    doubtful = open_ticket(store, name="doubtful", vouched=False)
    mine = open_ticket(store, name="mine")
    closed = open_ticket(store, name="closed", candidates=(candidate(),))
    tickets = desk(store).tickets
    tickets.assign(mine, "alice", by=ALICE)
    tickets.move(mine, "claim", by=ALICE)
    tickets.close(closed, by=ALICE)
    assert set(listed(store)) == {case, claim, doubtful, mine}
    assert listed(store, queue="claim") == [claim, mine]
    assert listed(store, queue="claim", kind="case") == [mine]
    assert listed(store, assignee="alice") == [mine]
    assert set(listed(store, due_before=NOON + 48 * HOUR)) == set()
    assert set(listed(store, due_before=NOON + 49 * HOUR)) == {case, claim, doubtful, mine}
    assert set(listed(store, assignee="")) == {case, claim, doubtful}
    assert listed(store, verified=False) == [doubtful]
    assert set(listed(store, verified=True)) == {case, claim, mine}
    assert listed(store, state="closed") == [closed]
    assert listed(store, state="closed", queue="claim") == []
    assert listed(store, text=ORDER) == [case]
    assert listed(store, text=ORDER, state="closed") == [closed]
    assert listed(store, text="CASE++Claim@support.facebook.com") == [claim]
    assert listed(store, text=str(doubtful)) == [doubtful]
    with pytest.raises(UnknownQueue, match="There is no queue parcels; use one of case, claim,"):
        listed(store, queue="parcels")


def test_closed_tickets_are_paged_newest_first(store: Store) -> None:
    closed = [open_ticket(store, name=f"n{number}") for number in range(5)]
    for ticket in closed:
        desk(store).tickets.close(ticket, by=ALICE)
    assert listed(store, state="closed") == closed[::-1]
    assert listed(store, state="closed", queue="case") == closed[::-1]


def test_a_page_goes_on_though_tickets_before_it_were_closed(store: Store) -> None:
    tickets = [
        open_ticket(store, name=f"n{number}", clocks=(planned(hours=number + 1),)) for number in range(4)
    ]
    first = desk(store).queues.page(TicketFilter("case"), limit=2)
    desk(store).tickets.close(tickets[0], by=ALICE)
    rest = desk(store).queues.page(TicketFilter("case"), after=first.after, limit=2)
    assert [row.id for row in rest.tickets] == tickets[2:]


def test_search_finds_open_and_closed(store: Store) -> None:
    first = open_ticket(store, name="first", candidates=(candidate(),))
    second = open_ticket(store, name="second", candidates=(candidate(),))
    desk(store).tickets.close(first, by=ALICE)
    search = desk(store).search.tickets
    assert [row.id for row in search(f" {ORDER} ").tickets] == [second, first]
    assert [row.id for row in search("Case++First@support.facebook.com").tickets] == [first]
    assert search("").tickets == search("nothing of ours").tickets == ()
    assert [row.id for row in search(ORDER, state="open").tickets] == [second]
    assert [row.id for row in search(ORDER, state="closed").tickets] == [first]
    assert {number.ticket_id for number in search(ORDER).numbers} == {first, second}


def with_photo(store: Store) -> tuple[int, int]:
    """A ticket whose message has a text in Latin-1 and an attachment: its number and the message's."""
    body = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nWo ist mein P\xe4ckchen?\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=box.png\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n"
    )
    raw = b"From: Alice <case++aaaa@support.facebook.com>\r\nSubject: Hello\r\n" + body
    with store.transaction() as session:
        recorded = messages.record(
            session,
            replace(envelope(), raw=raw),
            parsed_message(),
            AUTH,
            decision(Placement("open")),
            trace="Received: by us",
            now=NOON,
        )
    assert recorded.ticket_id is not None
    return recorded.ticket_id, recorded.message_id


def test_a_ticket_is_shown_with_its_texts_and_files(store: Store) -> None:
    ticket, message = with_photo(store)
    tickets = desk(store).tickets
    (read,) = tickets.view(ticket).messages
    assert read.text.strip() == "Wo ist mein Päckchen?"
    photo = tickets.attachment(ticket, message, 1)
    assert (photo.name, photo.content[:4]) == ("box.png", b"\x89PNG")
    for number in (0, 2):
        with pytest.raises(DeskError, match=f"has no attachment {number}"):
            tickets.attachment(ticket, message, number)
    assert tickets.original(ticket, message, by=ALICE).endswith(b"--b--\r\n")
    with pytest.raises(DeskError, match=rf"has no message 99 \(it has {message}\)"):
        tickets.original(ticket, 99, by=ALICE)


def test_no_message_of_another_ticket_is_shown(store: Store) -> None:
    ticket, message = with_photo(store)
    other = open_ticket(store)
    for look in (
        lambda *of: desk(store).tickets.original(*of, by=ALICE),
        lambda *of: desk(store).tickets.attachment(*of, 1),
    ):
        with pytest.raises(DeskError, match=f"has no message {message}"):
            look(other, message)
    assert desk(store).tickets.view(ticket).ticket.id == ticket


def test_a_ticket_is_shown_with_answers_drafts_and_linked_tickets(store: Store) -> None:
    first = open_ticket(store, name="first")
    placement = Placement("open", thread_key="case++second@support.facebook.com", links=(first,))
    second = store_message(store, decision(placement), body=b"of the same order").ticket_id
    here = desk(store)
    seen = here.tickets.latest_event(first)
    here.answers.write(first, Written("Hello", no_order=True), seen=seen, by=BOB)
    with pytest.raises(AnswerRefused):
        here.answers.write(first, Written("Mine"), seen=0, by=ALICE)
    view = here.tickets.view(first)
    assert [other.id for other in view.linked] == [second]
    assert [(answer.row.author, answer.row.state) for answer in view.answers] == [(BOB, "queued")]
    assert view.answers[0].text.startswith("Hello")
    assert [(draft.author, draft.text) for draft in view.drafts] == [(ALICE, "Mine")]
    assert here.answers.draft(first, by="agent:Alice").text == "Mine"
    with pytest.raises(AnswerRefused, match="No draft of bob is kept"):
        here.answers.draft(first, by=BOB)
    with pytest.raises(FrozenInstanceError):
        view.ticket = view.linked[0]  # type: ignore[misc]
    with pytest.raises(DeskError, match="There is no ticket 4711"):
        here.tickets.view(4711)


def test_of_a_very_long_ticket_only_the_latest_texts_are_read(store: Store) -> None:
    ticket = open_ticket(store)
    store_message(store, decision(Placement("join", ticket)), body=b"And now?\r\n", at=NOON + HOUR)
    view = desk(store).tickets.view
    assert [message.text for message in view(ticket, most=1).messages] == [None, "And now?\n"]
    assert None not in [message.text for message in view(ticket, most=None).messages]


def test_a_delivery_is_found_by_its_key(store: Store) -> None:
    ticket = store_message(store, decision(Placement("open")), body=b"x").ticket_id
    tickets = desk(store).tickets
    filed = tickets.filed(envelope(b"x").delivery_key)
    assert filed is not None and filed.ticket.id == ticket
    assert tickets.filed(envelope(b"y").delivery_key) is None


def test_the_outbox_is_listed_by_turn_and_by_age(store: Store) -> None:
    ticket = open_ticket(store)
    here = desk(store)
    numbers = [
        here.answers.write(
            ticket, Written("Hello", no_order=True), seen=here.tickets.latest_event(ticket), by=ALICE
        ).answer
        for _ in range(3)
    ]
    here.answers.cancel(numbers[0], by=ALICE)
    assert [row.id for row in here.outbox.waiting()] == numbers[1:]
    assert [row.id for row in here.outbox.newest(2)] == numbers[:0:-1]
    assert [row.undecided for row in here.outbox.newest()] == [True, True, False]
