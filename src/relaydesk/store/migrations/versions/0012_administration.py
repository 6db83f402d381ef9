"""What an admin changes in the desk: stored settings, the processes seen, checks that were run"""

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Id, Json, Key, Moment, Words

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stored_setting",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", Key(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", Words(), nullable=True),
        sa.Column("why", Words(), nullable=False),
        sa.Column("actor", Key(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_setting")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_stored_setting_name_version")),
    )
    op.create_table(
        "process_seen",
        sa.Column("name", Key(), nullable=False),
        sa.Column("role", Key(), nullable=False),
        sa.Column("host", Key(), nullable=False),
        sa.Column("pid", Id(), nullable=False),
        sa.Column("release", Key(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("settings_id", Id(), nullable=False),
        sa.Column("problem", Words(), nullable=False),
        sa.Column("facts", Json(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_process_seen")),
    )
    op.create_table(
        "check_run",
        sa.Column("id", Id(), nullable=False),
        sa.Column("what", Key(), nullable=False),
        sa.Column("actor", Key(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("result", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_run")),
    )
    op.create_index(op.f("ix_check_run_what"), "check_run", ["what"])
