"""Who looks and who writes, and the news of changes"""

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass  # both are in memory, told from process to process by NOTIFY: nothing of them is worth a write
