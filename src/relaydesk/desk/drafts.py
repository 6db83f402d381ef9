"""What an agent is writing: kept as they write, with files, until it is sent or thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.desk.config import DeskError, UnknownTicket
from relaydesk.desk.permissions import DeskPart, demand
from relaydesk.outbound import attach_files
from relaydesk.store import drafts, outbox, tickets, written_answers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from relaydesk.outbound import AttachedFile
    from relaydesk.store import DraftRow, Leaving, OutboxRow

MOST_FILES = 20
MOST_BYTES = 60_000_000  # of all the files in one agent's drafts
LONGEST_TEXT = 200_000  # characters


class Drafts(DeskPart):
    """Each agent has one draft on each ticket; nobody else changes it."""

    def read(self, ticket_id: int, *, by: str) -> DraftRow | None:
        """One's draft on a ticket, None where there is none."""
        with self.store.reading() as session:
            return drafts.whole(session, ticket_id, demand(session, "answer", by))

    def leaving(self, *, by: str) -> tuple[Leaving, ...]:
        """One's answers that can still be taken back, the latest first."""
        with self.store.reading() as session:
            return written_answers.leaving(session, demand(session, "answer", by), self.clock())

    def save(  # noqa: PLR0913 - what was written and chosen, by whom
        self,
        ticket_id: int,
        text: str,
        *,
        by: str,
        order: str | None = None,
        no_order: bool = False,
        token: str = "",
    ) -> None:
        """Keeps the text as it stands; an empty one is no draft.

        ``token`` is that of the form it stands in: once that was sent, what it saved last comes too late.
        """
        if len(text) > LONGEST_TEXT:
            raise DeskError(f"The draft is longer than {LONGEST_TEXT:,} characters and was not kept.")
        with self.acting("answer", by) as acting:
            if tickets.row(acting.session, ticket_id) is None:
                raise UnknownTicket(f"There is no ticket {ticket_id}.")
            if token and written_answers.sent_as(acting.session, token) is not None:
                return
            if text.strip():
                drafts.keep(
                    acting.session,
                    ticket_id,
                    acting.actor,
                    text,
                    acting.now,
                    order_id=order,
                    no_order=no_order,
                )
            else:
                drafts.drop(acting.session, ticket_id, acting.actor)

    def attach(self, ticket_id: int, files: Iterable[tuple[str, bytes]], *, by: str) -> None:
        """Puts files to the draft. AnswerRefused for what may not go with an answer: type, size, number."""
        added = list(files)
        with self.store.reading() as session:
            actor = demand(session, "answer", by)
            if tickets.row(session, ticket_id) is None:
                raise UnknownTicket(f"There is no ticket {ticket_id}.")
            present = drafts.contents(session, ticket_id, actor)
        checked = self._checked([*present, *added])[len(present) :]
        with self.acting("answer", by) as acting:
            if len(drafts.files(acting.session, ticket_id, acting.actor)) + len(checked) > MOST_FILES:
                raise DeskError(f"An answer takes at most {MOST_FILES} files.")
            held = drafts.bytes_of(acting.session, acting.actor)
            if held + sum(len(file.content) for file in checked) > MOST_BYTES:
                raise DeskError(
                    f"Your drafts hold {held // 1_000_000} of {MOST_BYTES // 1_000_000} MB of files already; "
                    "send or discard one first."
                )
            for file in checked:
                drafts.add_file(acting.session, ticket_id, acting.actor, file.name, file.content, acting.now)

    def _checked(self, files: list[tuple[str, bytes]]) -> tuple[AttachedFile, ...]:
        return attach_files(
            files, types=self.config.attachment_types, each_bytes=self.config.attachment_bytes
        )

    def detach(self, ticket_id: int, file_id: int, *, by: str) -> None:
        """Takes a file away from the draft."""
        with self.acting("answer", by) as acting:
            if not drafts.remove_file(acting.session, ticket_id, acting.actor, file_id):
                raise DeskError("This file is not with your draft any more.")

    def discard(self, ticket_id: int, *, by: str) -> bool:
        """Throws the draft away, with its files; False where there was none. It can be restored for a day."""
        with self.acting("answer", by) as acting:
            return drafts.discard(acting.session, ticket_id, acting.actor, acting.now)

    def restore(self, ticket_id: int, *, by: str) -> None:
        """Brings a discarded draft back. DeskError where another was begun since."""
        with self.acting("answer", by) as acting:
            if not drafts.restore(acting.session, ticket_id, acting.actor):
                raise DeskError("The discarded draft is gone, or another was begun since.")

    def finish(self, ticket_id: int, *, by: str) -> None:
        """What was written is recorded by now: there is no draft any more."""
        with self.acting("answer", by) as acting:
            drafts.drop(acting.session, ticket_id, acting.actor)

    def note(self, ticket_id: int, *, by: str) -> str:
        """What one has written of a note; "" for nothing."""
        with self.store.reading() as session:
            return drafts.note(session, ticket_id, demand(session, "note", by))

    def save_note(self, ticket_id: int, text: str, *, by: str) -> None:
        """Keeps what is written of a note; an empty one is none."""
        if len(text) > LONGEST_TEXT:
            raise DeskError(f"The note is longer than {LONGEST_TEXT:,} characters and was not kept.")
        with self.acting("note", by) as acting:
            if tickets.row(acting.session, ticket_id) is None:
                raise UnknownTicket(f"There is no ticket {ticket_id}.")
            drafts.keep_note(acting.session, ticket_id, acting.actor, text, acting.now)

    def enclosed(self, ticket_id: int, *, by: str) -> tuple[AttachedFile, ...]:
        """The draft's files as they go with an answer."""
        with self.store.reading() as session:
            present = drafts.contents(session, ticket_id, demand(session, "answer", by))
        return self._checked(present)

    def sent_as(self, token: str, *, by: str) -> OutboxRow | None:
        """The answer that a form became already; None when it was not sent."""
        with self.store.reading() as session:
            actor = demand(session, "answer", by)
            number = written_answers.sent_as(session, token)
            row = outbox.row(session, number) if number is not None else None
            return row if row is not None and row.author == actor else None
