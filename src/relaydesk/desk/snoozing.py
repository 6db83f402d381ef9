"""Snoozing a ticket for oneself: nobody else's lists, and no count, change by it."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import DeskPart, agent_name
from relaydesk.desk.snooze_times import snooze_choices
from relaydesk.desk.ticket_acts import acting_on, demand_open, tell
from relaydesk.events import TicketSnoozed, TicketWoken
from relaydesk.store import snoozes

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from relaydesk.desk.snooze_times import SnoozeChoice

LONGEST = timedelta(days=366)


class Snoozing(DeskPart):
    """The acts of :class:`relaydesk.desk.tickets.Tickets` that hide a ticket from who does them."""

    def snooze_choices(self, zone: ZoneInfo | None = None) -> tuple[SnoozeChoice, ...]:
        """The moments that are offered; ``zone`` is the agent's (default: the calendar's)."""
        return snooze_choices(self.clock(), zone or self.config.calendar.zone, self.config.calendar)

    def snoozed_until(self, ticket_id: int, agent: str) -> datetime | None:
        """Until when a ticket is hidden from an agent's lists; None when it is not."""
        with self.store.reading() as session:
            return snoozes.until(session, agent, ticket_id, self.clock())

    def snooze(self, ticket_id: int, until: datetime, *, by: str) -> None:
        """Hides an open ticket from one's own lists until a moment (aware).

        It comes back by itself; and at once when the customer writes, or its warning or deadline passes.
        """
        with acting_on(self, "snooze", ticket_id, by) as (acting, ticket):
            demand_open(ticket)
            if until <= acting.now:
                raise DeskError(f"{_shown(until)} is past; choose a moment that is still to come.")
            if until > acting.now + LONGEST:
                raise DeskError(f"{_shown(until)} is more than a year away; choose an earlier moment.")
            snoozes.put(acting.session, agent_name(acting.actor) or "", ticket.id, until, acting.now)
            tell(acting, ticket.id, TicketSnoozed(until.astimezone(UTC)))

    def wake(self, ticket_id: int, *, by: str) -> None:
        """Shows a snoozed ticket in one's own lists again."""
        with acting_on(self, "wake", ticket_id, by) as (acting, ticket):
            if not snoozes.drop(acting.session, agent_name(acting.actor) or "", ticket.id, acting.now):
                raise DeskError(f"You have not snoozed ticket {ticket_id}, or it is awake again already.")
            tell(acting, ticket.id, TicketWoken())


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
