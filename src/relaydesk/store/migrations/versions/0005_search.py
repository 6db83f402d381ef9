"""Search: the words of tickets, and what is not indexed yet"""

import sqlalchemy as sa
from alembic import op

from relaydesk.store.columns import Id, Key

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The words come cut and folded already, so the tokenizer has only to part them at blanks; which words a
# ticket has is all that is asked, not where they stand.
SQLITE = (
    "CREATE VIRTUAL TABLE search_index USING "
    'fts5(words, tokenize="unicode61 remove_diacritics 0", detail=none, columnsize=0)'
)
POSTGRESQL = (
    "CREATE TABLE search_index (ticket_id bigint PRIMARY KEY, words tsvector NOT NULL)",
    "CREATE INDEX ix_search_index_words ON search_index USING gin (words)",
)


def upgrade() -> None:
    op.create_table(
        "unindexed",
        sa.Column("source", Key(), nullable=False),
        sa.Column("source_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_id", name=op.f("pk_unindexed")),
    )
    for statement in (SQLITE,) if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
    # What is stored already is indexed by the office process, newest first.
    op.execute("INSERT INTO unindexed (source, source_id) SELECT 'message', id FROM message")
    op.execute(
        "INSERT INTO unindexed (source, source_id) SELECT 'answer', id FROM outbox WHERE purpose <> 'forward'"
    )
