"""Alembic runs this file; schema.py hands it a connection, in a transaction and under a lock."""

from alembic import context

from relaydesk.store import (  # noqa: F401 - their tables
    account_tables,
    acts_tables,
    administration_tables,
    composing_tables,
    notify_tables,
    view_tables,
)
from relaydesk.store.schema import include_name
from relaydesk.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    include_name=include_name,
)
context.run_migrations()
