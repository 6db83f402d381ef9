"""Answering at the desk.

An answer is made and checked before the transaction that puts it in the outbox; that one takes it only if
the ticket is as it was. Until then its text is a draft, which outlives this process. The recipient is bound
to the message answered. An answer that was written to an outdated view of the ticket, that names no order, or
whose finished bytes do not pass the last check is refused with a sentence, and its text stays a draft.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from relaydesk.clocks import close_ticket
from relaydesk.desk.answerable import AGENT, PAGE, answerable, changed_since
from relaydesk.desk.config import UnknownTicket
from relaydesk.desk.permissions import active_agent, agent_name, demand
from relaydesk.desk.ticket_acts import has_looked, ticket_of
from relaydesk.desk.waiting_answers import WaitingAnswers
from relaydesk.outbound import (
    AnswerRefused,
    Draft,
    attach_files,
    compose_answer,
    queue_answer,
    take_number,
    template_context,
    variables_of,
)
from relaydesk.store import DraftRow, drafts, merges, tickets, until_settled, written_answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from relaydesk.desk.answerable import Change
    from relaydesk.desk.permissions import Acting
    from relaydesk.outbound import AttachedFile, Grounds, Sender
    from relaydesk.store import Finished, TicketRow


@dataclass(frozen=True, slots=True)
class Written:
    """What the agent wrote and chose.

    ``order`` picks one of the ticket's candidates, ``no_order`` states that there is none; neither is needed
    where one order is bound. ``message`` is the one answered, by default the customer's latest. ``token`` is
    that of the form it was written in: its draft, with its files, becomes the answer, and comes back with it.
    ``closes``: the ticket is closed with it. ``on_page``: refusals name what a page has, not options.
    """

    text: str
    order: str | None = None
    no_order: bool = False
    enclosures: tuple[AttachedFile, ...] = ()
    message: int | None = None
    token: str = ""
    closes: bool = False
    on_page: bool = False


@dataclass(frozen=True, slots=True)
class Queued:
    """An answer in the outbox; ``remarks`` are sentences that the agent should read. Not sent yet."""

    answer: int
    message: int
    recipient: str
    order_id: str | None
    leaves_at: datetime
    raw: bytes = field(repr=False)
    remarks: tuple[str, ...] = ()


class Answers(WaitingAnswers):
    """Answering tickets. ``by`` is ``agent:NAME``, whose display name signs what a template says."""

    def write(self, ticket_id: int, written: Written, *, seen: int, by: str, dry_run: bool = False) -> Queued:
        """Lays an answer in the outbox; it leaves when its undo time is over.

        ``seen`` is the number of the latest event that the agent had before them. ``dry_run`` makes the very
        same bytes and keeps nothing. Raises AnswerRefused (the agent's text is kept as a draft) or DeskError.
        """
        try:
            sender = self.config.sender()  # reads files and the store: before the transaction
        except ValueError as problem:  # of the settings
            if not written.on_page:
                raise
            raise AnswerRefused(str(problem)) from None
        try:
            return self._written(ticket_id, written, sender, seen=seen, by=by, dry_run=dry_run)
        except AnswerRefused as refused:
            if dry_run or not written.text.strip():
                raise
            self._keep_draft(ticket_id, written, by)
            raise AnswerRefused(f"{refused} Your text is kept as a draft.") from None

    def _written(  # noqa: PLR0913 - what is answered, with what, by whom
        self, ticket_id: int, written: Written, sender: Sender, *, seen: int, by: str, dry_run: bool
    ) -> Queued:
        versions: list[_FinishedAnswer] = []

        def attempt() -> Queued:
            with self.store.reading() as session:
                demand(session, "answer", by)
                words = PAGE if written.on_page else AGENT
                choice = replace(words, picked=written.order, none=written.no_order)
                ticket, grounds = answerable(session, ticket_id, written.message, choice, seen=seen)
            if not (versions and grounds.same_answer(versions[-1].grounds)):
                if not (dry_run or versions):
                    self._keep_draft(ticket_id, written, by)
                versions.append(self._made(grounds, written, sender, rehearsal=dry_run))
            answer = versions[-1]
            now = self.clock() if dry_run else self._lay(grounds, answer, sender, by, written)
            return Queued(
                answer=answer.number,
                message=grounds.question.message,
                recipient=grounds.question.relay_address,
                order_id=grounds.order.id,
                leaves_at=now + sender.undo,
                raw=answer.finished.raw,
                remarks=tuple(_remarks(ticket, sender)),
            )

        return until_settled(attempt)

    def _made(
        self, grounds: Grounds, written: Written, sender: Sender, *, rehearsal: bool
    ) -> _FinishedAnswer:
        """With no transaction open."""
        question, order, now = grounds.question, grounds.order, self.clock()
        draft = Draft(written.text, order, no_order=written.no_order, enclosures=written.enclosures)
        number = take_number(self.store, rehearsal=rehearsal)
        finished = sender.finished(
            question,
            order,
            number,
            lambda message_id: compose_answer(question, draft, sender.shop, message_id=message_id, date=now),
            now=now,
        )
        return _FinishedAnswer(grounds, number, finished)

    def _lay(
        self, grounds: Grounds, answer: _FinishedAnswer, sender: Sender, by: str, written: Written
    ) -> datetime:
        with self.acting("answer", by) as acting:
            queue_answer(
                acting.session,
                sender,
                grounds,
                answer.number,
                answer.finished,
                author=acting.actor,
                now=acting.now,
                undo=sender.undo,
            )
            ticket_id = merges.head(acting.session, grounds.question.ticket)
            if written.token:
                draft = DraftRow(written.text, written.order, written.no_order, None, ())
                written_answers.send(
                    acting.session,
                    answer.number,
                    written.token,
                    ticket_id,
                    acting.actor,
                    draft,
                    acting.now,
                    closes=written.closes,
                )
            else:
                drafts.drop(acting.session, ticket_id, acting.actor)
            if written.closes:
                self._close(acting, ticket_id, by)
            return acting.now

    def _close(self, acting: Acting, ticket_id: int, by: str) -> None:
        """Closes the ticket with its answer: its clock runs until that has left."""
        demand(acting.session, "close", by)
        has_looked(acting, ticket_of(acting, ticket_id))
        close_ticket(acting.session, ticket_id, actor=acting.actor, now=acting.now)

    def _keep_draft(self, ticket_id: int, written: Written, by: str) -> None:
        if written.text.strip():
            with self.acting("answer", by) as acting:
                if written.token and written_answers.sent_as(acting.session, written.token) is not None:
                    return  # the form came twice, and the other one was sent
                drafts.keep(
                    acting.session,
                    ticket_id,
                    acting.actor,
                    written.text,
                    acting.now,
                    order_id=written.order,
                    no_order=written.no_order,
                )

    def filled(
        self, ticket_id: int, template: str, values: Mapping[str, str], *, by: str, order: str | None = None
    ) -> str:
        """A reply template as it reads for a ticket, signed with the display name of ``by``.

        Its order is ``order``, else the one that is bound. AnswerRefused for what the template lacks.
        """
        shop = self.config.sender().shop  # reads files and the store: before the look at the ticket
        with self.store.reading() as session:
            agent = active_agent(session, agent_name(demand(session, "answer", by)) or "")
            context = template_context(
                session, ticket_id, agent=agent.display_name, shop=shop, order_id=order
            )
        if context is None:
            raise UnknownTicket(f"There is no ticket {ticket_id}.")
        return self.config.templates().render(template, variables_of(context, values))

    def remarks(self, ticket: TicketRow) -> tuple[str, ...]:
        """Sentences that an agent should read before they answer this ticket; also what of the settings
        stands in the way."""
        try:
            sender = self.config.sender()
        except ValueError as problem:  # of the settings
            return (str(problem),)
        return tuple(_remarks(ticket, sender))

    def changes(self, ticket_id: int, seen: int, *, by: str) -> tuple[Change, ...]:
        """What came on a ticket after event ``seen`` and bears on an answer; none where all is as the agent
        saw it."""
        with self.store.reading() as session:
            demand(session, "answer", by)
            return tuple(changed_since(tickets.events(session, ticket_id), seen)) if seen else ()

    def draft(self, ticket_id: int, *, by: str) -> DraftRow:
        """What this agent has written and not sent. AnswerRefused when there is no text."""
        with self.store.reading() as session:
            actor = demand(session, "answer", by)
            draft = drafts.whole(session, ticket_id, actor)
        if draft is None or not draft.text:
            raise AnswerRefused(f"No draft of {agent_name(actor)} is kept on ticket {ticket_id}.")
        return draft

    def enclosed(self, files: Iterable[tuple[str, bytes]]) -> tuple[AttachedFile, ...]:
        """(name, content) of each file as it goes with an answer. AnswerRefused for what may not go."""
        return attach_files(
            files, types=self.config.attachment_types, each_bytes=self.config.attachment_bytes
        )


@dataclass(frozen=True, slots=True)
class _FinishedAnswer:
    """An answer that is finished and checked, and not laid yet."""

    grounds: Grounds
    number: int
    finished: Finished


def _remarks(ticket: TicketRow, sender: Sender) -> Iterable[str]:
    if not ticket.verified:
        yield "The customer's mail is unverified: it may not come from Meta. Do not disclose personal data."
    if sender.key is None:
        yield "No DKIM key is set, so the answer is not signed; Meta refuses unsigned mail (answer_dkim)."
