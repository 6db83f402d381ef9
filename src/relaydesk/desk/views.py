"""What there is to see at the desk: queues and their tickets, the outbox, refusals."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import DeskPart
from relaydesk.store import QueueCount, lists, outbox, refusals

if TYPE_CHECKING:
    from relaydesk.store import OutboxRow, Page, PageKey, RefusalCount, TicketFilter

REFUSAL_DAYS = timedelta(days=30)


class Queues(DeskPart):
    """The queues and the tickets in them."""

    def counts(self) -> tuple[QueueCount, ...]:
        """Every queue of the settings, and any other that has an open ticket; today is the calendar's."""
        now, zone = self.clock(), self.config.calendar.zone
        midnight = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)
        with self.store.reading() as session:
            counted = {count.queue: count for count in lists.counts(session, now, midnight)}
        names = dict.fromkeys([*self.config.queues, *counted])
        return tuple(counted.get(name, QueueCount(name, 0, 0, 0)) for name in names)

    def page(self, criteria: TicketFilter, *, after: PageKey | None = None, limit: int = 50) -> Page:
        """A page of tickets: open ones by deadline, closed ones newest first. UnknownQueue for no queue."""
        if criteria.queue is not None:
            self.config.demand_queue(criteria.queue)
        with self.store.reading() as session:
            return lists.page(session, criteria, now=self.clock(), after=after, limit=limit)


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
