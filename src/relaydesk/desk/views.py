"""What there is to see at the desk beside its tickets: the outbox, refusals, the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import CONSOLE, DeskPart, agent_actor
from relaydesk.store import audit, named_tickets, outbox, refusals, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from relaydesk.store import AuditRow, OutboxRow, RefusalCount

REFUSAL_DAYS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class OutboxBoard:
    """Rows of the outbox, the buyers of their tickets by number, and how many wait by state."""

    waiting: tuple[OutboxRow, ...]
    lately: tuple[OutboxRow, ...]
    buyers: Mapping[int, str]
    counts: Mapping[str, int]


class Outbox(DeskPart):
    """What waits to be sent, and what became of it."""

    def waiting(self, limit: int = 200) -> tuple[OutboxRow, ...]:
        """What a person must look at, newest first, then what is undecided, by when its turn comes."""
        with self.store.reading() as session:
            ended = outbox.needing_look(session, limit)
            return (*ended, *outbox.waiting(session, limit - len(ended)))

    def board(self, *, by: str, limit: int = 100) -> OutboxBoard:
        """The outbox as leads look after it: what waits or needs them, then what went lately."""
        self.viewing("outbox", by)
        waiting = self.waiting(limit)
        shown = {row.id for row in waiting}
        with self.store.reading() as session:
            lately = tuple(row for row in outbox.newest(session, limit) if row.id not in shown)
            names = named_tickets.by_ids(session, [row.ticket_id for row in (*waiting, *lately)])
            counts = state_of.undecided_answers(session)
        return OutboxBoard(waiting, lately, {key: row.username for key, row in names.items()}, counts)

    def newest(self, limit: int = 200) -> tuple[OutboxRow, ...]:
        """Everything, newest first."""
        with self.store.reading() as session:
            return outbox.newest(session, limit)


@dataclass(frozen=True, slots=True)
class RefusalBoard:
    """Counted refusals, and those of networks that senders publish but the list lacks."""

    rows: tuple[RefusalCount, ...]
    drift: tuple[RefusalCount, ...]


class AuditLog(DeskPart):
    """What people did or read that no ticket tells."""

    def page(
        self, *, by: str, before: int | None = None, actor: str = "", what: str = "", limit: int = 100
    ) -> tuple[AuditRow, ...]:
        """The newest lines, before line ``before``; of one agent or one word where given."""
        self.viewing("administration", by)
        named = actor if actor == CONSOLE or not actor or ":" in actor else agent_actor(actor)
        with self.store.reading() as session:
            return audit.page(session, before=before, actor=named, what=what, limit=limit)


class Refusals(DeskPart):
    """What was refused or deferred at the SMTP port."""

    def board(self, text: str = "", *, by: str, limit: int = 200) -> RefusalBoard:
        """What was refused in 30 days, as leads look at it, and the drift that wants the list looked at."""
        self.viewing("refusals", by)
        drift = tuple(row for row in self.search("drift", limit=20) if row.network != refusals.OTHERS)
        return RefusalBoard(self.search(text.strip(), limit=limit), drift)

    def search(
        self,
        text: str = "",
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 200,
    ) -> tuple[RefusalCount, ...]:
        """Refusals from ``since`` (default: 30 days before the end) to ``until`` (default: now).

        ``text`` narrows it to a reason code, a From domain, an address or its network.
        """
        end = until or self.clock()
        with self.store.reading() as session:
            return refusals.search(
                session, since=since or end - REFUSAL_DAYS, until=end, text=text, limit=limit
            )
