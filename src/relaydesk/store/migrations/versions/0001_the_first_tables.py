"""The first tables"""

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Id, Json, Key, Moment, Raw, Words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'open'")
BOUND = sa.text("state = 'open' AND thread_key IS NOT NULL")
RUNNING = sa.text("stopped_at IS NULL AND undecided_at IS NULL")
UNWARNED = sa.text(
    "stopped_at IS NULL AND undecided_at IS NULL AND warned_at IS NULL AND warn_at IS NOT NULL"
)
UNBREACHED = sa.text("stopped_at IS NULL AND undecided_at IS NULL AND breached_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "agent",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", Key(), nullable=False),
        sa.Column("email", Key(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("added_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent")),
        sa.UniqueConstraint("name", name=op.f("uq_agent_name")),
    )
    op.create_table(
        "first_seen",
        sa.Column("delivery_key", Key(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_key", name=op.f("pk_first_seen")),
    )
    op.create_index("ix_first_seen_at", "first_seen", ["at"])

    op.create_table(
        "secret",
        sa.Column("name", Key(), nullable=False),
        sa.Column("value", Key(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secret")),
    )

    op.create_table(
        "order",
        sa.Column("id", Key(), nullable=False),
        sa.Column("merchant_ref", Key(), nullable=True),
        sa.Column("relay_address", Key(), nullable=False),
        sa.Column("state", Key(), nullable=False),
        sa.Column("amount", Key(), nullable=False),
        sa.Column("currency", Key(), nullable=False),
        sa.Column("created_at", Moment(), nullable=True),
        sa.Column("ship_by", Moment(), nullable=True),
        sa.Column("marketing_opt_in", sa.Boolean(), nullable=True),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order")),
        sa.UniqueConstraint("merchant_ref", name=op.f("uq_order_merchant_ref")),
    )
    op.create_index("ix_order_relay_address", "order", ["relay_address"])

    op.create_table(
        "refusal",
        sa.Column("day", Key(), nullable=False),
        sa.Column("code", Key(), nullable=False),
        sa.Column("network", Key(), nullable=False),
        sa.Column("from_domain", Key(), nullable=False),
        sa.Column("count", Id(), nullable=False),
        sa.Column("first_at", Moment(), nullable=False),
        sa.Column("last_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("day", "code", "network", "from_domain", name=op.f("pk_refusal")),
    )
    op.create_table(
        "ticket",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", Key(), nullable=False),
        sa.Column("queue", Key(), nullable=False),
        sa.Column("state", Key(), nullable=False),
        sa.Column("thread_key", Key(), nullable=True),
        sa.Column("relay_address", Key(), nullable=False),
        sa.Column("case_token", Key(), nullable=False),
        sa.Column("case_number", Key(), nullable=False),
        sa.Column("username", Words(), nullable=False),
        sa.Column("sender", Key(), nullable=False),
        sa.Column("subject", Words(), nullable=False),
        sa.Column("contact_reason", Words(), nullable=False),
        sa.Column("assignee", Key(), nullable=True),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("last_message_at", Moment(), nullable=False),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.Column("next_due", Moment(), nullable=True),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
    )
    op.create_index(
        "ix_ticket_open_next_due_id", "ticket", ["next_due", "id"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_index(
        "ix_ticket_open_queue_next_due_id",
        "ticket",
        ["queue", "next_due", "id"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index("ix_ticket_relay_address_id", "ticket", ["relay_address", "id"])
    op.create_index("ix_ticket_thread_key_id", "ticket", ["thread_key", "id"])
    op.create_index(
        "uq_ticket_open_thread_key",
        "ticket",
        ["thread_key"],
        unique=True,
        sqlite_where=BOUND,
        postgresql_where=BOUND,
    )

    op.create_table(
        "deadline",
        sa.Column("id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("queue", Key(), nullable=False),
        sa.Column("clock", Key(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("warn_at", Moment(), nullable=True),
        sa.Column("reading", Key(), nullable=False),
        sa.Column("target", Key(), nullable=False),
        sa.Column("explanation", Json(), nullable=False),
        sa.Column("stopped_at", Moment(), nullable=True),
        sa.Column("stopped_how", Key(), nullable=False),
        sa.Column("warned_at", Moment(), nullable=True),
        sa.Column("breached_at", Moment(), nullable=True),
        sa.Column("undecided_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_deadline_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        sa.UniqueConstraint("ticket_id", "clock", "round", name=op.f("uq_deadline_ticket_id_clock_round")),
    )
    op.create_index(
        "ix_deadline_unbreached",
        "deadline",
        ["due_at", "id"],
        sqlite_where=UNBREACHED,
        postgresql_where=UNBREACHED,
    )
    op.create_index(
        "ix_deadline_unwarned",
        "deadline",
        ["warn_at", "id"],
        sqlite_where=UNWARNED,
        postgresql_where=UNWARNED,
    )
    op.create_index(
        "uq_deadline_running",
        "deadline",
        ["ticket_id", "clock"],
        unique=True,
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )

    op.create_table(
        "event",
        sa.Column("id", Id(), nullable=False),
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("noted_at", Moment(), nullable=False),
        sa.Column("what", Key(), nullable=False),
        sa.Column("actor", Key(), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_event_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_at_id", "event", ["at", "id"])
    op.create_index("ix_event_ticket_id_id", "event", ["ticket_id", "id"])

    op.create_table(
        "message",
        sa.Column("id", Id(), nullable=False),
        sa.Column("delivery_key", Key(), nullable=False),
        sa.Column("replay_key", Key(), nullable=True),
        sa.Column("duplicate_of", Id(), nullable=True),
        sa.Column("ticket_id", Id(), nullable=True),
        sa.Column("kind", Key(), nullable=False),
        sa.Column("vouched", sa.Boolean(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("mail_from", Words(), nullable=False),
        sa.Column("rcpt_to", Json(), nullable=False),
        sa.Column("peer", Words(), nullable=False),
        sa.Column("helo", Words(), nullable=False),
        sa.Column("tls", sa.Boolean(), nullable=False),
        sa.Column("size", Id(), nullable=False),
        sa.Column("from_addr", Words(), nullable=False),
        sa.Column("subject", Words(), nullable=False),
        sa.Column("message_id", Words(), nullable=False),
        sa.Column("origin", Json(), nullable=False),
        sa.Column("auth", Json(), nullable=False),
        sa.Column("reasons", Json(), nullable=False),
        sa.Column("findings", Json(), nullable=False),
        sa.Column("trace", Words(), nullable=False),
        sa.Column("raw", Raw(), nullable=False),
        sa.ForeignKeyConstraint(
            ["duplicate_of"], ["message.id"], name=op.f("fk_message_duplicate_of_message")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_message_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("delivery_key", name=op.f("uq_message_delivery_key")),
        sa.UniqueConstraint("replay_key", name=op.f("uq_message_replay_key")),
    )
    op.create_index("ix_message_ticket_id", "message", ["ticket_id"])

    op.create_table(
        "order_item",
        sa.Column("order_id", Key(), nullable=False),
        sa.Column("item_id", Key(), nullable=False),
        sa.Column("retailer_id", Key(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price", Key(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_order_item_order_id_order")),
        sa.PrimaryKeyConstraint("order_id", "item_id", name=op.f("pk_order_item")),
    )
    op.create_table(
        "ticket_link",
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("other_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["other_id"], ["ticket.id"], name=op.f("fk_ticket_link_other_id_ticket")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_link_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("ticket_id", "other_id", name=op.f("pk_ticket_link")),
    )
    op.create_index("ix_ticket_link_other_id", "ticket_link", ["other_id"])

    op.create_table(
        "ticket_order",
        sa.Column("ticket_id", Id(), nullable=False),
        sa.Column("what", Key(), nullable=False),
        sa.Column("value", Key(), nullable=False),
        sa.Column("how", Key(), nullable=False),
        sa.Column("label", Words(), nullable=False),
        sa.Column("place", Words(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_order_ticket_id_ticket")),
        sa.PrimaryKeyConstraint("ticket_id", "what", "value", name=op.f("pk_ticket_order")),
    )
    op.create_index("ix_ticket_order_what_value_ticket_id", "ticket_order", ["what", "value", "ticket_id"])

    op.create_table(
        "attachment",
        sa.Column("id", Id(), nullable=False),
        sa.Column("message_id", Id(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("declared_type", Words(), nullable=False),
        sa.Column("sniffed_type", Words(), nullable=False),
        sa.Column("size", Id(), nullable=False),
        sa.Column("sha256", Key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_attachment_message_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_message_id", "attachment", ["message_id"])
