"""The local order directory: import of a file, and look-up. Good rows go in, bad ones are named and left out.

Rows go in by batches of a thousand, each one transaction, so that a million of them need little memory and
a stop halfway keeps what is in; importing the same file again changes nothing. The columns are in
:mod:`relaydesk.orders.row`, the forms of the file in :mod:`relaydesk.orders.files`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaydesk.orders import files
from relaydesk.orders import row as rows
from relaydesk.store import orders as table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from relaydesk.order import Order, OrderRow
    from relaydesk.orders.files import FileRecord
    from relaydesk.store import Put, Store

BATCH = 1000
LONGEST_KEY = 320
NAMED = 10_000
"""So many left-out rows are named; more are only counted, lest one wrong column fill the memory."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was left out: its number in the file and why."""

    row: int
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. ``left_out`` counts all bad rows, ``rejected`` names the first 10,000.

    ``ignored`` are the columns (of JSON: keys) that are not known, in alphabetical order. ``tied`` counts the
    tickets that were bound to an order of theirs, since their mail had come before it.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    left_out: int = 0
    rejected: tuple[Rejected, ...] = ()
    ignored: tuple[str, ...] = ()
    tied: int = 0


@dataclass(slots=True)
class _Counts:
    fates: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)
    tied: set[int] = field(default_factory=set)

    def leave_out(self, row: int, why: str) -> None:
        self.left_out += 1
        if len(self.rejected) < NAMED:
            self.rejected.append(Rejected(row, why))

    def done(self) -> Imported:
        named = tuple(sorted(self.rejected, key=lambda rejected: rejected.row))
        ignored = tuple(sorted(self.ignored))
        fates = self.fates
        return Imported(
            fates["added"],
            fates["updated"],
            fates["unchanged"],
            self.left_out,
            named,
            ignored,
            len(self.tied),
        )


def import_file(
    store: Store, path: Path, *, now: datetime, progress: Callable[[int, int], None] | None = None
) -> Imported:
    """Import the orders of ``path`` and say what became of each row.

    ``now`` (aware) dates the change of the stored orders. ``progress`` gets (bytes read, bytes in all) after
    each batch. FileError when the file as a whole cannot be read; the store's own errors pass.
    """
    tally = _Counts()
    with files.opened(path) as (raw, records):
        total = path.stat().st_size
        for batch in _batches(records):
            good = _readable(batch, tally)
            _count(table.put(store, [row for _, row in good], now), good, tally)
            if progress:
                progress(raw.tell(), total)
    return tally.done()


def _batches(records: Iterable[FileRecord]) -> Iterator[list[FileRecord]]:
    records = iter(records)
    while batch := list(itertools.islice(records, BATCH)):
        yield batch


def _readable(batch: list[FileRecord], tally: _Counts) -> list[tuple[int, OrderRow]]:
    good = []
    for record in batch:
        if record.fields is None:
            tally.leave_out(record.row, record.why)
            continue
        try:
            row = rows.read(record.fields)
        except rows.RowError as error:
            tally.leave_out(record.row, str(error))
            continue
        good.append((record.row, row))
        if len(tally.ignored) < BATCH:
            tally.ignored.update(row.unknown)
    return good


def _count(put: list[Put], good: list[tuple[int, OrderRow]], tally: _Counts) -> None:
    for result, (number, _) in zip(put, good, strict=True):
        if result.fate == "refused":
            tally.leave_out(number, result.why)
        else:
            tally.fates[result.fate] += 1
            tally.tied.update(result.tied)


def find_orders(store: Store, text: str) -> list[Order]:
    """The orders whose Facebook id, seller's reference or relay address is ``text``, newest first.

    Blanks around it and a ``#`` before it do not matter, nor capitals of a relay address. A text that can
    be no key (empty, too long, with a NUL) finds nothing.
    """
    key = text.strip().removeprefix("#").strip()
    if not key or len(key) > LONGEST_KEY or "\0" in key:
        return []
    with store.reading() as session:
        return table.find(session, key)
