"""The queues and the tickets in them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from relaydesk.desk.part import DeskPart
from relaydesk.store import QueueCount, lists

if TYPE_CHECKING:
    from relaydesk.store import Page, PageKey, TicketFilter, TicketRow


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
            return lists.page(session, criteria, after=after, limit=limit)

    def search(self, text: str, limit: int = 50) -> tuple[TicketRow, ...]:
        """Tickets, open or closed, of an order, seller's reference, relay address or number; newest first."""
        with self.store.reading() as session:
            return lists.search(session, text.strip(), limit)
