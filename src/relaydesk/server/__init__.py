"""The processes of ``relaydesk serve``: one light parent, several listeners and one office."""

from relaydesk.server.app import (
    ALL_ROLES,
    open_resolver,
    open_sender,
    open_store,
    run_door,
    run_office,
    serve,
    utc_now,
)

__all__ = [
    "ALL_ROLES",
    "open_resolver",
    "open_sender",
    "open_store",
    "run_door",
    "run_office",
    "serve",
    "utc_now",
]
