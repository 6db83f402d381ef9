"""What there is to see at the desk beside its tickets: the outbox, refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import DeskPart
from relaydesk.store import outbox, refusals

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.store import OutboxRow, RefusalCount

REFUSAL_DAYS = timedelta(days=30)


class Outbox(DeskPart):
    """What waits to be sent, and what became of it."""

    def waiting(self, limit: int = 200) -> tuple[OutboxRow, ...]:
        """What a person must look at, newest first, then what is undecided, by when its turn comes."""
        with self.store.reading() as session:
            ended = outbox.needing_look(session, limit)
            return (*ended, *outbox.waiting(session, limit - len(ended)))

    def newest(self, limit: int = 200) -> tuple[OutboxRow, ...]:
        """Everything, newest first."""
        with self.store.reading() as session:
            return outbox.newest(session, limit)


class Refusals(DeskPart):
    """What was refused or deferred at the SMTP port."""

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
