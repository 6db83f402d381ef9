"""The local order directory: import of a file, and look-up.

Good rows go in. A bad cell of a good row is named and left out; a row without a good order id is named and
left out as a whole.

Rows go in by batches of a thousand, each one transaction, so that a million of them need little memory and
a stop halfway keeps what is in; importing the same file again changes nothing. The columns are in
:mod:`relaydesk.orders.row`, the forms of the file in :mod:`relaydesk.orders.files`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import TYPE_CHECKING

from relaydesk.order import BadCell
from relaydesk.orders import files
from relaydesk.orders.row import RowError, RowReader, has_order_shape
from relaydesk.store import orders as table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, tzinfo
    from pathlib import Path
    from typing import BinaryIO

    from relaydesk.order import Order, OrderRow
    from relaydesk.orders.records import FileRecord
    from relaydesk.store import Put, Store

BATCH = 1000
LONGEST_KEY = 320
NAMED = 10_000
"""So many rows and cells are named; more are only counted, lest one wrong column fill the memory."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was left out: its number in the file and why."""

    row: int
    why: str


@dataclass(frozen=True, slots=True)
class LeftOutCell:
    """A cell that was left out of a row that went in: the row's number, the column, the value (cut), why."""

    row: int
    column: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    ``left_out`` counts all bad rows, ``rejected`` names the first 10,000; ``left_out_cells`` and ``cells`` do
    so for the bad cells of rows that went in. ``ignored`` are the columns (of JSON: keys) that are not known,
    in alphabetical order; ``encoding`` is how the file was read. ``tied`` counts the
    tickets that were bound to an order of theirs, since their mail had come before it.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    left_out: int = 0
    rejected: tuple[Rejected, ...] = ()
    left_out_cells: int = 0
    cells: tuple[LeftOutCell, ...] = ()
    ignored: tuple[str, ...] = ()
    encoding: str = "utf-8"
    tied: int = 0


@dataclass(slots=True)
class _Counts:
    fates: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    left_out_cells: int = 0
    cells: list[LeftOutCell] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)
    tied: set[int] = field(default_factory=set)

    def leave_out(self, row: int, why: str) -> None:
        self.left_out += 1
        if len(self.rejected) < NAMED:
            self.rejected.append(Rejected(row, why))

    def leave_out_cell(self, row: int, cell: BadCell) -> None:
        self.left_out_cells += 1
        if len(self.cells) < NAMED:
            self.cells.append(LeftOutCell(row, cell.column, cell.value, cell.why))

    def settled(self, put: Put) -> None:
        self.fates[put.fate] += 1
        self.tied.update(put.tied)

    def done(self, encoding: str) -> Imported:
        return Imported(
            added=self.fates["added"],
            updated=self.fates["updated"],
            unchanged=self.fates["unchanged"],
            left_out=self.left_out,
            rejected=tuple(sorted(self.rejected, key=lambda rejected: rejected.row)),
            left_out_cells=self.left_out_cells,
            cells=tuple(sorted(self.cells, key=lambda cell: cell.row)),
            ignored=tuple(sorted(self.ignored)),
            encoding=encoding,
            tied=len(self.tied),
        )


def import_file(  # noqa: PLR0913 - into what, what, when, and how it is read
    store: Store,
    source: Path | BinaryIO,
    *,
    now: datetime,
    zone: tzinfo = UTC,
    has_shape: Callable[[str], bool] = has_order_shape,
    progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Import the orders of a file, or of a stream that can be sought, and say what became of each row.

    ``now`` (aware) dates the change of the stored orders. A plain day in the file is one of ``zone``;
    ``has_shape`` says whether a text may be an order id. ``progress`` gets (bytes read, bytes in all) after
    each batch. FileError when the file as a whole cannot be read; the store's own errors pass.
    """
    tally, reader = _Counts(), RowReader(zone, has_shape)
    with files.opened(source) as file:
        for batch in _batches(file.records):
            _put(store, _readable(reader, batch, tally), now, tally)
            if progress:
                progress(file.raw.tell(), file.size)
        return tally.done(file.encoding)


def _batches(records: Iterable[FileRecord]) -> Iterator[list[FileRecord]]:
    records = iter(records)
    while batch := list(itertools.islice(records, BATCH)):
        yield batch


def _readable(reader: RowReader, batch: list[FileRecord], tally: _Counts) -> list[tuple[int, OrderRow]]:
    good = []
    for record in batch:
        if record.fields is None:
            tally.leave_out(record.row, record.why)
            continue
        try:
            row = reader.read(record.fields)
        except RowError as error:
            tally.leave_out(record.row, str(error))
            continue
        good.append((record.row, row))
        for cell in row.bad:
            tally.leave_out_cell(record.row, cell)
        if len(tally.ignored) < BATCH:
            tally.ignored.update(row.unknown)
    return good


def _put(store: Store, rows: list[tuple[int, OrderRow]], now: datetime, tally: _Counts) -> None:
    """Put rows in. One whose seller's reference is another order's goes in without it."""
    disputed = []
    for put, (number, row) in zip(table.put(store, [row for _, row in rows], now), rows, strict=True):
        if put.fate == "refused":
            tally.leave_out_cell(number, BadCell("merchant_ref", row.order.merchant_ref, put.why))
            without = replace(row.order, merchant_ref="")
            disputed.append(replace(row, order=without, given=row.given - {"merchant_ref"}))
        else:
            tally.settled(put)
    if disputed:
        for put in table.put(store, disputed, now):
            tally.settled(put)


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
