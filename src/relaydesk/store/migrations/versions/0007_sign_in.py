"""Signing in: sessions, links, passwords, authenticators, tokens, agents' own settings, and the audit log"""

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
        sa.Column("stays", sa.Boolean(), nullable=False),
        sa.Column("way", Key(), nullable=False),
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
        sa.Column("kind", Key(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_entry_link")),
    )
    op.create_index(op.f("ix_entry_link_agent"), "entry_link", ["agent"])
    op.create_table(
        "agent_login",
        sa.Column("agent", Key(), nullable=False),
        sa.Column("password_hash", Words(), nullable=True),
        sa.Column("password_at", Moment(), nullable=True),
        sa.Column("totp_key", Words(), nullable=True),
        sa.Column("totp_pending", Words(), nullable=True),
        sa.Column("totp_step", Id(), nullable=False),
        sa.Column("totp_at", Moment(), nullable=True),
        sa.Column("company_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("agent", name=op.f("pk_agent_login")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("code_hash", Key(), nullable=False),
        sa.Column("agent", Key(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_agent"), "recovery_code", ["agent"])
    op.create_table(
        "sign_in_step",
        sa.Column("token_hash", Key(), nullable=False),
        sa.Column("agent", Key(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("stays", sa.Boolean(), nullable=False),
        sa.Column("way", Key(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_step")),
    )
    op.create_index(op.f("ix_sign_in_step_agent"), "sign_in_step", ["agent"])
    op.create_index(op.f("ix_sign_in_step_expires_at"), "sign_in_step", ["expires_at"])
    op.create_table(
        "sign_in_tries",
        sa.Column("name", Key(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sign_in_tries")),
    )
    op.create_index(op.f("ix_sign_in_tries_since"), "sign_in_tries", ["since"])
    op.create_table(
        "agent_preferences",
        sa.Column("agent", Key(), nullable=False),
        sa.Column("zone", Key(), nullable=False),
        sa.Column("after_send", Key(), nullable=False),
        sa.Column("keys", sa.Boolean(), nullable=False),
        sa.Column("notify_browser", sa.Boolean(), nullable=False),
        sa.Column("notify_mail", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("agent", name=op.f("pk_agent_preferences")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", Id(), nullable=False),
        sa.Column("token_hash", Key(), nullable=False),
        sa.Column("agent", Key(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("used_at", Moment(), nullable=True),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(op.f("ix_api_token_agent"), "api_token", ["agent"])
    op.create_table(
        "audit",
        sa.Column("id", Id(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", Key(), nullable=False),
        sa.Column("what", Key(), nullable=False),
        sa.Column("facts", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
