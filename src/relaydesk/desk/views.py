"""What there is to see at the desk: queues and their tickets, the outbox, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import CONSOLE, DeskPart, agent_actor
from relaydesk.store import (
    OpenCount,
    Page,
    QueueCount,
    audit,
    list_counts,
    lists,
    outbox,
    refusals,
    state_of,
    ticket_orders,
    tickets,
    webhooks,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from relaydesk.store import AuditRow, OutboxRow, PageKey, RefusalCount, TicketFilter

REFUSAL_DAYS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """How many open tickets there are, everywhere one looks: by queue, by who has them (None: nobody), what
    waits for the customer, and what a person must look at. ``latest`` is the last event that is counted."""

    queues: tuple[QueueCount, ...]
    by_assignee: Mapping[str | None, OpenCount]
    waiting: int
    look: int
    latest: int = 0

    def of(self, assignee: str | None) -> OpenCount:
        """What this agent has, or nobody."""
        return self.by_assignee.get(assignee, OpenCount())


class Queues(DeskPart):
    """The queues and the tickets in them."""

    _counted: tuple[tuple[int, datetime, ZoneInfo], DeskCounts] | None = None

    def counts(self) -> tuple[QueueCount, ...]:
        """Every queue of the settings, and any other that has an open ticket; today is the calendar's."""
        return self.all_counts().queues

    def all_counts(self, zone: ZoneInfo | None = None) -> DeskCounts:
        """All counts at once; today is that of ``zone``, by default the calendar's.

        They are counted anew when an event has come since, and each minute, for deadlines pass by themselves:
        a page costs the same however many tickets are open.
        """
        now, zone = self.clock(), zone or self.config.calendar.zone
        with self.store.reading() as session:
            state = (webhooks.latest_event(session), now.replace(second=0, microsecond=0), zone)
            if self._counted is not None and self._counted[0] == state:
                return self._counted[1]
            midnight = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)
            counted = {count.queue: count for count in list_counts.counts(session, now, midnight)}
            names = dict.fromkeys([*self.config.queues, *counted])
            counts = DeskCounts(
                tuple(counted.get(name, QueueCount(name, 0, 0, 0)) for name in names),
                list_counts.counts_by_assignee(session, now, midnight),
                list_counts.waiting_count(session),
                list_counts.look_count(session),
                state[0],
            )
        self._counted = (state, counts)
        return counts

    def rows(self, numbers: Sequence[int]) -> Page:
        """These tickets as lines of a list; those that do not exist are left out."""
        with self.store.reading() as session:
            rows = [row for number in numbers if (row := tickets.row(session, number)) is not None]
            return Page(tuple(rows), ticket_orders.of_tickets(session, [row.id for row in rows]), None)

    def page(self, criteria: TicketFilter, *, after: PageKey | None = None, limit: int = 50) -> Page:
        """A page of tickets: open ones by deadline, closed ones newest first. UnknownQueue for no queue."""
        if criteria.queue is not None:
            self.config.demand_queue(criteria.queue)
        with self.store.reading() as session:
            return lists.page(session, criteria, now=self.clock(), after=after, limit=limit)


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
            names = lists.by_ids(session, [row.ticket_id for row in (*waiting, *lately)])
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
