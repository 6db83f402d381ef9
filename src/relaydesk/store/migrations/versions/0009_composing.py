"""Drafts with files, what waiting answers were written as, and evidence"""

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Id, Key, Moment, Raw, Words

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("draft", sa.Column("order_id", Key(), nullable=True))
    op.add_column("draft", sa.Column("no_order", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("draft", sa.Column("discarded_at", Moment(), nullable=True))
    op.create_index(op.f("ix_draft_updated_at"), "draft", ["updated_at"])
    op.create_table(
        "note_draft",
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("author", Key(), nullable=False),
        sa.Column("text", Words(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_note_draft_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("ticket_id", "author", name=op.f("pk_note_draft")),
    )
    op.create_index(op.f("ix_note_draft_updated_at"), "note_draft", ["updated_at"])
    op.create_table(
        "draft_file",
        sa.Column("id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("author", Key(), nullable=False),
        sa.Column("answer_id", Id(), nullable=True),
        sa.Column("name", Words(), nullable=False),
        sa.Column("size", Id(), nullable=False),
        sa.Column("added_at", Moment(), nullable=False),
        sa.Column("content", Raw(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_draft_file_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_file")),
    )
    op.create_index("ix_draft_file_ticket_id_author", "draft_file", ["ticket_id", "author"])
    op.create_index("ix_draft_file_answer_id", "draft_file", ["answer_id"])
    op.create_table(
        "written_answer",
        sa.Column("answer_id", Id(), autoincrement=False, nullable=False),
        sa.Column("token", Key(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("author", Key(), nullable=False),
        sa.Column("text", Words(), nullable=False),
        sa.Column("order_id", Key(), nullable=True),
        sa.Column("no_order", sa.Boolean(), nullable=False),
        sa.Column("closes", sa.Boolean(), nullable=False),
        sa.Column("written_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_written_answer_ticket_id_ticket")
        ),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_written_answer")),
        sa.UniqueConstraint("token", name=op.f("uq_written_answer_token")),
    )
    op.create_index(op.f("ix_written_answer_author"), "written_answer", ["author"])
    op.create_table(
        "evidence",
        sa.Column("id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("item", Words(), nullable=False),
        sa.Column("state", Key(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("size", Id(), nullable=False),
        sa.Column("sha256", Key(), nullable=False),
        sa.Column("added_by", Key(), nullable=False),
        sa.Column("added_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_evidence_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index("ix_evidence_ticket_id_id", "evidence", ["ticket_id", "id"])
    op.create_table(
        "evidence_file",
        sa.Column("sha256", Key(), nullable=False),
        sa.Column("content", Raw(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_evidence_file")),
    )
