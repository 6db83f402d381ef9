"""Adding the words of what was stored: mail is read for the index after its 250, not on the way to it.

What cannot be read or written is settled with fewer words or none, so that it is never tried again and holds
up nothing that came after it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.logs import log, log_exception
from relaydesk.message import searchable_header, searchable_words
from relaydesk.process_pool import NoProcess, TaskFailed, TaskTooHeavy
from relaydesk.store import StoreError, in_turns, search, tickets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel import Session

    from relaydesk.process_pool import ProcessPool
    from relaydesk.store import Store

BATCH = 20  # rows that are read before they are written
BATCH_SECONDS = 2.0  # after which what is read is written, however little


@dataclass(frozen=True, slots=True)
class Indexed:
    """How many messages and answers the index took in. ``failed`` are those that we failed to read or add;
    of ``headers`` only the header was read, for they take too much."""

    indexed: int = 0
    headers: int = 0
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """The words of a row, or of its header alone; none where we failed."""

    row: search.Unindexed
    ticket_id: int | None
    words: tuple[str, ...] = ()
    header_alone: bool = False
    failed: bool = False


def index_waiting(store: Store, limit: int = 1_000, seconds: float = float("inf")) -> Indexed:
    """Adds the words of up to ``limit`` messages and answers that the index lacks; begins none after
    ``seconds``.

    Any number of processes may do it at once. Mail is read outside of the transactions that write.
    """
    until = time.monotonic() + seconds
    done: list[_Read] = []
    while len(done) < limit and time.monotonic() < until:
        rows = _waiting(store, min(BATCH, limit - len(done)))
        if not rows:
            break
        batch = [_read(store, row) for row in rows if time.monotonic() < until]
        done += _written(store, batch)
    return _summary(done)


async def index_in_pool(store: Store, pool: ProcessPool) -> Indexed:
    """Adds the words of some of what the index lacks, read in a process of ``pool``, one after the other.

    NoProcess when there is none. Of what takes more than the pool's limits the header alone is read.
    """
    batch: list[_Read] = []
    began = time.monotonic()
    for row in await asyncio.to_thread(_waiting, store, BATCH):
        batch.append(await _read_in(pool, store, row))
        if time.monotonic() - began > BATCH_SECONDS:
            break
    return _summary(await asyncio.to_thread(_written, store, batch))


def _waiting(store: Store, limit: int) -> Sequence[search.Unindexed]:
    with store.reading() as session:
        return search.waiting(session, limit)


def _raw(store: Store, row: search.Unindexed) -> tuple[int | None, bytes]:
    with store.reading() as session:
        return search.raw(session, row)


def _read(store: Store, row: search.Unindexed) -> _Read:
    ticket_id, raw = _raw(store, row)
    try:
        return _Read(row, ticket_id, searchable_words(raw))
    except Exception:
        return _failed(row, ticket_id)


async def _read_in(pool: ProcessPool, store: Store, row: search.Unindexed) -> _Read:
    ticket_id, raw = await asyncio.to_thread(_raw, store, row)
    try:
        return _Read(row, ticket_id, await pool.run(searchable_words, raw))
    except TaskTooHeavy as failure:
        log("header_indexed", level="warning", source=row.source, number=row.source_id, problem=str(failure))
    except NoProcess:
        raise
    except TaskFailed:
        return _failed(row, ticket_id)
    try:
        return _Read(row, ticket_id, searchable_header(raw), header_alone=True)
    except Exception:
        return _failed(row, ticket_id)


def _failed(row: search.Unindexed, ticket_id: int | None) -> _Read:
    log_exception("not_indexed", source=row.source, number=row.source_id)
    return _Read(row, ticket_id, failed=True)


def _written(store: Store, batch: Sequence[_Read]) -> list[_Read]:
    """Adds the words. What the store does not take for an error of ours is settled without them."""
    # Tickets are locked in the order of their numbers, or two processes would block each other.
    ordered = sorted(batch, key=lambda entry: entry.ticket_id or 0)
    try:
        for _ in in_turns(store, ordered, _add):
            pass
    except StoreError:
        raise
    except Exception:
        if len(ordered) > 1:
            return [written for entry in ordered for written in _written(store, [entry])]
        entry = ordered[0]
        if entry.failed:
            raise
        return _written(store, [_failed(entry.row, entry.ticket_id)])
    return ordered


def _add(session: Session, batch: Sequence[_Read]) -> None:
    for entry in batch:
        if search.settle(session, entry.row) and entry.ticket_id is not None and entry.words:
            tickets.lock(session, entry.ticket_id)
            search.add(session, entry.ticket_id, entry.words)


def _summary(done: Sequence[_Read]) -> Indexed:
    return Indexed(
        indexed=len(done),
        headers=sum(entry.header_alone for entry in done),
        failed=tuple(f"{entry.row.source} {entry.row.source_id}" for entry in done if entry.failed),
    )
