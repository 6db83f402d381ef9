"""Whether a store is whole: every row has what belongs to it. In plain SQL, not through our own store."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, create_engine, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Engine

#: Each finds rows that must not be: a sentence, and the ids it is about.
HALF_ROWS = {
    "a message without its ticket": """
        SELECT m.id FROM message m LEFT JOIN ticket t ON t.id = m.ticket_id WHERE t.id IS NULL""",
    "a message that is not whole": "SELECT id FROM message WHERE length(raw) <> size OR size = 0",
    "a ticket without exactly one 'opened'": """
        SELECT t.id FROM ticket t LEFT JOIN event e ON e.ticket_id = t.id AND e.what = 'opened'
        GROUP BY t.id HAVING count(e.id) <> 1""",
    "a ticket that miscounts its messages": """
        SELECT t.id FROM ticket t LEFT JOIN message m ON m.ticket_id = t.id AND m.duplicate_of IS NULL
        GROUP BY t.id, t.message_count HAVING count(m.id) <> t.message_count""",
    "a ticket with more or fewer 'opened' and 'message' events than messages": """
        SELECT t.id FROM ticket t WHERE t.message_count <>
        (SELECT count(*) FROM event e WHERE e.ticket_id = t.id AND e.what IN ('opened', 'message'))""",
    "an open case without a running response clock": """
        SELECT t.id FROM ticket t LEFT JOIN deadline d ON d.ticket_id = t.id AND d.clock = 'response'
        AND d.stopped_at IS NULL WHERE t.state = 'open' AND t.queue = 'case' AND d.id IS NULL""",
    "a clock whose start is no event": """
        SELECT d.id FROM deadline d WHERE (SELECT count(*) FROM event e
        WHERE e.ticket_id = d.ticket_id AND e.what = 'clock_started') <>
        (SELECT count(*) FROM deadline o WHERE o.ticket_id = d.ticket_id)""",
    "a ticket whose next deadline is not its earliest": """
        SELECT t.id FROM ticket t WHERE t.state = 'open' AND t.next_due <> (SELECT min(d.due_at)
        FROM deadline d WHERE d.ticket_id = t.id AND d.stopped_at IS NULL AND d.undecided_at IS NULL)""",
    "a case without its order number": """
        SELECT t.id FROM ticket t LEFT JOIN ticket_order o ON o.ticket_id = t.id
        WHERE t.queue = 'case' AND o.ticket_id IS NULL""",
    "two open tickets of one relay address": """
        SELECT max(id) FROM ticket WHERE state = 'open' AND thread_key IS NOT NULL
        GROUP BY relay_address HAVING count(*) > 1""",
}
_COPIES = text("SELECT message_id, raw FROM message WHERE message_id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)


def looking(url: str) -> Engine:
    """An engine of our own to look into a store; dispose of it."""
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def backends(url: str) -> list[int]:
    """The pids of the PostgreSQL processes that serve relaydesk now."""
    engine = looking(url)
    try:
        with engine.connect() as connection:
            pids = connection.execute(
                text("SELECT pid FROM pg_stat_activity WHERE application_name = 'relaydesk' ORDER BY pid")
            )
            return list(pids.scalars())
    finally:
        engine.dispose()


def unsound(url: str) -> list[str]:
    """Sentences about half rows; none for a store that is whole."""
    engine = looking(url)
    try:
        with engine.connect() as connection:
            problems = [
                f"{problem}: {ids[:5]}"
                for problem, query in HALF_ROWS.items()
                if (ids := list(connection.execute(text(query)).scalars()))
            ]
            return problems + _damage(connection)
    finally:
        engine.dispose()


def _damage(connection: Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    report = connection.execute(text("PRAGMA integrity_check")).scalars().all()
    problems = [f"SQLite finds {line}" for line in report if line != "ok"]
    orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
    return problems + [f"a foreign key that points nowhere: {tuple(row)}" for row in orphans[:5]]


def copies(url: str, message_ids: Iterable[str]) -> dict[str, list[str]]:
    """For each Message-ID, the SHA-256 of every stored message that bears it."""
    ids = list(message_ids)
    digests: dict[str, list[str]] = {message_id: [] for message_id in ids}
    engine = looking(url)
    try:
        with engine.connect() as connection:
            for message_id, raw in connection.execute(_COPIES, {"ids": ids}):
                digests[message_id].append(hashlib.sha256(raw).hexdigest())
    finally:
        engine.dispose()
    return digests
