"""Answers: the outbox, drafts that were not sent, and the clients of the gateway"""

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Id, Key, Moment, Raw, Words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNDECIDED = sa.text("state IN ('queued', 'sending', 'deferred')")


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", Id(), nullable=False),
        sa.Column("purpose", Key(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("message_id", Id(), nullable=False),
        sa.Column("author", Key(), nullable=False),
        sa.Column("recipient", Key(), nullable=False),
        sa.Column("envelope_from", Key(), nullable=False),
        sa.Column("rfc_message_id", Key(), nullable=True),
        sa.Column("handed_in", Key(), nullable=True),
        sa.Column("order_id", Key(), nullable=True),
        sa.Column("subject", Words(), nullable=False),
        sa.Column("state", Key(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("not_before", Moment(), nullable=False),
        sa.Column("next_try_at", Moment(), nullable=False),
        sa.Column("give_up_at", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_by", Key(), nullable=True),
        sa.Column("lease_until", Moment(), nullable=True),
        sa.Column("first_tried_at", Moment(), nullable=True),
        sa.Column("last_code", sa.Integer(), nullable=False),
        sa.Column("last_text", Words(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.Column("hop", Words(), nullable=False),
        sa.Column("raw", Raw(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_outbox_message_id_message")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_outbox_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("rfc_message_id", name=op.f("uq_outbox_rfc_message_id")),
        sa.UniqueConstraint("handed_in", name=op.f("uq_outbox_handed_in")),
    )
    op.create_index(
        "ix_outbox_undecided_next_try_at_id",
        "outbox",
        ["next_try_at", "id"],
        sqlite_where=UNDECIDED,
        postgresql_where=UNDECIDED,
    )
    op.create_index("ix_outbox_ticket_id_id", "outbox", ["ticket_id", "id"])

    op.create_table(
        "draft",
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("author", Key(), nullable=False),
        sa.Column("text", Words(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_draft_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("ticket_id", "author", name=op.f("pk_draft")),
    )
    op.create_table(
        "gateway_client",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", Key(), nullable=False),
        sa.Column("secret_hash", Key(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.Column("last_used_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_client")),
        sa.UniqueConstraint("name", name=op.f("uq_gateway_client_name")),
    )
