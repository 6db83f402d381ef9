"""A mark on what a person must look at, and what came back for an answer

Tickets and answers from before are not marked: what their notices said was not kept apart.
"""

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Key, Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("needs_look", Key(), nullable=True))
    op.add_column("ticket", sa.Column("needs_look_since", Moment(), nullable=True))
    op.add_column("outbox", sa.Column("returned", Key(), nullable=True))
    op.add_column("outbox", sa.Column("needs_look_since", Moment(), nullable=True))
    marked, returned = sa.text("needs_look IS NOT NULL"), sa.text("needs_look_since IS NOT NULL")
    for columns in (["queue", "next_due", "id"], ["next_due", "id"]):
        op.create_index(
            f"ix_ticket_needs_look_{'_'.join(columns)}",
            "ticket",
            columns,
            sqlite_where=marked,
            postgresql_where=marked,
        )
    op.create_index(
        "ix_outbox_needs_look_id", "outbox", ["id"], sqlite_where=returned, postgresql_where=returned
    )
