"""A CSV file → its records: comma, semicolon or tab, whichever the header line holds most."""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import TYPE_CHECKING, TextIO

from relaydesk.orders.records import CHUNK, LONGEST_RECORD, FileError, FileRecord
from relaydesk.orders.row import column, named_twice

if TYPE_CHECKING:
    from collections.abc import Iterator


def csv_records(text: TextIO, name: str) -> Iterator[FileRecord]:
    """Each line with its number, that of the header being 1. FileError for a header that is none."""
    delimiter = _delimiter(text)
    text.seek(0)
    lines = _Lines(text, name)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        row = reader.line_num + 1
        lines.characters = 0
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if header is None:
                raise FileError(f"the header line of {name} cannot be read: {error}") from None
            yield FileRecord(row, None, _csv_problem(row, reader.line_num, str(error)))
            continue
        if cells is None:
            break
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells, name)
        elif len(cells) != len(header):
            hint = "is a value with the delimiter in it not quoted?"
            yield FileRecord(row, None, f"{len(cells)} cells where the header has {len(header)}; {hint}")
        else:
            yield FileRecord(row, dict(zip(header, cells, strict=True)))
    if header is None:
        raise FileError(f"{name} is empty")


class _Lines:
    """The lines of a file, none of which is held before its length is known, nor too many for one record."""

    def __init__(self, text: TextIO, name: str) -> None:
        self.text, self.name, self.number, self.characters = text, name, 0, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.text.readline(LONGEST_RECORD)
        if not line:
            raise StopIteration
        self.number += 1
        self.characters += len(line)
        if self.characters >= LONGEST_RECORD:
            raise FileError(
                f"{self.name}, line {self.number}: a record is longer than {LONGEST_RECORD:,} characters; "
                "is a quote not closed?"
            )
        return line


def _delimiter(text: TextIO) -> str:
    while (line := text.readline(CHUNK)) and not line.strip():
        pass
    counts = Counter(re.sub('"[^"]*"', "", line))
    return max(",;\t", key=lambda mark: counts[mark])


def _csv_problem(first: int, last: int, error: str) -> str:
    if last > first:
        return f"{error}; lines {first} to {last} were read as one record: is a quote not closed?"
    return f"{error}; is a quote not closed?"


def _header(cells: list[str], name: str) -> list[str]:
    if "order_id" not in map(column, cells):
        raise FileError(f"{name} has no order_id column; its first line names {', '.join(cells)[:200]}")
    if twice := named_twice(cells):
        raise FileError(f"{name} names a column twice: {', '.join(twice)}")
    return [cell.strip() for cell in cells]
