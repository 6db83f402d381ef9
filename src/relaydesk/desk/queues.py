"""The queues and views of the desk: the tickets in them, and how many there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from relaydesk.business_time import Target, deadline
from relaydesk.desk.permissions import DeskPart
from relaydesk.store import Page, QueueCount, list_counts, lists, ticket_orders, tickets, webhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from relaydesk.desk.config import DeskConfig
    from relaydesk.store import AgentRow, AllCounts, PageKey, Store, TicketFilter, TicketRow

MOST_COUNTED = 1000
JUST = timedelta(minutes=2)
LATE_EVENTS = 2000  # looked through for deadlines
ZONES = 32  # whose counts are kept


class Queues(DeskPart):
    """The queues and the tickets in them."""

    def __init__(self, store: Store, config: DeskConfig, clock: Callable[[], datetime]) -> None:
        super().__init__(store, config, clock)
        self._counted: dict[ZoneInfo, tuple[tuple[int, datetime], AllCounts]] = {}

    def counts(self) -> tuple[QueueCount, ...]:
        """Every queue of the settings, and any other that has an open ticket; today is the calendar's."""
        return self.all_counts().queues

    def all_counts(self, zone: ZoneInfo | None = None) -> AllCounts:
        """All counts at once; today is that of ``zone``, by default the calendar's.

        They are counted anew when something has happened since, and each minute, for deadlines pass: a page
        that shows them costs the same however many tickets are open.
        """
        now, zone = self.clock(), zone or self.config.calendar.zone
        with self.store.reading() as session:
            state = (webhooks.latest_event(session), now.replace(second=0, microsecond=0))
            kept = self._counted.get(zone)
            if kept is not None and kept[0] == state:
                return self._of_all_queues(kept[1])
            counts = list_counts.everything(session, now, day_ends(now, zone))
        if len(self._counted) >= ZONES:
            self._counted.clear()
        self._counted[zone] = (state, counts)
        return self._of_all_queues(counts)

    def _of_all_queues(self, counts: AllCounts) -> AllCounts:
        counted = {count.queue: count for count in counts.queues}
        names = dict.fromkeys([*self.config.queues, *counted])
        queues = tuple(counted.get(name, QueueCount(name, 0, 0, 0)) for name in names)
        return replace(counts, queues=queues)

    def snoozed(self, agent: str) -> int:
        """How many tickets an agent does not want to see yet."""
        with self.store.reading() as session:
            return list_counts.snoozed(session, agent, self.clock())

    def page(self, criteria: TicketFilter, *, after: PageKey | None = None, limit: int = 50) -> Page:
        """A page of tickets: open ones by deadline, closed ones newest first. UnknownQueue for no queue."""
        if criteria.queue is not None:
            self.config.demand_queue(criteria.queue)
        with self.store.reading() as session:
            return lists.page(session, criteria, now=self.clock(), after=after, limit=limit)

    def due_between(
        self, criteria: TicketFilter, since: datetime | None = None, until: datetime | None = None
    ) -> int:
        """Tickets of a list that are due from ``since`` to before ``until`` (None: without an end), with
        neither those without a clock; counted up to :data:`MOST_COUNTED`."""
        now = self.clock()
        with self.store.reading() as session:
            return list_counts.due_between(session, criteria, since, until, now=now, most=MOST_COUNTED)

    def rows(self, numbers: Sequence[int]) -> Page:
        """These tickets as lines of a list; those that do not exist are left out."""
        with self.store.reading() as session:
            rows = [row for number in numbers if (row := tickets.row(session, number)) is not None]
            return Page(tuple(rows), ticket_orders.of_tickets(session, [row.id for row in rows]), None)

    def just_due(self, agent: AgentRow) -> tuple[TicketRow, ...]:
        """The open tickets of an agent of whose deadline the last two minutes told: it came near, or passed.

        A lead's are those that nobody has, too.
        """
        now, whose = self.clock(), {agent.name} if agent.role == "agent" else {agent.name, None}
        with self.store.reading() as session:
            lately = webhooks.latest_event(session) - LATE_EVENTS
            news = webhooks.events_since(session, lately, ("warned", "breached"), now)
            numbers = dict.fromkeys(event.ticket_id for _, event in news if event.at > now - JUST)
            rows = (tickets.row(session, number) for number in numbers)
            return tuple(row for row in rows if row and row.open and row.assignee in whose and row.next_due)

    def soon(self) -> datetime:
        """Until when a deadline is near (the setting ``warn_before``, in business time)."""
        return deadline(self.clock(), Target.parse(self.config.soon), self.config.calendar, "elapsed").due


def day_ends(now: datetime, zone: ZoneInfo) -> datetime:
    """The coming midnight of a zone."""
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)
