"""The processes of ``relaydesk serve``: one light parent, several listeners and one office."""

from relaydesk.config import open_store, utc_now
from relaydesk.server.listener_process import run_door
from relaydesk.server.office_process import run_office
from relaydesk.server.serve import ALL_ROLES, serve

__all__ = [
    "ALL_ROLES",
    "open_store",
    "run_door",
    "run_office",
    "serve",
    "utc_now",
]
