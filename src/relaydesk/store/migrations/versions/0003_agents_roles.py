"""Agents get roles and display names, and names that differ by more than case; lists of closed tickets

Whoever was an agent may go on with everything that could be done to a ticket, so becomes a lead; what only an
admin may do is open to the operator at the console. Two names that differ by case alone both stay as they
are: tickets and events name them. The active one, else the older, holds the folded name; the others get a
folded name that nobody can type (a colon stands in no agent's name).
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AGENT = sa.table(
    "agent",
    sa.column("id", sa.Integer()),
    sa.column("name", sa.Text()),
    sa.column("folded", sa.Text()),
    sa.column("display_name", sa.Text()),
    sa.column("role", sa.Text()),
    sa.column("active", sa.Boolean()),
)


def upgrade() -> None:
    for name in ("folded", "display_name", "role"):
        op.add_column("agent", sa.Column(name, Key(), nullable=True))
    connection = op.get_bind()
    taken: set[str] = set()
    for row in connection.execute(
        sa.select(AGENT.c.id, AGENT.c.name).order_by(AGENT.c.active.desc(), AGENT.c.id)
    ).all():
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", row.name).casefold())
        if folded in taken:
            folded = f"{folded}:{row.id}"
        taken.add(folded)
        connection.execute(
            AGENT.update()
            .where(AGENT.c.id == row.id)
            .values(folded=folded, display_name=row.name, role="lead")
        )
    with op.batch_alter_table("agent") as agent:
        for name in ("folded", "display_name", "role"):
            agent.alter_column(name, existing_type=Key(), nullable=False)
        agent.create_unique_constraint(op.f("uq_agent_folded"), ["folded"])

    closed, assigned = sa.text("state = 'closed'"), sa.text("assignee IS NOT NULL")
    op.create_index(
        "ix_ticket_closed_queue_id", "ticket", ["queue", "id"], sqlite_where=closed, postgresql_where=closed
    )
    op.create_index(
        "ix_ticket_assignee_id",
        "ticket",
        ["assignee", "id"],
        sqlite_where=assigned,
        postgresql_where=assigned,
    )
