"""THE door for people: every act and every view of command line, pages and API.

A :class:`Desk` has a store, a :class:`DeskConfig` and a clock. Who may do what stands in one table,
:mod:`relaydesk.desk.permissions`.
"""

from relaydesk.desk.config import DeskConfig
from relaydesk.desk.desk import Desk
from relaydesk.desk.permissions import CONSOLE, agent_actor
from relaydesk.desk.values import Queued, WholeTicket, Written
from relaydesk.store import TicketFilter

__all__ = [
    "CONSOLE",
    "Desk",
    "DeskConfig",
    "Queued",
    "TicketFilter",
    "WholeTicket",
    "Written",
    "agent_actor",
]
