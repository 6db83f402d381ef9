"""${message}"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

from relaydesk.store.columns import Id, Json, Key, Moment, Raw, Words
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
