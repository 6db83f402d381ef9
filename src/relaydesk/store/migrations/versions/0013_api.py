"""What we tell others: webhooks, digests, and the replies of the API by their idempotency keys"""

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Id, Json, Key, Moment, Words

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", Id(), nullable=False),
        sa.Column("url", Words(), nullable=False),
        sa.Column("secret", Key(), nullable=False),
        sa.Column("events", Json(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("stopped_because", Words(), nullable=False),
        sa.Column("made_by", Key(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "news",
        sa.Column("id", Id(), nullable=False),
        sa.Column("news_key", Key(), nullable=False),
        sa.Column("webhook_id", Id(), nullable=True),
        sa.Column("recipient", Words(), nullable=False),
        sa.Column("what", Key(), nullable=False),
        sa.Column("body", Words(), nullable=False),
        sa.Column("state", Key(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("next_try_at", Moment(), nullable=False),
        sa.Column("first_tried_at", Moment(), nullable=True),
        sa.Column("lease_by", Key(), nullable=True),
        sa.Column("lease_until", Moment(), nullable=True),
        sa.Column("last_code", sa.Integer(), nullable=False),
        sa.Column("last_text", Words(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_news_webhook_id_webhook")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news")),
        sa.UniqueConstraint("news_key", name=op.f("uq_news_news_key")),
    )
    op.create_index(op.f("ix_news_webhook_id"), "news", ["webhook_id"])
    undecided = sa.text("state IN ('queued', 'sending')")
    op.create_index(
        "ix_news_undecided_next_try_at_id",
        "news",
        ["next_try_at", "id"],
        sqlite_where=undecided,
        postgresql_where=undecided,
    )
    op.create_table(
        "news_cursor",
        sa.Column("name", Key(), nullable=False),
        sa.Column("event_id", Id(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_news_cursor")),
    )
    op.create_table(
        "api_reply",
        sa.Column("caller", Key(), nullable=False),
        sa.Column("key", Key(), nullable=False),
        sa.Column("request_hash", Key(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_api_reply")),
    )
    op.create_index(op.f("ix_api_reply_at"), "api_reply", ["at"])
