"""What is on its way out, and what was turned away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.desk.part import DeskPart
from relaydesk.store import outbox, refusals

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.store import OutboxRow, RefusalCount

REFUSAL_DAYS = timedelta(days=30)


class Outbox(DeskPart):
    """What waits to be sent, and what became of it."""

    def waiting(self, limit: int = 200) -> tuple[OutboxRow, ...]:
        """What is undecided, by when its turn comes."""
        with self.store.reading() as session:
            return outbox.waiting(session, limit)

    def newest(self, limit: int = 200) -> tuple[OutboxRow, ...]:
        """Everything, newest first."""
        with self.store.reading() as session:
            return outbox.newest(session, limit)


class Refusals(DeskPart):
    """What was turned away at the port."""

    def search(
        self,
        text: str = "",
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 200,
    ) -> tuple[RefusalCount, ...]:
        """What was turned away from ``since`` (default: 30 days before the end) to ``until`` (default: now).

        ``text`` narrows it to a reason code, a From domain, an address or its network.
        """
        end = until or self.clock()
        with self.store.reading() as session:
            return refusals.search(
                session, since=since or end - REFUSAL_DAYS, until=end, text=text, limit=limit
            )
