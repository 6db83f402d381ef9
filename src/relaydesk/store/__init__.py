"""The store: tables, transactions and every query by purpose, on SQLite and PostgreSQL alike.

``Store.open`` gives a store that is durable or refuses; ``transaction`` and ``reading`` are the only ways
in. Write transactions raise ``Conflict`` (read again, decide again) or ``StoreUnavailable`` (try later).
"""

from relaydesk.store.engine import Store
from relaydesk.store.errors import Conflict, StoreError, StoreUnavailable, StoreUnfit

__all__ = ["Conflict", "Store", "StoreError", "StoreUnavailable", "StoreUnfit"]
