"""The processes of ``relaydesk serve``: one light parent, several listeners and one office."""

from relaydesk.server.app import ALL_ROLES, run_door, run_office, serve

__all__ = ["ALL_ROLES", "run_door", "run_office", "serve"]
