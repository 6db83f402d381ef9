"""What a process of these settings stands on: its clock, its store and the store's secret."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from relaydesk.store import Store, secret

if TYPE_CHECKING:
    from relaydesk.config.settings import Settings


def utc_now() -> datetime:
    """This moment, aware UTC: the only clock of the running program."""
    return datetime.now(UTC)


def open_store(settings: Settings, *, upgrade: bool = False) -> Store:
    """The store of the settings. With ``upgrade`` its schema is made or brought up to date first."""
    return Store.open(settings.database, connections=settings.workers + 2, upgrade=upgrade)


def store_secret(store: Store) -> bytes:
    """What seals bounce addresses and Message-IDs: made at the first use of a store, and kept there."""
    return secret.read(store, secrets.token_bytes)
