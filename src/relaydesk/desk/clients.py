"""The gateway's clients, as people manage them: add one, take its access away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.desk.acts import DeskError
from relaydesk.gateway import PASSWORD_BYTES, SALT_BYTES, hashed
from relaydesk.store import Conflict, gateway_clients

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from relaydesk.store import Store


def add_client(
    store: Store, name: str, *, password: Callable[[int], str], salt: Callable[[int], bytes], now: datetime
) -> str:
    """Adds a client and returns its password, which is kept nowhere. DeskError when the name is taken."""
    if not name.isascii() or not name.isprintable() or not name.strip() or len(name) > 100:  # noqa: PLR2004
        raise DeskError(f"{name!r} is no client name; take up to 100 plain letters, such as zendesk.")
    made = password(PASSWORD_BYTES)
    try:
        with store.transaction() as session:
            gateway_clients.add(session, name, hashed(made, salt(SALT_BYTES)), now)
    except Conflict:
        raise DeskError(f"There is or was a client {name!r} already; take another name.") from None
    return made


def revoke_client(store: Store, name: str, *, now: datetime) -> None:
    """Refuses a client from now on, within a session too. DeskError when there is none."""
    with store.transaction() as session:
        if not gateway_clients.revoke(session, name, now):
            raise DeskError(f"No client {name!r} can be revoked; `relaydesk gateway list` shows them.")
