"""The outbox's numbers: taken before the message that names them is made"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # PostgreSQL has the sequence of outbox.id, which gives a number without holding anybody up.
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("CREATE TABLE outbox_number (last INTEGER NOT NULL)")
    op.execute("INSERT INTO outbox_number (last) SELECT coalesce(max(id), 0) FROM outbox")
