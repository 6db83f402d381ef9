"""What a person must look at stands in a list, whatever said so, until somebody has looked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.bounces.dsn import Dsn
from relaydesk.bounces.seals import bounce_address
from relaydesk.desk.config import DeskError
from relaydesk.intake.forward import LOOP, Forwarding
from relaydesk.outbound import recording
from relaydesk.outbound.answer import AnswerRefused
from relaydesk.outbound.disposition import Disposition
from relaydesk.policy.decision import Placement
from relaydesk.reasons import NEEDS_LOOK, SENTENCES, reason
from relaydesk.store import messages, outbox
from relaydesk.store.lists import TicketFilter
from relaydesk.store.outbox_rows import DeliveryOutcome
from relaydesk_testkit.arriving import (
    AUTH,
    NOON,
    decision,
    envelope,
    open_ticket,
    parsed_message,
    planned,
    store_message,
)
from tests.store.test_bounces import (
    AWAY,
    BACK,
    HARD,
    POLICY,
    REPORT,
    SENT,
    Config,
    answered,
    arrive,
    back,
    clocks,
    message_id,
    state,
    whats,
)
from tests.support.answering import SECRET, SENDER, plan, write
from tests.support.desk import ALICE, BOB, desk, events

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from relaydesk.desk.desk import Desk
    from relaydesk.policy.decision import Decision, Planned
    from relaydesk.store.engine import Store
    from relaydesk.store.lists import TicketRow
    from relaydesk.store.outbox_rows import Claimed, OutboxRow

HOUR = timedelta(hours=1)
UNCLEAR = Dsn("unclear")
REFUSED = Disposition("refused", "The relay address does not exist.")
GIVEN_UP = Disposition("deferred", "Nobody answers.")


def marked(here: Desk, queue: str | None = None) -> list[tuple[int, str | None]]:
    page = here.queues.page(TicketFilter(queue=queue, needs_look=True))
    return [(ticket.id, ticket.needs_look) for ticket in page.tickets]


def counted(here: Desk) -> int:
    return sum(count.needs_look for count in here.queues.counts())


def row(store: Store, ticket: int) -> TicketRow:
    return desk(store).tickets.view(ticket).ticket


def claim(store: Store, at: datetime = SENT) -> Claimed:
    with store.transaction() as session:
        (claimed,) = outbox.claim(session, "test", at, HOUR, 1)
    return claimed


def saying(decided: Decision, code: str) -> Decision:
    return replace(decided, reasons=(*decided.reasons, reason(code)))


def opens(store: Store, code: str) -> int:
    decided = saying(decision(Placement("open"), kind="unsorted"), code)
    ticket = store_message(store, decided).ticket_id
    assert ticket is not None
    return ticket


def closed(store: Store) -> int:
    """An answered ticket that is closed."""
    ticket = open_ticket(store)
    answered(store, ticket)
    desk(store, SENT).tickets.close(ticket, by=BOB)
    return ticket


def bounced(store: Store, dsn: Dsn) -> int:
    ticket = closed(store)
    back(store, ticket, dsn)
    return ticket


async def full(store: Store) -> int:
    ticket = closed(store)
    address = bounce_address(SECRET, ticket, "shop.example", 1)
    config = Config(policy=replace(POLICY, max_bounces=2))
    delayed = (REPORT % message_id(store)).replace("failed", "delayed").replace("5.1.1", "4.4.1")
    assert await arrive(store, delayed.encode(), rcpt=address, config=config)
    assert marked(desk(store)) == []
    last = await arrive(store, delayed.replace("4.4.1", "4.4.2").encode(), rcpt=address, config=config)
    assert last is not None
    assert last.reasons[-1].code == "bounces_full"
    return ticket


def not_sent(store: Store, disposition: Disposition = REFUSED) -> int:
    ticket = open_ticket(store)
    write(store, ticket, no_order=True)
    desk(store, NOON + HOUR).tickets.close(ticket, by=BOB)
    outcome = DeliveryOutcome(SENT, 550, "no", "Refused.")
    recording.record_undelivered(store, claim(store), disposition, outcome, SENT)
    return ticket


def not_stopped(store: Store) -> int:
    ticket = open_ticket(store)
    write(store, ticket, no_order=True)
    store_message(store, decision(Placement("join", ticket)), body=b"more", at=NOON + 1.5 * HOUR)

    def broken(queue: str, start: datetime, *, relay: bool, contact_reason: str = "") -> tuple[Planned, ...]:
        raise ValueError("no open time")

    outcome = DeliveryOutcome(SENT, 250, "Ok")
    done = recording.record_sent(store, claim(store), outcome, hop="hop.example", plan=broken, now=SENT)
    assert (done, state(store, 1)) == ("sent", "sent")
    return ticket


def looping(store: Store) -> int:
    """A message comes back that we had forwarded."""
    came = envelope()
    came = replace(came, raw=f"{LOOP}: mx.shop.example\r\n".encode() + came.raw)
    decided = decision(Placement("open"), clocks=(planned(),))
    with store.transaction() as session:
        kept = messages.record(session, came, parsed_message(), AUTH, decided, trace="", now=NOON)
        forwarding = Forwarding({"case": "desk@desk.example"}, SENDER, "mx.shop.example")
        row = forwarding.lay(session, came, decided, kept, below=b"", trace="", subject="Hello", now=NOON)
    assert row is None
    assert kept.ticket_id is not None
    return kept.ticket_id


def suspect(store: Store) -> int:
    earlier = opens(store, "no_order")
    desk(store).tickets.mark_junk(earlier, by=BOB)
    came = decision(Placement("open"), clocks=(planned(),))
    ticket = store_message(store, came, body=b"More of it").ticket_id
    assert ticket is not None
    return ticket


PROMISES: dict[str, Callable[[Store], int]] = {
    "no_rule": lambda store: opens(store, "no_rule"),
    "content_unread": lambda store: opens(store, "content_unread"),
    "bounce_unmatched": lambda store: opens(store, "bounce_unmatched"),
    "bounce_hard": lambda store: bounced(store, HARD),
    "bounce_unclear": lambda store: bounced(store, UNCLEAR),
    "not_sent": not_sent,
    "clock_not_stopped": not_stopped,
    "forward_loop": looping,
    "junk_suspect": suspect,
}


def test_whatever_promises_a_look_is_in_the_list() -> None:
    """A sentence that says "a person must look" has its code here, and its case below."""
    saying_so = {code for code, sentence in SENTENCES.items() if "a person must look" in sentence}
    assert saying_so == NEEDS_LOOK == {*PROMISES, "bounces_full"}


def shown(store: Store, ticket: int, code: str) -> None:
    here = desk(store, BACK)
    assert marked(here) == [(ticket, code)]
    assert (row(store, ticket).open, counted(here)) == (True, 1)
    here.tickets.mark_looked_at(ticket, by=ALICE)
    assert (marked(here), counted(here), row(store, ticket).needs_look_since) == ([], 0, None)
    assert (events(store, ticket)[-1].what, events(store, ticket)[-1].actor) == ("looked_at", ALICE)
    assert [row for row in here.outbox.waiting() if not row.undecided] == []
    with pytest.raises(DeskError, match="Nothing on ticket"):
        here.tickets.mark_looked_at(ticket, by=ALICE)


@pytest.mark.parametrize("code", PROMISES)
def test_what_a_person_must_look_at_is_listed_until_somebody_has_looked(store: Store, code: str) -> None:
    shown(store, PROMISES[code](store), code)


async def test_the_last_bounce_that_is_taken_is_listed(store: Store) -> None:
    shown(store, await full(store), "bounces_full")


def test_an_unclear_bounce_opens_the_ticket_and_stops_no_promise(store: Store) -> None:
    """Closed with a handled evidence clock suspended: that runs on; the answered one stays answered."""
    ticket = open_ticket(store, clocks=(planned(), planned("evidence", hours=240)))
    answered(store, ticket)
    desk(store, SENT).tickets.close(ticket, by=BOB)
    assert not back(store, ticket, UNCLEAR)
    opened = row(store, ticket)
    assert (opened.open, opened.next_due) == (True, NOON + 240 * HOUR)
    assert [clock.running for clock in clocks(store, ticket)] == [False, True]
    assert whats(store, ticket)[-4:] == ["answer_bounced", "reopened", "clock_reopened", "needs_look"]
    assert events(store, ticket)[-1].data == {"reason": "bounce_unclear", "answer": 1, "message": 1, "of": 0}
    (listed,) = desk(store).outbox.waiting()
    assert (listed.state, listed.returned, listed.needs_look_since) == ("sent", "unclear", BACK)


def test_it_is_shown_in_its_queue_and_counted_there(store: Store) -> None:
    ticket = bounced(store, UNCLEAR)
    other = open_ticket(store, name="bob", kind="claim", clocks=())
    here = desk(store)
    assert marked(here, "case") == [(ticket, "bounce_unclear")]
    assert marked(here, "claim") == []
    unmarked = here.queues.page(TicketFilter(needs_look=False)).tickets
    assert [ticket.id for ticket in unmarked] == [other]
    assert {count.queue: count.needs_look for count in here.queues.counts()}["case"] == 1


@pytest.mark.parametrize("dsn", [UNCLEAR, HARD])
def test_where_the_buyer_is_talked_to_in_another_ticket_that_one_is_marked(store: Store, dsn: Dsn) -> None:
    ticket = closed(store)
    other = open_ticket(store, at=SENT)  # the same relay address
    back(store, ticket, dsn)
    here = desk(store, BACK)
    code = "bounce_hard" if dsn.hard else "bounce_unclear"
    assert marked(here) == [(other, code)]
    assert not row(store, ticket).open
    assert events(store, other)[-1].data == {"reason": code, "answer": 1, "message": 1, "of": ticket}
    assert [row.id for row in here.outbox.waiting()] == [1]
    here.tickets.close(other, by=BOB)
    assert (marked(here), here.outbox.waiting()) == ([], ())


@pytest.mark.parametrize(
    "dsn",
    [
        Dsn("delayed", status="4.4.1"),
        Dsn("delivered", status="2.0.0"),
        Dsn("auto_reply"),
        Dsn("undelivered", of_bounce=True),
        Dsn("unclear", of_bounce=True),
    ],
)
def test_nobody_is_bothered_with_what_needs_no_look(store: Store, dsn: Dsn) -> None:
    ticket = bounced(store, dsn)
    assert (marked(desk(store)), row(store, ticket).open) == ([], False)


def test_a_bounce_whose_answer_is_not_found_is_seen_too(store: Store) -> None:
    """It came to our sealed address, so it is about something of this ticket."""
    ticket = bounced(store, replace(UNCLEAR, original_message_id="<somebody@elses.example>"))
    assert marked(desk(store)) == [(ticket, "bounce_unclear")]
    assert desk(store).outbox.waiting() == ()


def test_what_is_known_not_to_have_arrived_is_not_said_again(store: Store) -> None:
    ticket = bounced(store, HARD)
    desk(store, BACK).tickets.mark_looked_at(ticket, by=ALICE)
    back(store, ticket, HARD)
    back(store, ticket, UNCLEAR)
    assert marked(desk(store)) == []


def test_the_first_reason_stands_and_the_rest_is_on_record(store: Store) -> None:
    ticket = bounced(store, UNCLEAR)
    back(store, ticket, HARD, at=BACK + HOUR)
    assert marked(desk(store)) == [(ticket, "bounce_unclear")]
    assert row(store, ticket).needs_look_since == BACK
    assert whats(store, ticket).count("needs_look") == 2


def leave(store: Store, at: datetime) -> None:
    outcome = DeliveryOutcome(at, 250, "Ok")
    recording.record_sent(store, claim(store, at), outcome, hop="hop.example", plan=plan, now=at)


def test_an_answer_written_after_it_settles_it_when_it_has_left(store: Store) -> None:
    ticket = bounced(store, UNCLEAR)
    write(store, ticket, no_order=True, now=BACK + HOUR)
    assert marked(desk(store)) == [(ticket, "bounce_unclear")]
    leave(store, BACK + 2 * HOUR)
    assert marked(desk(store)) == []
    assert desk(store).outbox.waiting() == ()
    assert (events(store, ticket)[-1].what, events(store, ticket)[-1].actor) == ("looked_at", ALICE)


def test_an_answer_that_was_on_its_way_already_settles_nothing(store: Store) -> None:
    ticket = open_ticket(store)
    answered(store, ticket)
    write(store, ticket, no_order=True, now=SENT)
    back(store, ticket, UNCLEAR)
    leave(store, BACK + HOUR)
    assert marked(desk(store)) == [(ticket, "bounce_unclear")]


def test_another_help_desks_answer_settles_nothing(store: Store) -> None:
    """They do not see our marks."""
    ticket = bounced(store, UNCLEAR)
    with store.transaction() as session:
        outgoing = outbox.row(session, 1)
        assert outgoing is not None
    write(store, ticket, no_order=True, now=BACK + HOUR)
    with store.transaction() as session:
        session.connection().exec_driver_sql("UPDATE outbox SET author = 'gateway:zen' WHERE id = 2")
    leave(store, BACK + 2 * HOUR)
    assert marked(desk(store)) == [(ticket, "bounce_unclear")]


def test_nobody_answers_without_having_seen_that_an_answer_came_back(store: Store) -> None:
    ticket = open_ticket(store)
    answered(store, ticket)
    seen = desk(store).tickets.latest_event(ticket)
    back(store, ticket, UNCLEAR)
    with pytest.raises(AnswerRefused, match="answer 1 came back"):
        write(store, ticket, no_order=True, seen=seen, now=BACK)


@pytest.mark.parametrize(
    ("act", "settles"),
    [
        (lambda tickets, ticket: tickets.state_answered_elsewhere(ticket, at=NOON, by=BOB), True),
        (lambda tickets, ticket: tickets.close(ticket, by=BOB), True),
        (lambda tickets, ticket: tickets.note(ticket, "Hm.", by=BOB), False),
        (lambda tickets, ticket: tickets.assign(ticket, "bob", by=BOB), False),
        (lambda tickets, ticket: tickets.move(ticket, "claim", by=BOB), False),
    ],
)
def test_which_acts_are_looking(
    sqlite_store: Store, act: Callable[[object, int], None], settles: bool
) -> None:
    ticket = bounced(sqlite_store, HARD)  # its clock runs
    here = desk(sqlite_store, BACK)
    act(here.tickets, ticket)
    assert (marked(here) == []) == settles


def test_handling_is_looking(store: Store) -> None:
    decided = saying(
        decision(Placement("open"), kind="unsorted", clocks=(planned("handling"),), relay_address=""),
        "no_rule",
    )
    ticket = store_message(store, decided).ticket_id
    assert ticket is not None
    assert marked(desk(store)) == [(ticket, "no_rule")]
    desk(store).tickets.state_handled(ticket, at=NOON, how="Called them.", by=BOB)
    assert marked(desk(store)) == []


@pytest.mark.parametrize("disposition", [REFUSED, GIVEN_UP])
def test_trying_again_is_looking(store: Store, disposition: Disposition) -> None:
    ticket = not_sent(store, disposition)
    here = desk(store, BACK)
    assert [row.state for row in here.outbox.waiting()] == ["refused" if disposition is REFUSED else "failed"]
    here.answers.retry(1, by=ALICE)
    assert marked(here) == []
    assert [(row.state, row.needs_look_since) for row in here.outbox.waiting()] == [("queued", None)]
    # and if it fails again, it is listed again
    recording.record_undelivered(store, claim(store, BACK), REFUSED, DeliveryOutcome(BACK, 550, "no"), BACK)
    assert marked(here) == [(ticket, "not_sent")]


def test_trying_one_again_leaves_the_mark_of_another(store: Store) -> None:
    ticket = not_sent(store)
    write(store, ticket, no_order=True, now=SENT)
    recording.record_undelivered(store, claim(store, BACK), REFUSED, DeliveryOutcome(BACK, 550, "no"), BACK)
    desk(store, BACK).answers.retry(1, by=ALICE)
    assert marked(desk(store)) == [(ticket, "not_sent")]
    desk(store, BACK).answers.retry(2, by=ALICE)
    assert marked(desk(store)) == []


def test_a_250_that_is_written_down_late_settles_it(store: Store) -> None:
    ticket = open_ticket(store)
    write(store, ticket, no_order=True)
    first = claim(store)
    second = claim(store, SENT + 2 * HOUR)  # the lease of the first ran out
    outcome = DeliveryOutcome(SENT + 2 * HOUR, 550, "no")
    recording.record_undelivered(store, second, REFUSED, outcome, SENT + 2 * HOUR)
    assert marked(desk(store)) == [(ticket, "not_sent")]
    left = DeliveryOutcome(SENT, 250, "Ok")
    recording.record_sent(store, first, left, hop="hop.example", plan=plan, now=SENT + 3 * HOUR)
    assert (marked(desk(store)), desk(store).outbox.waiting()) == ([], ())


def test_mail_that_joins_a_closed_ticket_unsorted_is_marked_once(store: Store) -> None:
    ticket = closed(store)
    again = saying(decision(Placement("join", ticket, reopen=True), clocks=(planned(start=SENT),)), "no_rule")
    store_message(store, again, body=b"again", at=SENT)
    store_message(store, saying(decision(Placement("join", ticket)), "no_rule"), body=b"and again", at=BACK)
    assert marked(desk(store)) == [(ticket, "no_rule")]
    assert row(store, ticket).needs_look_since == SENT


async def test_through_the_intake_an_unclear_notice_is_listed(store: Store) -> None:
    ticket = closed(store)
    notice = "From: MAILER-DAEMON@mx.example\r\nSubject: Notice\r\n\r\nSomething about your mail.\r\n"
    address = bounce_address(SECRET, ticket, "shop.example", 1)
    decided = await arrive(store, notice.encode(), rcpt=address)
    assert decided is not None
    assert decided.reasons[-1].code == "bounce_unclear"
    assert marked(desk(store)) == [(ticket, "bounce_unclear")]
    # a machine that says it is away needs nobody
    desk(store, BACK).tickets.close(ticket, by=BOB)
    await arrive(store, AWAY.encode(), rcpt=address)
    assert (marked(desk(store)), row(store, ticket).open) == ([], False)


def test_ordinary_mail_costs_no_statement_more(sqlite_store: Store) -> None:
    """The mark is a column of rows that are written anyway."""
    from sqlalchemy import event

    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(sqlite_store.engine, "before_cursor_execute", note)
    ticket = opens(sqlite_store, "no_rule")
    first, sent[:] = len(sent), []
    open_ticket(sqlite_store, clocks=(), name="bob")
    assert len(sent) == first
    sent.clear()
    store_message(sqlite_store, saying(decision(Placement("join", ticket)), "no_rule"), body=b"1", at=NOON)
    joined, sent[:] = len(sent), []
    store_message(sqlite_store, decision(Placement("join", ticket)), body=b"2", at=NOON)
    assert len(sent) == joined
    event.remove(sqlite_store.engine, "before_cursor_execute", note)


def outcomes(rows: tuple[OutboxRow, ...]) -> list[str]:
    return [row.state for row in rows]


def test_the_outbox_shows_them_before_what_waits(store: Store) -> None:
    ticket = bounced(store, UNCLEAR)
    write(store, ticket, no_order=True, now=BACK)
    assert outcomes(desk(store).outbox.waiting()) == ["sent", "queued"]
    assert outcomes(desk(store).outbox.waiting(limit=1)) == ["sent"]


def test_the_lists_read_marks_off_their_indexes(sqlite_store: Store) -> None:
    from tests.store.test_tickets import _statements

    for wanted in (TicketFilter(needs_look=True), TicketFilter("case", needs_look=True)):
        for statement in _statements(sqlite_store, wanted):
            with sqlite_store.reading() as session:
                rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
            steps = " / ".join(str(row[3]) for row in rows)
            assert "INDEX ix_ticket_needs_look_" in steps, steps
            assert "TEMP B-TREE" not in steps, steps
    with sqlite_store.reading() as session:
        query = "EXPLAIN QUERY PLAN SELECT id FROM outbox WHERE needs_look_since IS NOT NULL ORDER BY id DESC"
        plan = session.connection().exec_driver_sql(query).all()
    assert "ix_outbox_needs_look_id" in plan[0][3]
