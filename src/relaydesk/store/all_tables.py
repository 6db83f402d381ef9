"""Every table of the store, for what needs them all: a process imports only those of its own rooms."""

from relaydesk.store import (
    account_tables,
    acts_tables,
    administration_tables,
    composing_tables,
    notify_tables,
    view_tables,
)
from relaydesk.store.tables import metadata

__all__ = [
    "account_tables",
    "acts_tables",
    "administration_tables",
    "composing_tables",
    "metadata",
    "notify_tables",
    "view_tables",
]
