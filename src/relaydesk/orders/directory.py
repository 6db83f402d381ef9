"""Look-up in the local order directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.store import orders as table

if TYPE_CHECKING:
    from relaydesk.order import Order
    from relaydesk.store import Store

LONGEST_KEY = 320


def find_orders(store: Store, text: str) -> list[Order]:
    """The orders whose Facebook id, seller's reference or relay address is ``text``, newest first.

    Blanks around it and a ``#`` before it do not matter, nor capitals of a relay address. A text that can
    be no key (empty, too long, with a NUL) finds nothing.
    """
    key = text.strip().removeprefix("#").strip()
    if not key or len(key) > LONGEST_KEY or "\0" in key:
        return []
    with store.reading() as session:
        return table.find(session, key)
