"""The search index: the words of each ticket, in FTS5 on SQLite and as a tsvector on PostgreSQL.

Both hold the same words (:mod:`relaydesk.message.words`), so that they find the same tickets. A message is
stored with a note that it is not indexed yet; the office process reads its words after the 250. One row a
ticket, whose number is its key: the newest tickets are found first without sorting.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, insert, select, text

from relaydesk.store import raw_bytes
from relaydesk.store.contention import engine_of
from relaydesk.store.tables import MessageTable, OutboxTable, UnindexedTable, table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import TextClause
    from sqlmodel import Session

MOST = 20_000  # words of one ticket; a mail loop must not grow its row without end
MOST_BYTES = 900_000  # of them; PostgreSQL finds nothing that stands behind 1 MB of a tsvector

Source = Literal["message", "answer"]

U = table(UnindexedTable).c
_NEW = insert(table(UnindexedTable))
_WAITING = select(U.source, U.source_id)

# Rare words are found by the index; the cost grows with how many tickets have them. Common ones are found
# among the newest tickets first, and then there is no need to ask the index.
NEWEST = 2_000  # tickets
ENOUGH = 60  # of them that hold all words
_FIND: dict[str, TextClause] = {
    "sqlite": text(
        "SELECT rowid FROM search_index WHERE search_index MATCH :query ORDER BY rowid DESC LIMIT :limit"
    ),
    "postgresql": text(
        "WITH hits AS MATERIALIZED "
        "(SELECT ticket_id FROM search_index WHERE words @@ CAST(:query AS tsquery)) "
        "SELECT ticket_id FROM hits ORDER BY ticket_id DESC LIMIT :limit"
    ),
}
_LATEST: dict[str, TextClause] = {
    "sqlite": text("SELECT rowid, ' ' || words || ' ' FROM search_index ORDER BY rowid DESC LIMIT :newest"),
    "postgresql": text(
        "SELECT ticket_id FROM (SELECT ticket_id, words FROM search_index ORDER BY ticket_id DESC "
        "LIMIT :newest) AS latest WHERE words @@ CAST(:query AS tsquery) ORDER BY ticket_id DESC LIMIT :limit"
    ),
}
_HELD: dict[str, TextClause] = {
    "sqlite": text("SELECT words FROM search_index WHERE rowid = :ticket"),
    "postgresql": text(
        "SELECT array_to_string(tsvector_to_array(words), ' ') FROM search_index WHERE ticket_id = :ticket"
    ),
}
_DROP: dict[str, TextClause] = {
    "sqlite": text("DELETE FROM search_index WHERE rowid = :ticket"),
    "postgresql": text("DELETE FROM search_index WHERE ticket_id = :ticket"),
}
_WRITE: dict[str, TextClause] = {
    "sqlite": text("INSERT INTO search_index (rowid, words) VALUES (:ticket, :words)"),
    "postgresql": text(
        "INSERT INTO search_index (ticket_id, words) "
        "VALUES (:ticket, array_to_tsvector(string_to_array(:words, ' ')))"
    ),
}


@dataclass(frozen=True, slots=True)
class Unindexed:
    """Something whose words the index lacks: a stored message, or an answer in the outbox."""

    source: Source
    source_id: int


def will_index(session: Session, source: Source, source_id: int) -> None:
    """Notes that the index lacks the words of this row; in the transaction that writes it."""
    session.connection().execute(_NEW, {"source": source, "source_id": source_id})


def waiting(session: Session, limit: int) -> tuple[Unindexed, ...]:
    """Up to ``limit`` rows that are not indexed yet, newest first: today's mail is asked for most."""
    rows = session.connection().execute(_WAITING.order_by(U.source_id.desc()).limit(limit))
    return tuple(Unindexed(row.source, row.source_id) for row in rows)


def raw(session: Session, unindexed: Unindexed) -> tuple[int | None, bytes]:
    """The ticket of the row, None when it has none, and the bytes to read; none for a row that is gone."""
    rows = table(MessageTable if unindexed.source == "message" else OutboxTable).c
    where = rows.id == unindexed.source_id
    ticket_id = session.connection().scalar(select(rows.ticket_id).where(where))
    return ticket_id, raw_bytes.read(session, rows.raw, where) or b""


def settle(session: Session, unindexed: Unindexed) -> bool:
    """Whether its words are ours to add: the note is taken away, by one process only."""
    statement = delete(table(UnindexedTable)).where(
        U.source == unindexed.source, U.source_id == unindexed.source_id
    )
    return session.connection().execute(statement).rowcount == 1


def add(session: Session, ticket_id: int, words: Sequence[str]) -> None:
    """Adds words to those of a ticket, which the caller has locked or just made."""
    engine, connection = engine_of(session), session.connection()
    held = (connection.execute(_HELD[engine], {"ticket": ticket_id}).scalar() or "").split()
    joined = _bounded(dict.fromkeys([*held, *words]))
    if len(joined) <= len(held):
        return
    if held:
        connection.execute(_DROP[engine], {"ticket": ticket_id})
    connection.execute(_WRITE[engine], {"ticket": ticket_id, "words": " ".join(joined)})


def _bounded(words: Collection[str]) -> list[str]:
    """The first of them that a ticket's row has room for."""
    lengths = accumulate(len(word.encode()) for word in words)
    return [word for word, length in zip(islice(words, MOST), lengths, strict=False) if length <= MOST_BYTES]


def tickets_with(session: Session, words: Sequence[str], limit: int) -> tuple[int, ...]:
    """The newest tickets that hold all these words; the last may be the beginning of one."""
    if not words:
        return ()
    newest = _among_newest(session, words, limit)
    if len(newest) >= min(ENOUGH, limit):
        return newest
    engine = engine_of(session)
    query = _QUERY[engine](words)
    rows = session.connection().execute(_FIND[engine], {"query": query, "limit": limit})
    return tuple(rows.scalars())


def _among_newest(session: Session, words: Sequence[str], limit: int) -> tuple[int, ...]:
    """Those of the newest tickets."""
    engine, connection = engine_of(session), session.connection()
    if engine == "postgresql":
        values = {"query": _tsquery(words), "limit": limit, "newest": NEWEST}
        return tuple(connection.execute(_LATEST[engine], values).scalars())
    whole = [f" {word} " for word in words[:-1]]
    begun = f" {words[-1]}"
    rows = connection.execute(_LATEST[engine], {"newest": NEWEST})
    hits = (row[0] for row in rows if begun in row[1] and all(word in row[1] for word in whole))
    return tuple(islice(hits, limit))


def _fts5(words: Sequence[str]) -> str:
    return " AND ".join(f'"{word}"' for word in words) + " *"


def _tsquery(words: Sequence[str]) -> str:
    return " & ".join(f"'{word}'" for word in words) + ":*"


_QUERY = {"sqlite": _fts5, "postgresql": _tsquery}
