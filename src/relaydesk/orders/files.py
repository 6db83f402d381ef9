"""An import file → numbered records, in a stream: CSV, JSON and JSON lines, UTF-8, in bounded memory.

The form goes by the name (``.csv .tsv .json .jsonl .ndjson``), else by the first characters. A CSV's
delimiter (comma, semicolon, tab) is the one its header line holds most. Row numbers are what an editor
shows: the line for CSV (the header is 1) and JSON lines, the element's place, from 1, in JSON. JSON may be
a list, one order, several in a row, or an answer of Meta's API with its ``data`` list.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from relaydesk.orders.row import column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CHUNK = 1 << 16
LONGEST_RECORD = 1 << 20
_LIST = re.compile(r'\[|\{\s*"data"\s*:\s*\[')
_BETWEEN = " \t\r\n,"
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


class FileError(ValueError):
    """The file as a whole cannot be read; a sentence that names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One record with its number: ``fields``, or None and ``why`` it cannot be read."""

    row: int
    fields: Mapping[str, Any] | None
    why: str = ""


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, Iterator[FileRecord]]]:
    """The file, whose position is the progress, and its records. FileError when it is not to be read."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise FileError(f"{path} cannot be opened: {error.strerror}") from error
    with raw:
        try:
            _check_utf8(raw, path.name)
        except OSError as error:
            raise FileError(f"{path} cannot be read: {error.strerror}") from error
        raw.seek(0)
        # newline="" lets the csv module see line ends as they are in the file
        with TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            form = _form(path, text)
            text.seek(0)
            yield raw, _READERS[form](text, path.name)


def _check_utf8(raw: BinaryIO, name: str) -> None:
    """Before the first row goes in, so that a wrong encoding leaves nothing half imported."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = 1
    while True:
        chunk = raw.read(CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = lines + error.object[: error.start].count(b"\n")
            raise FileError(f"{name} is not UTF-8 (line {line}); save it again as CSV UTF-8") from None
        if not chunk:
            return
        lines += chunk.count(b"\n")


def _form(path: Path, text: TextIO) -> str:
    by_name = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "lines", ".ndjson": "lines"}
    if path.suffix.lower() in by_name:
        return by_name[path.suffix.lower()]
    start = text.read(CHUNK).lstrip()
    if _LIST.match(start):
        return "json"
    if not start.startswith("{"):
        return "csv"
    try:
        json.loads(start.splitlines()[0])
    except (ValueError, RecursionError):
        return "json"
    return "lines"


def _csv_records(text: TextIO, name: str) -> Iterator[FileRecord]:
    delimiter = _delimiter(text)
    text.seek(0)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        row = reader.line_num + 1
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
    names = [column(cell) for cell in cells]
    if "order_id" not in names:
        raise FileError(f"{name} has no order_id column; its first line names {', '.join(cells)[:200]}")
    twice = sorted(title for title, count in Counter(names).items() if title and count > 1)
    if twice:
        raise FileError(f"{name} names a column twice: {', '.join(twice)}")
    return [cell.strip() for cell in cells]


def _line_records(text: TextIO, name: str) -> Iterator[FileRecord]:
    row = 0
    while line := text.readline(LONGEST_RECORD):
        row += 1
        whole = len(line) < LONGEST_RECORD or line.endswith("\n")
        if not whole:
            while (rest := text.readline(LONGEST_RECORD)) and not rest.endswith("\n"):
                pass
            yield FileRecord(row, None, f"the line is longer than {LONGEST_RECORD} characters")
        elif line.strip():
            yield _decoded_line(row, line)
    if row == 0:
        raise FileError(f"{name} is empty")


def _decoded_line(row: int, line: str) -> FileRecord:
    try:
        value = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return FileRecord(row, None, "the line is not a JSON object")
    return _object(row, value)


def _object(row: int, value: object) -> FileRecord:
    if not isinstance(value, dict):
        return FileRecord(row, None, "not a JSON object with named values")
    return FileRecord(row, value)


def _json_records(text: TextIO, name: str) -> Iterator[FileRecord]:
    """The elements one by one. A mistake in the syntax ends it: nothing after it has a sure place."""
    buffer = text.read(CHUNK).lstrip()
    wrapped = _LIST.match(buffer)
    if wrapped:
        buffer = buffer[wrapped.end() :]
    row = 0
    while True:
        buffer = buffer.lstrip(_BETWEEN)
        while not buffer and (more := text.read(CHUNK)):
            buffer = more.lstrip(_BETWEEN)
        if wrapped and buffer.startswith("]"):
            break  # after a page's data list only its paging follows
        if not buffer:
            break
        row += 1
        value, buffer = _next_value(buffer, text, f"{name}, order {row}")
        yield _object(row, value)
    if wrapped and not buffer:
        raise FileError(f"{name} ends before its list does; the file is cut short")
    if row == 0 and not wrapped:
        raise FileError(f"{name} is empty")


def _next_value(buffer: str, text: TextIO, where: str) -> tuple[object, str]:
    while True:
        try:
            value, end = _DECODER.raw_decode(buffer)
        except RecursionError:
            raise FileError(f"{where}: nested too deeply") from None
        except ValueError as error:
            more = text.read(CHUNK) if len(buffer) < LONGEST_RECORD else ""
            if not more:
                raise FileError(f"{where}: invalid JSON ({str(error).split(':')[0].lower()})") from None
            buffer += more
        else:
            return value, buffer[end:]


_READERS = {"csv": _csv_records, "json": _json_records, "lines": _line_records}
