"""What agents do with tickets: snoozing, merging, junk, rules proposed from mail"""

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Id, Key, Moment, Words

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("merged_into", Id(), nullable=True))
    op.add_column("ticket", sa.Column("junk_at", Moment(), nullable=True))
    _partial("ix_ticket_merged_into_id", "ticket", ["merged_into", "id"], "merged_into IS NOT NULL")
    _partial("ix_ticket_junk_relay_address", "ticket", ["relay_address"], "junk_at IS NOT NULL")
    _partial("ix_ticket_junk_sender", "ticket", ["sender"], "junk_at IS NOT NULL")
    op.create_table(
        "snooze",
        sa.Column("agent", Key(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_snooze_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("agent", "ticket_id", name=op.f("pk_snooze")),
    )
    op.create_index("ix_snooze_ticket_id", "snooze", ["ticket_id"])
    op.create_table(
        "rule_proposal",
        sa.Column("id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("message_id", Id(), nullable=False),
        sa.Column("kind", Key(), nullable=False),
        sa.Column("sender", Key(), nullable=False),
        sa.Column("subject", Words(), nullable=False),
        sa.Column("rule", Words(), nullable=False),
        sa.Column("state", Key(), nullable=False),
        sa.Column("proposed_by", Key(), nullable=False),
        sa.Column("proposed_at", Moment(), nullable=False),
        sa.Column("settled_by", Key(), nullable=False),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.Column("note", Words(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_rule_proposal_ticket_id_ticket")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_rule_proposal_message_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_proposal")),
    )
    _partial("ix_rule_proposal_open_id", "rule_proposal", ["id"], "state = 'proposed'")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
