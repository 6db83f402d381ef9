"""What the lists of the desk show and are narrowed by

Of tickets from before, the columns are filled by what their deadlines say; their excerpts come with the next
message. Views that an agent keeps have a table.
"""

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Id, Json, Key, Moment, Words

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_RUNS = "d.ticket_id = ticket.id AND d.stopped_at IS NULL AND d.undecided_at IS NULL"
_ANSWERED = (
    "(SELECT max(d.stopped_at) FROM deadline d WHERE d.ticket_id = ticket.id AND d.clock = 'response' "
    "AND d.stopped_how IN ('answered', 'answered_outside'))"
)


def upgrade() -> None:
    op.add_column("ticket", sa.Column("next_warn", Moment(), nullable=True))
    op.add_column("ticket", sa.Column("waiting_since", Moment(), nullable=True))
    op.add_column("ticket", sa.Column("excerpt", Words(), nullable=False, server_default=""))
    op.add_column("ticket", sa.Column("answered_at", Moment(), nullable=True))
    op.execute(
        f"UPDATE ticket SET next_warn = (SELECT min(d.warn_at) FROM deadline d WHERE {_RUNS}), "  # noqa: S608
        f"answered_at = {_ANSWERED}, "
        f"waiting_since = CASE WHEN EXISTS (SELECT 1 FROM deadline d WHERE {_RUNS}) THEN NULL "
        f"ELSE {_ANSWERED} END"
    )
    for name, columns, where in (
        ("open_assignee_next_due_id", ["assignee", "next_due", "id"], "state = 'open'"),
        ("waiting_since_id", ["waiting_since", "id"], "state = 'open' AND waiting_since IS NOT NULL"),
        ("open_unverified_next_due_id", ["next_due", "id"], "state = 'open' AND verified = false"),
        ("open_escalated_next_due_id", ["next_due", "id"], "state = 'open' AND escalated = true"),
        ("open_contact_reason_next_due_id", ["contact_reason", "next_due", "id"], "state = 'open'"),
    ):
        op.create_index(
            f"ix_ticket_{name}",
            "ticket",
            columns,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_table(
        "saved_view",
        sa.Column("id", Id(), nullable=False),
        sa.Column("owner", Key(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("query", Json(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index(op.f("ix_saved_view_owner"), "saved_view", ["owner"])
