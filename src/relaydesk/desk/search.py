"""Looking for tickets by what they hold."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import DeskPart
from relaydesk.search import index_waiting
from relaydesk.store import Conflict, Page, StoreUnavailable, lists, ticket_orders

if TYPE_CHECKING:
    from relaydesk.store import TicketState

# What a search indexes itself; more is the office process's work.
JUST_CAME = 100  # rows
JUST_CAME_SECONDS = 1.0


class Search(DeskPart):
    """Search over all tickets."""

    def tickets(
        self, text: str, *, state: TicketState | None = None, limit: int = 50, fresh: bool = True
    ) -> Page:
        """Tickets, open and closed or in ``state``, with their numbers; newest first, on one page.

        ``text`` is a ticket's number, an order, a seller's reference, a relay address, or words of which the
        last may be a beginning: of a name, a subject, a message, an answer, a note or a file's name. What
        came a moment ago is found too, unless the store cannot be written to just now or, as for who is
        still typing, it is not ``fresh``.
        """
        text = text.strip()
        if not text:
            return Page((), (), None)
        if fresh:
            with suppress(StoreUnavailable, Conflict):  # the office process does it again
                index_waiting(self.store, JUST_CAME, JUST_CAME_SECONDS)
        with self.store.reading() as session:
            rows = lists.search(session, text, limit, state=state)
            return Page(rows, ticket_orders.of_tickets(session, [row.id for row in rows]), None)
