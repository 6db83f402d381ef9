"""Signing in: sessions of browsers, links that let somebody in once, and the audit log"""

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Id, Json, Key, Moment, Words

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_session",
        sa.Column("id", Id(), nullable=False),
        sa.Column("token_hash", Key(), nullable=False),
        sa.Column("agent", Key(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("address", Key(), nullable=False),
        sa.Column("browser", Words(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_session_token_hash")),
    )
    op.create_index(op.f("ix_web_session_agent"), "web_session", ["agent"])
    op.create_table(
        "entry_link",
        sa.Column("token_hash", Key(), nullable=False),
        sa.Column("agent", Key(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_entry_link")),
    )
    op.create_table(
        "audit",
        sa.Column("id", Id(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", Key(), nullable=False),
        sa.Column("what", Key(), nullable=False),
        sa.Column("facts", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
