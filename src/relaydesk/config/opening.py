"""What a process of these settings stands on: its clock, its store, its resolver, and who it sends as."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from relaydesk.config import parts
from relaydesk.dns import Resolver
from relaydesk.store import Store, secret

if TYPE_CHECKING:
    from relaydesk.config.settings import Settings
    from relaydesk.outbound import Sender


def utc_now() -> datetime:
    """This moment, aware UTC: the only clock of the running program."""
    return datetime.now(UTC)


def open_store(settings: Settings, *, upgrade: bool = False) -> Store:
    """The store of the settings. With ``upgrade`` its schema is made or brought up to date first."""
    return Store.open(settings.database, connections=settings.workers + 2, upgrade=upgrade)


def store_secret(store: Store) -> bytes:
    """What seals bounce addresses and Message-IDs: made at the first use of a store, and kept there."""
    return secret.read(store, secrets.token_bytes)


def open_resolver(settings: Settings) -> Resolver:
    """The one resolver of a process. SetupError names a name server that is no address."""
    try:
        return Resolver.over_network(settings.nameservers, patience=settings.dns_timeout)
    except ValueError as error:
        raise parts.SetupError(f"Setting nameservers: {error}") from None


def open_sender(settings: Settings, store: Store) -> Sender:
    """Who we are when something goes out; its seals are those of every process of this store."""
    return parts.sender(settings, parts.allowlist(settings), secret=store_secret(store))
