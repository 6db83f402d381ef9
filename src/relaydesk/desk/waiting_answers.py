"""What can still be done with an answer that was laid in the outbox: taking it back, trying it again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from relaydesk.clocks import reopen_ticket
from relaydesk.desk.config import DeskError, NotThere
from relaydesk.desk.permissions import DeskPart, agent_name, demand
from relaydesk.desk.ticket_view import sent_message
from relaydesk.events import UNDONE, TicketClosed
from relaydesk.store import drafts, events, looks, outbox, tickets, written_answers

if TYPE_CHECKING:
    from relaydesk.desk.permissions import Acting
    from relaydesk.store import OutboxRow

LOST = ("refused", "failed", "bounced")


class WaitingAnswers(DeskPart):
    """Part of :class:`relaydesk.desk.answers.Answers`."""

    def cancel(self, answer_id: int, *, by: str) -> OutboxRow:
        """Cancels an answer before it is sent; another agent's needs a lead. DeskError when too late.

        What it was written as is its author's draft again, with its files. A ticket that was closed with it
        is opened again.
        """
        with self.acting("cancel_answer", by) as acting:
            row = _row(acting, answer_id)
            if _of_another(row, acting):
                demand(acting.session, "cancel_answer_of_another", by)
            tickets.lock(acting.session, row.ticket_id)  # before the row, as everybody does who needs both
            if not outbox.cancel(acting.session, answer_id, actor=acting.actor, now=acting.now):
                raise DeskError(
                    f"Answer {answer_id} is {row.state}; only queued or deferred ones can be cancelled."
                )
            back = written_answers.bring_back(acting.session, answer_id, acting.now)
            if back is not None and back.closes:
                _open_again(acting, back.ticket_id, back.author)
        return replace(row, state="cancelled")

    def take_back(self, answer_id: int, *, by: str) -> OutboxRow:
        """Makes an answer a draft again: one that waits is cancelled, one that was lost is written again."""
        with self.store.reading() as session:
            demand(session, "cancel_answer", by)
            row = outbox.row(session, answer_id)
        return (self.write_again if row and row.state in LOST else self.cancel)(answer_id, by=by)

    def write_again(self, answer_id: int, *, by: str) -> OutboxRow:
        """Makes an answer that was refused, given up or came back a draft again, with its files; another
        agent's needs a lead. It stays in the outbox as it is. DeskError for any other."""
        with self.acting("cancel_answer", by) as acting:
            row = _row(acting, answer_id)
            if _of_another(row, acting):
                demand(acting.session, "cancel_answer_of_another", by)
            if row.state not in LOST:
                raise DeskError(f"Answer {answer_id} is {row.state}; only a lost one is written again.")
            if written_answers.bring_back(acting.session, answer_id, acting.now) is None:
                _read_back(acting, row)
        return row

    def retry(self, answer_id: int, *, by: str) -> OutboxRow:
        """Has a deferred, refused or failed answer tried again at once, the same bytes; another's a lead."""
        with self.acting("retry_answer", by) as acting:
            row = _row(acting, answer_id)
            if _of_another(row, acting):
                demand(acting.session, "retry_answer_of_another", by)
            give_up_at = acting.now + self.config.give_up
            tickets.lock(acting.session, row.ticket_id)  # before the row, as everybody does who needs both
            if not outbox.retry(
                acting.session, answer_id, give_up_at=give_up_at, actor=acting.actor, now=acting.now
            ):
                raise DeskError(
                    f"Answer {answer_id} is {row.state}; only a deferred, refused or failed one can be "
                    "retried."
                )
            looks.clear_if_sent_again(acting.session, row.ticket_id, actor=acting.actor, now=acting.now)
        return replace(row, state="queued")


def _row(acting: Acting, answer_id: int) -> OutboxRow:
    row = outbox.row(acting.session, answer_id)
    if row is None:
        raise NotThere(f"There is no answer {answer_id}; `relaydesk outbox --all` lists them.")
    return row


def _of_another(row: OutboxRow, acting: Acting) -> bool:
    """Whether another agent wrote it; what no agent wrote (forwarded mail) belongs to all."""
    return agent_name(row.author) is not None and row.author != acting.actor


def _open_again(acting: Acting, ticket_id: int, author: str) -> None:
    """Unless somebody did something since; what they did then stands."""
    tickets.lock(acting.session, ticket_id)
    ticket = tickets.row(acting.session, ticket_id)
    closed = events.latest(acting.session, ticket_id, TicketClosed.what)
    act = events.one(acting.session, closed)
    since = events.since(acting.session, ticket_id, closed)
    if ticket is None or ticket.open or tickets.thread_is_open(acting.session, ticket_id) is not None:
        return
    if act and act.actor == author and all(event.actor in (acting.actor, "relaydesk") for event in since):
        reopen_ticket(acting.session, ticket_id, UNDONE, actor=acting.actor, at=acting.now, now=acting.now)


def _read_back(acting: Acting, row: OutboxRow) -> None:
    """From its bytes, where nobody knows any more what it was made of."""
    message = sent_message(outbox.raw(acting.session, row.id) or b"")
    drafts.keep(acting.session, row.ticket_id, acting.actor, message.text, acting.now, order_id=row.order_id)
    for attachment in message.attachments:
        drafts.add_file(
            acting.session, row.ticket_id, acting.actor, attachment.name, attachment.content, acting.now
        )
