"""What comes back for an answer: the clock it had stopped, the ticket it belongs to, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.bounces.dsn import Dsn
from relaydesk.bounces.seals import bounce_address
from relaydesk.business_time.calendar import Calendar
from relaydesk.clocks import timekeeper
from relaydesk.intake import bounced as returned
from relaydesk.intake.receive import Intake
from relaydesk.message.envelope import Envelope, Origin
from relaydesk.policy.allowlist import parse_allowlist
from relaydesk.policy.decision import Placement
from relaydesk.policy.policy import Policy
from relaydesk.report.history import histories
from relaydesk.store import outbox, outbox_rows, tickets
from relaydesk_testkit.arriving import NOON, decision, open_ticket, planned, store_message
from relaydesk_testkit.signing import key_zone, over, signed
from tests.support.answering import SECRET, events, plan, send, write
from tests.support.desk import BOB, desk
from tests.support.mails import RULES

if TYPE_CHECKING:
    from relaydesk.classify.rules import Rules
    from relaydesk.policy.decision import Decision
    from relaydesk.policy.policy import Plan
    from relaydesk.store.deadlines import DeadlineRow
    from relaydesk.store.engine import Store

HOUR = timedelta(hours=1)
SENT = NOON + 2 * HOUR
BACK = NOON + 3 * HOUR
HARD = Dsn("undelivered", status="5.1.1")


def clocks(store: Store, ticket: int) -> list[DeadlineRow]:
    with store.reading() as session:
        view = tickets.view(session, ticket)
    assert view is not None
    return list(view.clocks)


def state(store: Store, answer: int) -> str:
    with store.reading() as session:
        row = outbox.row(session, answer)
    assert row is not None
    return row.state


def whats(store: Store, ticket: int) -> list[str]:
    return [event.what for event in events(store, ticket)]


def answered(store: Store, ticket: int, *, at: datetime = SENT, **chosen: Any) -> int:
    """An answer that the next hop took ``at``."""
    made = write(store, ticket, no_order=True, **chosen)
    send(store, ticket, at)
    return made.answer


def back(
    store: Store, ticket: int, dsn: Dsn = HARD, answer: int = 1, *, at: datetime = BACK, plan: Plan = plan
) -> bool:
    with store.transaction() as session:
        return returned.take_bounce(session, ticket, 1, dsn, answer=answer, at=at, plan=plan, now=at)


def test_it_reopens_the_clock_with_its_own_start_and_due(store: Store) -> None:
    ticket = open_ticket(store)
    before = clocks(store, ticket)[0]
    answer = answered(store, ticket)
    assert clocks(store, ticket)[0].stopped_at == SENT
    assert back(store, ticket)
    assert clocks(store, ticket) == [before]
    assert state(store, answer) == "bounced"
    assert whats(store, ticket)[-3:] == ["answer_bounced", "clock_reopened", "needs_look"]
    bounced = events(store, ticket)[-3]
    assert (bounced.at, bounced.actor) == (BACK, "mail")
    assert bounced.data == {"answer": 1, "purpose": "answer", "hard": True, "status": "5.1.1", "message": 1}
    with store.reading() as session:
        row = tickets.row(session, ticket)
    assert row is not None
    assert row.next_due == before.due_at
    # the report and the timekeeper see a clock that was never stopped
    history = next(histories(events(store, ticket), BACK))
    assert [(run.outcome, run.ended) for run in history.runs] == [("running", None)]
    timekeeper.sweep(store, before.due_at + HOUR)
    assert clocks(store, ticket)[0].breached_at == before.due_at


@pytest.mark.parametrize(
    "dsn",
    [
        Dsn("delayed", status="4.4.1"),
        Dsn("unclear"),
        Dsn("auto_reply"),
        Dsn("undelivered", of_bounce=True),
        Dsn("undelivered", original_message_id="<somebody@elses.example>"),
    ],
)
def test_it_starts_nothing_for_anything_but_a_hard_bounce(store: Store, dsn: Dsn) -> None:
    ticket = open_ticket(store)
    answer = answered(store, ticket)
    assert not back(store, ticket, dsn)
    assert clocks(store, ticket)[0].stopped_at == SENT
    assert state(store, answer) == "sent"
    assert "clock_reopened" not in whats(store, ticket)
    # what says nothing of delivery is no bounce of the answer at all
    told = not (dsn.is_auto_reply or dsn.of_bounce or dsn.original_message_id)
    assert ("answer_bounced" in whats(store, ticket)) == told


def test_it_counts_one_bounce_of_an_answer(store: Store) -> None:
    ticket = open_ticket(store)
    answered(store, ticket)
    assert back(store, ticket)
    assert not back(store, ticket)
    assert whats(store, ticket).count("clock_reopened") == 1


def test_it_knows_the_answer_by_recipient_or_message_id_where_none_is_named(store: Store) -> None:
    ticket = open_ticket(store)
    first = answered(store, ticket)
    answered(store, ticket, at=SENT + HOUR)
    with store.reading() as session:
        row = outbox.row(session, first)
    assert row is not None
    assert not back(store, ticket, replace(HARD, final_recipient="other@support.facebook.com"), answer=0)
    assert back(store, ticket, replace(HARD, original_message_id=row.rfc_message_id), answer=0)
    assert state(store, first) == "bounced"
    assert back(store, ticket, replace(HARD, final_recipient=row.recipient.upper()), answer=0)
    assert state(store, first + 1) == "bounced"


def test_it_lets_another_answer_stand(store: Store) -> None:
    ticket = open_ticket(store)
    answered(store, ticket)
    second = answered(store, ticket, at=SENT + HOUR)
    assert back(store, ticket)
    assert clocks(store, ticket)[0].stopped_at == SENT + HOUR
    assert back(store, ticket, answer=second, at=BACK + HOUR)
    assert clocks(store, ticket)[0].running


def test_it_lets_a_statement_stand_that_it_was_answered_elsewhere(store: Store) -> None:
    ticket = open_ticket(store)
    desk(store, NOON + HOUR).tickets.state_answered_elsewhere(ticket, at=NOON + HOUR, by=BOB)
    answered(store, ticket)
    back(store, ticket)
    assert clocks(store, ticket)[0].stopped_at == NOON + HOUR


def test_it_withdraws_the_clock_of_a_later_message(store: Store) -> None:
    ticket = open_ticket(store)
    answered(store, ticket)
    later = SENT + HOUR / 2
    again = decision(Placement("join", ticket), clocks=(planned(start=later),))
    store_message(store, again, body=b"again", at=later)
    assert back(store, ticket)
    first, second = clocks(store, ticket)
    assert (first.running, first.due_at) == (True, NOON + 48 * HOUR)
    assert (second.running, second.stopped_how) == (False, "withdrawn")
    runs = next(histories(events(store, ticket), BACK)).runs
    assert [(run.round, run.outcome) for run in runs] == [(1, "running")]
    # answered after all: what a further message starts is the third round
    answered(store, ticket, at=BACK + HOUR, now=BACK)
    later = BACK + 2 * HOUR
    again = decision(Placement("join", ticket), clocks=(planned(start=later),))
    store_message(store, again, body=b"and again", at=later)
    assert [(c.round, c.running) for c in clocks(store, ticket)] == [(1, False), (2, False), (3, True)]


def test_it_opens_a_closed_ticket_again(store: Store) -> None:
    ticket = open_ticket(store)
    answered(store, ticket)
    desk(store, SENT).tickets.close(ticket, by=BOB)
    assert back(store, ticket)
    with store.reading() as session:
        row = tickets.row(session, ticket)
    assert row is not None
    assert (row.open, row.next_due) == (True, NOON + 48 * HOUR)
    assert whats(store, ticket)[-4:] == ["answer_bounced", "reopened", "clock_reopened", "needs_look"]


def test_it_leaves_a_ticket_closed_whose_buyer_is_answered_elsewhere(store: Store) -> None:
    ticket = open_ticket(store)
    answered(store, ticket)
    desk(store, SENT).tickets.close(ticket, by=BOB)
    open_ticket(store, at=SENT)  # the same relay address
    assert back(store, ticket)
    clock = clocks(store, ticket)[0]
    assert (clock.stopped_at, clock.suspended) == (None, True)


def test_it_reopens_nothing_for_what_stopped_nothing(store: Store) -> None:
    ticket = open_ticket(store)
    with store.transaction() as session:
        outgoing = outbox_rows.Outgoing(
            "automatic", ticket, 1, "gateway:zen", "a@support.facebook.com", None, NOON, NOON + 9 * HOUR
        )
        made = outbox_rows.Finished("bounces@shop.example", "<1@shop.example>", "Re: Hello", b"raw")
        outbox.put(session, outbox.next_number(session), outgoing, made, NOON)
    answered(store, ticket)  # both leave at the same moment; it is the answer that stops the clock
    assert back(store, ticket)
    assert [state(store, 1), state(store, 2)] == ["bounced", "sent"]
    assert clocks(store, ticket)[0].stopped_at == SENT
    assert "clock_reopened" not in whats(store, ticket)


# --- through the intake -----------------------------------------------------------------------------

POLICY = Policy(
    allowlist=parse_allowlist(
        "networks: [66.220.144.128/25]\nsenders: [support.facebook.com, mx.facebook.com]\n"
    ),
    calendar=Calendar.from_mapping({}),
    queues={},
    mailboxes=frozenset({"help@shop.example"}),
    secret=SECRET,
)
STRANGER = Origin("192.0.2.7", "none", allowlisted=False, how="peer")
META = Origin("66.220.144.130", "origin", allowlisted=True, how="peer")
RELAY = "case++alice@support.facebook.com"
REPORT = (
    "From: MAILER-DAEMON@hop.example\r\nSubject: Undelivered\r\nAuto-Submitted: auto-replied\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; hop.example\r\n\r\n"
    f"Final-Recipient: rfc822; {RELAY}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: %s\r\nSubject: Re: Hello\r\n\r\nHi\r\n--b--\r\n"
)
AWAY = "From: someone@meta.example\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\nBack soon."
NOTICE = (
    "From: Facebook <mailer-daemon@mx.facebook.com>\r\nTo: help@shop.example\r\nMIME-Version: 1.0\r\n"
    "Date: Tue, 24 Nov 2026 15:00:00 +0000\r\nContent-Type: text/plain\r\n"
    f"Subject: Sorry, your message could not be delivered\r\n\r\n{RELAY} could not be reached.\r\n"
)


def message_id(store: Store, answer: int = 1) -> str:
    with store.reading() as session:
        row = outbox.row(session, answer)
    assert row is not None
    return row.rfc_message_id


@dataclass(frozen=True)
class Config:
    """What the intake reads of a configuration."""

    policy: Policy = POLICY
    rules: Rules = RULES
    hostname: str = "mx.shop.example"
    authserv_id: str = "mx.shop.example"
    auth_timeout: float = 20.0
    forwarding: None = None


async def arrive(
    store: Store,
    raw: bytes,
    *,
    rcpt: str,
    mail_from: str = "",
    origin: Origin = STRANGER,
    config: Config | None = None,
) -> Decision | None:
    """What became of a message that was handed in: None when the recipient was refused."""
    with ThreadPoolExecutor(1) as workers:
        intake = Intake(
            store=store,
            resolver=over({**key_zone("mx.facebook.com"), **key_zone("support.facebook.com")}),
            clock=lambda: BACK,
            workers=workers,
        )
        config = config or Config()
        admission = await intake.admit(config, origin, "hop.example", mail_from, rcpt)
        if admission.outcome != "accepted":
            return None
        envelope = Envelope(origin.ip or "", origin, "hop.example", mail_from, (rcpt,), raw, BACK, remarks=())
        return await intake.receive(config, envelope)


def count(store: Store) -> int:
    with store.reading() as session:
        return len([n for n in range(1, 9) if tickets.row(session, n) is not None])


async def test_it_takes_a_bounce_from_any_peer_to_its_answer(store: Store) -> None:
    ticket = open_ticket(store)
    answer = answered(store, ticket)
    address = bounce_address(SECRET, ticket, "shop.example", answer)
    decided = await arrive(store, (REPORT % message_id(store)).encode(), rcpt=address)
    assert decided is not None
    assert [why.code for why in decided.reasons] == ["bounce_of_answer", "joins_bounce", "bounce_hard"]
    assert "5.1.1" in decided.reasons[-1].text
    assert whats(store, ticket)[-4:] == ["bounced", "answer_bounced", "clock_reopened", "needs_look"]
    assert state(store, answer) == "bounced"
    assert count(store) == 1


async def test_it_starts_nothing_for_an_out_of_office(store: Store) -> None:
    ticket = open_ticket(store)
    answer = answered(store, ticket)
    address = bounce_address(SECRET, ticket, "shop.example", answer)
    decided = await arrive(store, AWAY.encode(), rcpt=address)
    assert decided is not None
    assert decided.reasons[-1].code == "auto_reply"
    assert state(store, answer) == "sent"
    assert clocks(store, ticket)[0].stopped_at == SENT
    assert count(store) == 1
    # with a sender of its own it is not even let in
    assert await arrive(store, AWAY.encode(), rcpt=address, mail_from="someone@meta.example") is None


async def test_it_starts_nothing_for_a_bounce_of_a_bounce(store: Store) -> None:
    ticket = open_ticket(store)
    answer = answered(store, ticket)
    address = bounce_address(SECRET, ticket, "shop.example", answer)
    twice = (REPORT % "<1@hop.example>").replace("Subject: Re: Hello", "From: MAILER-DAEMON@hop.example")
    decided = await arrive(store, twice.encode(), rcpt=address)
    assert decided is not None
    assert decided.reasons[-1].code == "bounce_of_bounce"
    assert state(store, answer) == "sent"
    with store.reading() as session:
        assert [row.id for row in outbox.newest(session)] == [answer]  # nothing answers a bounce
    assert count(store) == 1


@pytest.mark.parametrize("to_bounces", [False, True])
async def test_it_ties_metas_own_notice_to_the_answer(store: Store, to_bounces: bool) -> None:
    ticket = open_ticket(store)
    answer = answered(store, ticket)
    sealed = bounce_address(SECRET, ticket, "shop.example", answer)
    # the address names the answer; where only the mailbox was told, the text must
    notice = NOTICE.replace(RELAY, "Someone") if to_bounces else NOTICE
    decided = await arrive(
        store,
        signed(notice.encode(), domain="mx.facebook.com"),
        rcpt=sealed if to_bounces else "help@shop.example",
        mail_from="mailer-daemon@mx.facebook.com",
        origin=META,
    )
    assert decided is not None
    assert decided.kind == "bounce"
    assert decided.reasons[-1].code == "bounce_hard"
    assert (state(store, answer), count(store)) == ("bounced", 1)
    assert clocks(store, ticket)[0].running


async def test_it_knows_the_answer_by_the_message_id_in_metas_notice(store: Store) -> None:
    ticket = open_ticket(store)
    answer = answered(store, ticket)
    answered(store, ticket, at=SENT + HOUR / 2)
    returned_whole = (
        f"--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {message_id(store)}\r\n\r\nHi\r\n--b--\r\n"
    )
    head = NOTICE.partition("\r\n\r\n")[0].replace("text/plain", 'multipart/mixed; boundary="b"')
    decided = await arrive(
        store,
        signed(f"{head}\r\n\r\n{returned_whole}".encode(), domain="mx.facebook.com"),
        rcpt="help@shop.example",
        mail_from="mailer-daemon@mx.facebook.com",
        origin=META,
    )
    assert decided is not None
    assert (decided.kind, state(store, answer), state(store, answer + 1)) == ("bounce", "bounced", "sent")


async def test_it_believes_no_forged_notice(store: Store) -> None:
    ticket = open_ticket(store)
    answer = answered(store, ticket)
    decided = await arrive(
        store,
        NOTICE.encode(),
        rcpt="help@shop.example",
        mail_from="mailer-daemon@mx.facebook.com",
        origin=META,
    )
    assert decided is None or decided.kind != "bounce"
    assert state(store, answer) == "sent"


async def test_it_sorts_a_buyers_mail_even_at_the_bounce_address(store: Store) -> None:
    ticket = open_ticket(store)
    sealed = bounce_address(SECRET, ticket, "shop.example", answered(store, ticket))
    case = (
        f"From: Alice <{RELAY}>\r\nTo: help@shop.example\r\nSubject: Message from alice\r\n"
        "Date: Tue, 24 Nov 2026 15:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
        "Where is my order?\r\n"
    )
    raw = signed(case.encode(), domain="support.facebook.com")
    decided = await arrive(store, raw, rcpt=sealed, mail_from="x@support.facebook.com", origin=META)
    assert decided is not None
    assert (decided.kind, decided.placement.action if decided.placement else "") == ("case", "join")


async def test_it_takes_no_bounce_for_an_unsealed_address(store: Store) -> None:
    ticket = open_ticket(store)
    address = bounce_address(b"another secret", ticket, "shop.example", 1)
    assert await arrive(store, REPORT.encode(), rcpt=address) is None
