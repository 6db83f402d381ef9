"""Answering at the desk: one transaction makes the answer, checks it and lays it in the outbox.

The recipient is bound to the message answered. An answer that was written to an outdated view of the ticket,
that names no order, or whose finished bytes do not pass the last check is refused with a sentence, and its
text is kept as a draft.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from relaydesk.desk.errors import DeskError
from relaydesk.desk.part import DeskPart
from relaydesk.desk.permissions import agent_name, demand
from relaydesk.desk.values import Queued
from relaydesk.events import (
    AnswerCancelled,
    AnswerQueued,
    ClockStopped,
    Event,
    MessageJoined,
    NoOrderConfirmed,
)
from relaydesk.outbound import (
    AnswerRefused,
    Draft,
    Question,
    answer_subject,
    attach_files,
    check_outgoing,
    compose_answer,
    question_of,
)
from relaydesk.store import casework, drafts, orders, outbox, ticket_orders, tickets
from relaydesk.store import events as journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.desk.part import Acting
    from relaydesk.desk.values import Written
    from relaydesk.outbound import AttachedFile, Sender
    from relaydesk.store import OutboxRow, TicketOrder, TicketRow


class _RehearsedError(Exception):
    """Undoes the transaction of a dry run."""


class Answers(DeskPart):
    """Answering tickets. ``by`` is ``agent:NAME``, whose display name signs what a template says."""

    def write(self, ticket_id: int, written: Written, *, seen: int, by: str, dry_run: bool = False) -> Queued:
        """Lays an answer in the outbox; it leaves when its undo time is over.

        ``seen`` is the number of the latest event that the agent had before them. ``dry_run`` makes the very
        same bytes and keeps nothing. Raises AnswerRefused (the agent's text is kept as a draft) or DeskError.
        """
        sender = self.config.sender()  # reads files and the store: before the transaction
        queued: list[Queued] = []
        try:
            with self.acting("answer", by) as acting:
                queued.append(_queue(acting, ticket_id, written, sender, seen=seen))
                if dry_run:
                    raise _RehearsedError
                drafts.drop(acting.session, ticket_id, acting.actor)
        except _RehearsedError:
            return queued[0]
        except AnswerRefused as refused:
            if dry_run or not written.text.strip():
                raise
            with self.acting("answer", by) as acting:
                drafts.keep(acting.session, ticket_id, acting.actor, written.text, acting.now)
            raise AnswerRefused(f"{refused} Your text is kept as a draft.") from None
        return queued[0]

    def draft(self, ticket_id: int, *, by: str) -> str:
        """The text that this agent could not send. AnswerRefused when there is none."""
        with self.store.reading() as session:
            actor = demand(session, "answer", by)
            text = drafts.read(session, ticket_id, actor)
        if not text:
            raise AnswerRefused(f"No draft of {agent_name(actor)} is kept on ticket {ticket_id}.")
        return text

    def enclosed(self, files: Iterable[tuple[str, bytes]]) -> tuple[AttachedFile, ...]:
        """(name, content) of each file as it goes with an answer. AnswerRefused for what may not go."""
        return attach_files(
            files, types=self.config.attachment_types, each_bytes=self.config.attachment_bytes
        )

    def cancel(self, answer_id: int, *, by: str) -> OutboxRow:
        """Takes an answer back before it leaves; another agent's a lead. DeskError when it is too late."""
        with self.acting("cancel_answer", by) as acting:
            row = _row(acting, answer_id)
            if _of_another(row, acting):
                demand(acting.session, "cancel_answer_of_another", by)
            if not outbox.cancel(acting.session, answer_id, actor=acting.actor, now=acting.now):
                raise DeskError(
                    f"Answer {answer_id} is {row.state}; only what still waits can be taken back."
                )
        return replace(row, state="cancelled")

    def retry(self, answer_id: int, *, by: str) -> OutboxRow:
        """Has a deferred, refused or failed answer tried again at once, the same bytes; another's a lead."""
        with self.acting("retry_answer", by) as acting:
            row = _row(acting, answer_id)
            if _of_another(row, acting):
                demand(acting.session, "retry_answer_of_another", by)
            give_up_at = acting.now + self.config.give_up
            if not outbox.retry(
                acting.session, answer_id, give_up_at=give_up_at, actor=acting.actor, now=acting.now
            ):
                raise DeskError(
                    f"Answer {answer_id} is {row.state}; only a deferred, refused or failed one can be "
                    "retried."
                )
        return replace(row, state="queued")


def _queue(acting: Acting, ticket_id: int, written: Written, letterhead: Sender, *, seen: int) -> Queued:
    session, actor, now = acting.session, acting.actor, acting.now
    ticket = casework.lock(session, ticket_id)
    if ticket is None:
        raise DeskError(f"There is no ticket {ticket_id}.")
    _may_be_answered(session, ticket, seen)
    question = question_of(session, ticket, written.message)
    draft = _draft(session, ticket_id, written)
    outgoing = outbox.Outgoing(
        purpose="answer",
        ticket=ticket_id,
        message=question.message,
        author=actor,
        recipient=question.relay_address,
        order_id=draft.order_id,
        not_before=now + letterhead.undo,
        give_up_at=now + letterhead.undo + letterhead.give_up,
    )
    finished: list[outbox.Finished] = []

    def build(number: int) -> outbox.Finished:
        finished.append(_finished(question, draft, letterhead, number, now))
        return finished[0]

    number = outbox.put(session, outgoing, build, now)
    if draft.no_order:
        confirmed = Event(ticket_id, now, NoOrderConfirmed(number), actor)
        journal.append(session, [confirmed], now)
    remarks = tuple(_remarks(ticket, letterhead))
    raw = finished[0].raw
    return Queued(
        number, question.message, question.relay_address, draft.order_id, outgoing.not_before, raw, remarks
    )


def _finished(
    question: Question, draft: Draft, letterhead: Sender, number: int, now: datetime
) -> outbox.Finished:
    """The message as it leaves: made, signed, and looked at once more."""
    message_id = letterhead.message_id(question.ticket, number)
    raw = compose_answer(question, draft, letterhead.shop, message_id=message_id, date=now)
    raw = letterhead.signed(raw, now)
    check_outgoing(raw, letterhead.bound(question.relay_address, draft.order_id, draft.merchant_ref))
    envelope_from = letterhead.envelope_from(question.ticket, number)
    subject = answer_subject(question.subject, draft.order_id)
    return outbox.Finished(envelope_from, message_id, subject, raw)


def _may_be_answered(session: Session, ticket: TicketRow, seen: int) -> None:
    if not ticket.open:
        raise AnswerRefused(
            f"Ticket {ticket.id} is closed; open it first: `relaydesk ticket {ticket.id} --reopen`."
        )
    found = tickets.events(session, ticket.id)
    if seen and seen not in {number for number, _ in found}:
        raise AnswerRefused(
            f"Event {seen} is none of ticket {ticket.id}, whose latest is {found[-1][0]}: look at the ticket "
            f"again, it names the event up to which you have seen it."
        )
    changes = tuple(changed_since(found, seen))
    if changes:
        raise AnswerRefused(
            f"Ticket {ticket.id} has moved on since you looked at it: {'; '.join(changes)}. "
            f"Look at it again, then send with --seen {found[-1][0]}."
        )


def changed_since(events: Iterable[tuple[int, Event]], seen: int) -> list[str]:
    """What came after event ``seen`` and bears on an answer, in words: customer mail and others' answers."""
    changes: dict[str, str] = {}
    for number, event in events:
        if number <= seen:
            continue
        when = f"{event.at:%Y-%m-%d %H:%M} UTC"
        who = event.actor.removeprefix("agent:")
        match event.payload:
            case MessageJoined(message=message):
                changes[f"message {number}"] = f"message {message} came ({when})"
            case AnswerQueued(answer=answer, purpose="answer"):
                changes[f"answer {answer}"] = f"{who} wrote answer {answer} ({when})"
            case AnswerCancelled(answer=answer):
                changes.pop(f"answer {answer}", None)
            case ClockStopped(how="answered_outside"):
                changes[f"stop {number}"] = f"{who} stated that it was answered elsewhere ({when})"
    return list(changes.values())


def _draft(session: Session, ticket_id: int, written: Written) -> Draft:
    named = ticket_orders.of_tickets(session, [ticket_id])
    order_id = choose_order(named, written.order, no_order=written.no_order)
    known = [order for order in orders.find(session, order_id) if order.id == order_id] if order_id else []
    return Draft(
        text=written.text,
        order_id=order_id,
        merchant_ref=known[0].merchant_ref if known else "",
        no_order=written.no_order,
        enclosures=written.enclosures,
    )


def choose_order(named: Iterable[TicketOrder], order: str | None, *, no_order: bool) -> str | None:
    """The order an answer names: the bound one, or the agent's choice; None only on the agent's word.

    Raises AnswerRefused where there is something to choose, and for a number that the ticket does not hold.
    """
    mine = [number for number in named if number.what == "order" and number.how != "released"]
    bound = [number.value for number in mine if number.how == "bound"]
    if no_order:
        if order is not None:
            raise AnswerRefused("Choose one of --order and --no-order.")
        if bound:
            raise AnswerRefused(
                f"Order {bound[0]} is bound to this ticket; release it before you state that there is none."
            )
        return None
    if order is not None:
        if order not in {number.value for number in mine}:
            raise AnswerRefused(
                f"Order {order} is none of this ticket's numbers ({_listed(mine)}); bind it first with "
                f"--bind-order."
            )
        return order
    if len(bound) == 1:
        return bound[0]
    if bound:
        raise AnswerRefused(f"Several orders are bound: choose with --order one of {', '.join(bound)}.")
    raise AnswerRefused(
        f"No order is bound to this ticket: choose a candidate with --order ({_listed(mine)}), or confirm "
        "with --no-order that no order number exists."
    )


def _listed(named: Sequence[TicketOrder]) -> str:
    return ", ".join(f"{one.value} {one.how.replace('_', ' ')}" for one in named) or "there is none"


def _remarks(ticket: TicketRow, letterhead: Sender) -> Iterable[str]:
    if not ticket.verified:
        yield "The customer's mail is unverified: nothing proves that it is Meta's. Tell no personal data."
    if letterhead.key is None:
        yield "No DKIM key is set, so the answer is not signed; Meta refuses unsigned mail (answer_dkim)."


def _row(acting: Acting, answer_id: int) -> OutboxRow:
    row = outbox.row(acting.session, answer_id)
    if row is None:
        raise DeskError(f"There is no answer {answer_id}; `relaydesk outbox --all` lists them.")
    return row


def _of_another(row: OutboxRow, acting: Acting) -> bool:
    """Whether another agent wrote it; what no agent wrote (mail handed on) is anybody's."""
    return agent_name(row.author) is not None and row.author != acting.actor
