"""The processes of ``relaydesk serve``: one light parent, several listeners and one office."""

from typing import TYPE_CHECKING

from relaydesk import late_names

if TYPE_CHECKING:
    from relaydesk.server.listener_process import run_door
    from relaydesk.server.office_process import run_office
    from relaydesk.server.parent_process import serve

__all__ = [
    "ALL_ROLES",
    "run_door",
    "run_office",
    "serve",
]

ALL_ROLES = ("door", "office")
"""What one ``serve`` runs unless it is told otherwise."""

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__, {"run_door": "listener_process", "run_office": "office_process", "serve": "parent_process"}
    )
