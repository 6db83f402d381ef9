"""What agents do with one ticket: snoozing, sorting, junk, undoing; and the rules that they propose."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from relaydesk.business_time.calendar import Calendar
from relaydesk.classify.rules_file import load_rules
from relaydesk.clocks import timekeeper
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import CONSOLE, NotPermitted
from relaydesk.desk.rule_text import RuleWords, draft_subject, rule_text
from relaydesk.desk.snooze_times import snooze_choices
from relaydesk.order import Order, OrderRow
from relaydesk.policy.decision import Placement
from relaydesk.store import looks, orders
from relaydesk.store.errors import Conflict
from relaydesk.store.lists import TicketFilter
from relaydesk_testkit.arriving import NOON, ORDER, candidate, decision, open_ticket, planned, store_message
from tests.store.test_desk import plan, whats
from tests.support.desk import ADA, ALICE, BOB, desk, events

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)
ANGELES = ZoneInfo("America/Los_Angeles")


def listed(store: Store, agent: str, now: datetime = NOON) -> list[int]:
    page = desk(store, now).queues.page(TicketFilter(awake_for=agent))
    return [ticket.id for ticket in page.tickets]


# --- snoozing


def test_a_snoozed_ticket_is_gone_from_ones_own_lists_alone_until_its_moment(store: Store) -> None:
    ticket, until = open_ticket(store), NOON + 5 * HOUR
    counted = desk(store).queues.counts()
    desk(store).tickets.snooze(ticket, until, by=ALICE)
    assert (listed(store, "alice"), listed(store, "bob")) == ([], [ticket])
    assert desk(store).queues.counts() == counted
    snoozed = desk(store).queues.page(TicketFilter(snoozed_by="alice"))
    assert [row.id for row in snoozed.tickets] == [ticket]
    assert desk(store).tickets.snoozed_until(ticket, "alice") == until
    assert listed(store, "alice", until) == [ticket]
    assert events(store, ticket)[-1].data == {"until": until.isoformat()}


@pytest.mark.parametrize("what", ["mail", "warning", "deadline", "wake"])
def test_what_happens_wakes_it_at_once(store: Store, what: str) -> None:
    ticket = open_ticket(store)
    later = NOON + (49 * HOUR if what == "deadline" else 41 * HOUR)
    if what == "deadline":
        timekeeper.sweep(store, NOON + 41 * HOUR)
    desk(store, NOON + HOUR).tickets.snooze(ticket, NOON + 100 * HOUR, by=ALICE)
    assert listed(store, "alice", later) == []
    if what == "mail":
        store_message(store, decision(Placement("join", ticket)), body=b"again", at=later)
    elif what == "wake":
        desk(store, later).tickets.wake(ticket, by=ALICE)
    else:
        timekeeper.sweep(store, later)
    assert listed(store, "alice", later) == [ticket]


def test_it_says_why_a_ticket_cannot_be_snoozed(store: Store) -> None:
    ticket, here = open_ticket(store), desk(store)
    with pytest.raises(DeskError, match="is past; choose a moment that is still to come"):
        here.tickets.snooze(ticket, NOON, by=ALICE)
    with pytest.raises(DeskError, match="more than a year away"):
        here.tickets.snooze(ticket, NOON + timedelta(days=400), by=ALICE)
    with pytest.raises(DeskError, match="You have not snoozed ticket"):
        here.tickets.wake(ticket, by=BOB)
    here.tickets.close(ticket, by=ALICE)
    with pytest.raises(DeskError, match="closed; reopen it first"):
        here.tickets.snooze(ticket, NOON + HOUR, by=ALICE)


@pytest.mark.parametrize(
    ("now", "offered"),
    [
        # the day before Thanksgiving
        (
            "2026-11-25 10:42",
            ["later 25 13:45", "tomorrow 27 09:00", "monday 30 09:00"],
        ),
        ("2026-11-23 16:00", ["tomorrow 24 09:00", "monday 30 09:00"]),
        # on a Friday the next business morning is Monday's
        ("2026-12-04 09:00", ["later 04 12:00", "tomorrow 07 09:00"]),
        # over a change of the clocks
        ("2026-03-06 10:00", ["later 06 13:00", "tomorrow 09 09:00"]),
    ],
)
def test_the_moments_that_are_offered_fall_on_business_days(now: str, offered: list[str]) -> None:
    calendar = Calendar.from_mapping(
        {"zone": "America/Los_Angeles", "holidays": {"region": "US"}}, "calendar"
    )
    moment = datetime.fromisoformat(now).replace(tzinfo=ANGELES)
    choices = snooze_choices(moment.astimezone(UTC), ANGELES, calendar)
    assert [f"{choice.key} {choice.until.astimezone(ANGELES):%d %H:%M}" for choice in choices] == offered


# --- saying what it is


def test_sorting_changes_kind_queue_and_clocks_and_tells_it(store: Store) -> None:
    unanswerable = decision(
        Placement("open"), kind="unsorted", relay_address="", clocks=(planned("handling"),)
    )
    ticket = store_message(store, unanswerable).ticket_id
    assert ticket is not None
    with store.transaction() as session:
        looks.mark(session, ticket, "no_rule", NOON)
    here = desk(store, NOON + HOUR, plan=lambda: plan)
    effects = {effect.kind: effect for effect in here.tickets.sort_effects(ticket)}
    assert [clock.clock for clock in effects["chargeback"].planned] == ["handling", "evidence"]
    assert effects["notice"].ends
    assert not effects["case"].answerable
    here.tickets.sort(ticket, "chargeback", by=ALICE)
    row = here.tickets.view(ticket).ticket
    assert (row.kind, row.queue, row.needs_look) == ("chargeback", "chargeback", None)
    clocks = here.tickets.view(ticket).clocks
    assert {clock.clock for clock in clocks if clock.running} == {"handling", "evidence"}
    assert {clock.started_at for clock in clocks} == {NOON}
    told = next(event for event in events(store, ticket) if event.what == "sorted")
    assert told.data == {"from": "unsorted", "to": "chargeback"}
    assert '"chargeback"' in report(store)
    with pytest.raises(DeskError, match="is a chargeback already"):
        here.tickets.sort(ticket, "chargeback", by=ALICE)
    with pytest.raises(DeskError, match="cannot be sorted as bounce"):
        here.tickets.sort(ticket, "bounce", by=ALICE)
    here.tickets.sort(ticket, "notice", by=ALICE)
    assert here.tickets.view(ticket).ticket.next_due is None


def report(store: Store, until: datetime = NOON + 60 * HOUR) -> str:
    here, out = desk(store, until), io.StringIO()
    here.reports.sla(here.reports.scope(since=(NOON - HOUR).isoformat()), out, "json", by=CONSOLE)
    return out.getvalue()


def test_a_ticket_sorted_as_claim_escalates_the_case_of_its_order(store: Store) -> None:
    orders.put(store, [OrderRow(Order(ORDER), frozenset())], NOON)
    named = {"bind_orders": (ORDER,), "candidates": (candidate(),)}
    case = open_ticket(store, **named)
    claim = open_ticket(store, name="claim", kind="unsorted", **named)
    desk(store).tickets.sort(claim, "claim", by=ALICE)
    assert desk(store).tickets.view(case).ticket.escalated
    assert [row.id for row in desk(store).tickets.view(claim).linked] == [case]


def test_a_statement_that_no_order_exists_releases_every_number(store: Store) -> None:
    orders.put(store, [OrderRow(Order(ORDER), frozenset())], NOON)
    other = "368509000000002"
    ticket = open_ticket(store, candidates=(candidate(), candidate(other, sure="mentioned")))
    desk(store).tickets.state_no_order(ticket, by=ALICE)
    assert {number.how for number in desk(store).tickets.view(ticket).numbers} == {"released"}
    assert [e.data for e in events(store, ticket) if e.what == "order_released"] == [
        {"order": ORDER}, {"order": other},
    ]  # fmt: skip
    with pytest.raises(DeskError, match="names no order number"):
        desk(store).tickets.state_no_order(ticket, by=ALICE)
    desk(store).tickets.bind_order(ticket, ORDER, by=ALICE)
    assert "bound" in {number.how for number in desk(store).tickets.view(ticket).numbers}


# --- junk


def unproven(store: Store, name: str, at: datetime = NOON) -> int:
    """Mail that nothing proves: it is bound to no relay address, whatever it claims."""
    address = f"case++{name}@support.facebook.com"
    claims = decision(
        Placement("open"), kind="unsorted", relay_address=address, vouched=False, clocks=(planned(start=at),)
    )
    ticket = store_message(store, claims, body=f"{name} {at}".encode(), at=at).ticket_id
    assert ticket is not None
    return ticket


def test_junk_is_closed_and_its_next_mail_is_never_dropped_but_marked(store: Store) -> None:
    ticket = unproven(store, "spam")
    desk(store).tickets.mark_junk(ticket, by=ALICE)
    row = desk(store).tickets.view(ticket).ticket
    assert (row.open, row.junk_at) == (False, NOON)
    again = unproven(store, "spam", NOON + HOUR)
    elsewhere = open_ticket(store, name="else")
    here = desk(store)
    assert here.tickets.view(again).ticket.needs_look == "junk_suspect"
    assert here.tickets.view(elsewhere).ticket.needs_look is None
    here.tickets.unmark_junk(ticket, by=ALICE)
    assert here.tickets.view(ticket).ticket.open
    assert whats(store, ticket)[-4:] == ["junk", "not_junk", "reopened", "clock_reopened"]
    assert here.tickets.view(unproven(store, "spam", NOON + 2 * HOUR)).ticket.needs_look is None


def test_mail_on_a_junk_thread_opens_it_again_for_a_look(store: Store) -> None:
    ticket = open_ticket(store, kind="unsorted")
    desk(store).tickets.mark_junk(ticket, by=ALICE)
    store_message(store, decision(Placement("join", ticket, reopen=True)), body=b"again", at=NOON + HOUR)
    row = desk(store).tickets.view(ticket).ticket
    assert (row.open, row.junk_at, row.needs_look) == (True, None, "junk_suspect")


def test_proven_and_sorted_mail_is_junk_for_a_lead_only(store: Store) -> None:
    ticket = open_ticket(store)
    with pytest.raises(NotPermitted, match="needs the role lead or admin"):
        desk(store).tickets.mark_junk(ticket, by=ALICE)
    desk(store).tickets.mark_junk(ticket, by=BOB)
    proven = open_ticket(store, name="other", at=NOON + HOUR)
    assert desk(store).tickets.view(proven).ticket.needs_look is None  # the same sender says nothing


# --- undoing


def test_an_undone_close_counts_as_if_never_closed(store: Store) -> None:
    ticket = open_ticket(store)
    with store.transaction() as session:
        looks.mark(session, ticket, "bounce_unclear", NOON)
    before, untouched = desk(store).tickets.view(ticket), report(store)
    event = desk(store, NOON + HOUR).tickets.close(ticket, by=ALICE)
    assert report(store) != untouched
    assert desk(store, NOON + HOUR + timedelta(seconds=9)).tickets.undo(event, by=ALICE) == ticket
    after = desk(store).tickets.view(ticket)
    assert (after.ticket, after.clocks) == (before.ticket, before.clocks)
    assert report(store) == untouched
    told = next(event for event in events(store, ticket) if event.what == "reopened")
    assert (told.data, told.actor) == ({"why": "undo"}, ALICE)


def test_an_undone_take_or_assignment_gives_it_back(store: Store) -> None:
    ticket = open_ticket(store)
    here = desk(store).tickets
    here.undo(here.take(ticket, by=ALICE), by=ALICE)
    assert here.view(ticket).ticket.assignee is None
    here.take(ticket, by=ALICE)
    here.undo(here.assign(ticket, "bob", by=BOB), by=BOB)
    assert here.view(ticket).ticket.assignee == "alice"
    assert events(store, ticket)[-1].data == {"agent": "alice", "why": "undo"}
    junk = unproven(store, "spam")
    here.undo(here.mark_junk(junk, by=ALICE), by=ALICE)
    assert here.view(junk).ticket.open


def test_it_says_why_something_cannot_be_undone(store: Store) -> None:
    ticket, other = open_ticket(store), open_ticket(store, name="other")
    here = desk(store).tickets
    event = here.take(ticket, by=ALICE)
    with pytest.raises(DeskError, match="Only who did it"):
        here.undo(event, by=BOB)
    with pytest.raises(DeskError, match="too late to undo"):
        desk(store, NOON + timedelta(seconds=14)).tickets.undo(event, by=ALICE)
    with pytest.raises(DeskError, match="nothing to undo"):
        here.undo(4711, by=ALICE)
    here.note(ticket, "He called.", by=BOB)
    with pytest.raises(DeskError, match="Something else happened on ticket"):
        here.undo(event, by=ALICE)
    here.note(other, "Mine", by=ALICE)
    with pytest.raises(DeskError, match="cannot be undone"):
        here.undo(here.latest_event(other), by=ALICE)
    closed = here.close(other, by=ALICE)
    here.undo(closed, by=ALICE)
    with pytest.raises(DeskError, match="is open already"):
        here.undo(closed, by=ALICE)


def test_what_the_timekeeper_stamps_does_not_hinder_undoing(store: Store) -> None:
    ticket = open_ticket(store)
    event = desk(store, NOON + 40 * HOUR).tickets.take(ticket, by=ALICE)
    timekeeper.sweep(store, NOON + 40 * HOUR + timedelta(seconds=5))
    desk(store, NOON + 40 * HOUR + timedelta(seconds=6)).tickets.undo(event, by=ALICE)


def test_of_two_who_close_at_once_one_does(store: Store) -> None:
    ticket = open_ticket(store)
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def close(by: str) -> None:
        together.wait()
        try:
            desk(store).tickets.close(ticket, by=by)
            outcomes.append("closed")
        except (DeskError, Conflict):
            outcomes.append("refused")

    threads = [threading.Thread(target=close, args=(by,)) for by in (ALICE, BOB)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["closed", "refused"]
    assert whats(store, ticket).count("closed") == 1


# --- rules


WORDS = RuleWords("case++aaaa@support.facebook.com", "Offer …")


def test_a_rule_is_tried_on_stored_mail_before_it_is_proposed(store: Store) -> None:
    ticket = open_ticket(store, kind="unsorted", name="first")
    case = open_ticket(store, name="second")
    words = desk(store).rules.draft(ticket)
    assert words == RuleWords("case++aaaa@support.facebook.com", "Hello")
    trial = desk(store).rules.try_on(words, "claim")
    assert {mail.ticket_id for mail in trial.matched} == {ticket, case}
    assert [mail.ticket_id for mail in trial.elsewhere] == [case]
    assert (trial.looked_at, trial.listed) == (2, True)
    assert desk(store).rules.try_on(WORDS, "claim").matched == ()


def test_a_proposal_is_a_rule_file_that_its_loader_takes(store: Store) -> None:
    ticket = open_ticket(store, kind="unsorted")
    here = desk(store).rules
    number = here.propose(ticket, None, here.draft(ticket), "claim", by=ALICE)
    (proposal,) = here.proposals()
    assert (proposal.id, proposal.kind, proposal.proposed_by) == (number, "claim", ALICE)
    (rule,) = load_rules(proposal.rule, "proposal").rules
    assert (rule.name, rule.kind) == (f"proposal-{number}", "claim")
    assert events(store, ticket)[-1].data["proposal"] == number
    with pytest.raises(NotPermitted, match="needs the role lead or admin"):
        here.settle(number, "accepted", by=ALICE)
    here.settle(number, "accepted", by=BOB, note="Good")
    assert here.proposals() == ()
    assert here.proposal(number).state == "accepted"
    with pytest.raises(DeskError, match="settled before"):
        here.withdraw(number, by=ALICE)


def test_a_proposal_is_withdrawn_by_who_made_it_or_a_lead(store: Store) -> None:
    ticket = open_ticket(store, kind="unsorted")
    here = desk(store).rules
    first, second = (here.propose(ticket, None, here.draft(ticket), "claim", by=ADA) for _ in range(2))
    with pytest.raises(NotPermitted):
        here.withdraw(first, by=ALICE)
    here.withdraw(first, by=ADA)
    here.withdraw(second, by=BOB)
    assert [row.state for row in here.proposals(settled=True)] == ["withdrawn", "withdrawn"]


@pytest.mark.parametrize(
    ("sender", "subject", "why"),
    [
        ("nobody", "Hello", "needs the address"),
        ("a@b@c.example", "Hello", "needs the address"),
        ("*@support.facebook.com", "…", "would match all mail of a domain"),
        ("a@*.example", "Hello", "names the whole domain"),
        ("case++aaaa@support.facebook.com", "Goodbye", "does not match its own sample"),
        ("case++*@support.facebook.com", "", "shadowed by"),
        ("a@b.example", "x" * 301, "at most 300 characters"),
    ],
)
def test_words_that_make_no_rule_are_refused_with_why(
    sqlite_store: Store, sender: str, subject: str, why: str
) -> None:
    ticket = open_ticket(sqlite_store, kind="unsorted")
    with pytest.raises(DeskError, match=why):
        desk(sqlite_store).rules.propose(ticket, None, RuleWords(sender, subject), "claim", by=ALICE)
    assert desk(sqlite_store).rules.proposals() == ()


def test_a_rule_leaves_numbers_open_and_reads_the_order() -> None:
    sample = RuleWords(
        "commerce-no-reply@support.facebook.com", "A claim was updated for order #64000841784004"
    )
    subject = draft_subject(sample.subject)
    assert subject == "A claim was updated for order #…"
    text = rule_text("p", "claim", RuleWords(sample.sender, subject), sample, "why")
    (rule,) = load_rules(text, "p").rules
    match = rule.subject[0].search("A claim  was updated for order #368508827392800")
    assert match is not None
    assert match.group("order") == "368508827392800"
    assert rule.subject[0].search("A claim was opened for order #368508827392800") is None


@pytest.mark.parametrize("subject", ['Say "hi" \\ {x}: [1]', "Größe $ ^ . * 🎁 …", "a' b\" #c", "- x\ty"])
def test_no_subject_breaks_out_of_the_text_of_its_rule(subject: str) -> None:
    sample = RuleWords("a'+x@b.example", subject)
    text = rule_text("p", "notice", RuleWords(sample.sender, draft_subject(subject)), sample, "why")
    (rule,) = load_rules(text, "p").rules
    assert rule.name == "p"
    assert rule.subject[0].search(subject.replace("\t", " "))
