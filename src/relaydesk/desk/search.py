"""Looking for tickets by what they hold."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import DeskPart
from relaydesk.search import index_waiting
from relaydesk.store import StoreUnavailable, lists

if TYPE_CHECKING:
    from relaydesk.store import TicketRow

JUST_CAME = 100  # rows that a search indexes itself; more are the office process's work


class Search(DeskPart):
    """Search over all tickets."""

    def tickets(self, text: str, limit: int = 50) -> tuple[TicketRow, ...]:
        """Tickets, open or closed, with this number, order, seller's reference, address, or all these words.

        Newest first. What came a moment ago is found too, unless the store cannot be written to just now.
        """
        with suppress(StoreUnavailable):
            index_waiting(self.store, JUST_CAME)
        with self.store.reading() as session:
            return lists.search(session, text.strip(), limit)
