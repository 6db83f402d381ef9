"""What the lists of the desk show and are narrowed by, and the views that agents keep

Open tickets get their next warning and whose turn it is from their deadlines; they and the newest closed ones
a line of their latest mail. Older ones are listed by their Subject until mail comes again.
"""

import sqlalchemy as sa
from alembic import op

from relaydesk.classify import excerpt_of
from relaydesk.message import parse_message
from relaydesk.store.columns import Id, Json, Key, Moment, Raw, Words

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BATCH = 100
CLOSED = 5_000  # tickets
LARGEST = 262_144  # bytes of a mail that is read for its line
_RUNS = "d.ticket_id = ticket.id AND d.stopped_at IS NULL AND d.undecided_at IS NULL"
_ANSWERED = (
    "(SELECT max(d.stopped_at) FROM deadline d WHERE d.ticket_id = ticket.id AND d.clock = 'response' "
    "AND d.stopped_how IN ('answered', 'answered_outside'))"
)
_INDEXES = (
    ("open_counts", ["queue", "assignee", "next_due", "waiting_since", "state"], "state = 'open'"),
    ("open_assignee_next_due_id", ["assignee", "next_due", "id"], "state = 'open'"),
    ("open_contact_reason_next_due_id", ["contact_reason", "next_due", "id"], "state = 'open'"),
    ("unproven_next_due_id", ["next_due", "id"], "state = 'open' AND verified = false"),
    ("escalated_next_due_id", ["next_due", "id"], "state = 'open' AND escalated = true"),
    ("waiting_since_id", ["waiting_since", "id"], "state = 'open' AND waiting_since IS NOT NULL"),
)


def upgrade() -> None:
    op.add_column("ticket", sa.Column("next_warn", Moment(), nullable=True))
    op.add_column("ticket", sa.Column("answered_at", Moment(), nullable=True))
    op.add_column("ticket", sa.Column("waiting_since", Moment(), nullable=True))
    op.add_column("ticket", sa.Column("excerpt", Words(), nullable=False, server_default=""))
    op.execute(
        "UPDATE ticket SET next_warn = "  # noqa: S608 - text of our own
        f"(SELECT d.warn_at FROM deadline d WHERE {_RUNS} ORDER BY d.due_at, d.id LIMIT 1), "
        f"answered_at = {_ANSWERED}, "
        f"waiting_since = CASE WHEN EXISTS (SELECT 1 FROM deadline d WHERE {_RUNS}) THEN NULL "
        f"ELSE {_ANSWERED} END WHERE state = 'open'"
    )
    _fill_excerpts(op.get_bind())
    for name, columns, where in _INDEXES:
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
        sa.Column("name", Key(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("place", Words(), nullable=False),
        sa.Column("query", Json(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_saved_view_owner_name")),
    )


def _fill_excerpts(connection: sa.Connection) -> None:
    """One mail of a ticket at a time is in memory."""
    ids = sa.text("SELECT id FROM ticket WHERE state = 'open' AND id > :after ORDER BY id LIMIT :batch")
    after = 0
    while numbers := connection.scalars(ids, {"after": after, "batch": BATCH}).all():
        for number in numbers:
            _fill_excerpt(connection, number)
        after = numbers[-1]
    newest = sa.text("SELECT id FROM ticket WHERE state = 'closed' ORDER BY id DESC LIMIT :most")
    for number in connection.scalars(newest, {"most": CLOSED}).all():
        _fill_excerpt(connection, number)


_LATEST = sa.text(
    "SELECT m.raw, t.kind, t.username FROM ticket t JOIN message m ON m.id = ("
    "SELECT max(c.id) FROM message c WHERE c.ticket_id = t.id AND c.duplicate_of IS NULL "
    "AND c.kind <> 'bounce') WHERE t.id = :ticket AND m.size <= :largest"
).columns(raw=Raw())


def _fill_excerpt(connection: sa.Connection, ticket: int) -> None:
    row = connection.execute(_LATEST, {"ticket": ticket, "largest": LARGEST}).first()
    if row is None:
        return
    excerpt = excerpt_of(parse_message(row.raw), row.kind, row.username)
    fill = sa.text("UPDATE ticket SET excerpt = :excerpt WHERE id = :ticket").bindparams(
        sa.bindparam("excerpt", type_=Words())
    )
    connection.execute(fill, {"excerpt": excerpt, "ticket": ticket})
