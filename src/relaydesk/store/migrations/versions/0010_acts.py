"""What agents do with tickets: snoozing, merging, rules proposed from mail"""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
