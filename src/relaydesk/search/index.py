"""Adding the words of what was stored: mail is read for the index after its 250, not on the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.logs import log_exception
from relaydesk.message import index_words, parse_message
from relaydesk.store import in_turns, search, tickets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel import Session

    from relaydesk.message import Message
    from relaydesk.store import Store

BATCH = 20  # rows that are read before they are written


@dataclass(frozen=True, slots=True)
class Indexed:
    """How many messages and answers the index took in. ``failed`` are those that we failed to read."""

    indexed: int = 0
    failed: tuple[str, ...] = ()


def index_waiting(store: Store, limit: int = 1_000) -> Indexed:
    """Adds the words of up to ``limit`` messages and answers that the index lacks.

    Any number of processes may do it at once. Mail is read outside of the transactions that write.
    """
    done = 0
    failed: list[str] = []
    while done < limit:
        with store.reading() as session:
            batch = search.waiting(session, min(BATCH, limit - done))
        if not batch:
            break
        words = [(unindexed, *_read(store, unindexed, failed)) for unindexed in batch]
        # Tickets are locked in the order of their numbers, or two processes would block each other.
        words.sort(key=lambda entry: entry[1] or 0)
        for count in in_turns(store, words, _add):
            done += count
    return Indexed(done, tuple(failed))


def _add(session: Session, words: Sequence[tuple[search.Unindexed, int | None, tuple[str, ...]]]) -> int:
    for unindexed, ticket_id, of_mail in words:
        if search.settle(session, unindexed) and ticket_id is not None:
            tickets.lock(session, ticket_id)
            search.add(session, ticket_id, of_mail)
    return len(words)


def _read(store: Store, unindexed: search.Unindexed, failed: list[str]) -> tuple[int | None, tuple[str, ...]]:
    """The ticket and the words. A mail that we fail to read is logged, and must not hold up the others."""
    with store.reading() as session:
        ticket_id, raw = search.raw(session, unindexed)
    try:
        return ticket_id, _words(parse_message(raw))
    except Exception:
        log_exception("not_indexed", source=unindexed.source, number=unindexed.source_id)
        failed.append(f"{unindexed.source} {unindexed.source_id}")
        return ticket_id, ()


def _words(message: Message) -> tuple[str, ...]:
    senders = (f"{address.name} {address.addr}" for address in message.from_)
    files = (part.name for part in message.attachments)
    return index_words((message.subject, *senders, *(body.text for body in message.bodies), *files))
