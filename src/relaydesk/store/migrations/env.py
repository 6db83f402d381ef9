"""Alembic runs this file; schema.py hands it a connection, in a transaction and under a lock."""

from alembic import context

from relaydesk.store.all_tables import metadata
from relaydesk.store.schema import include_name

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    include_name=include_name,
)
context.run_migrations()
