"""An import file → numbered records, in a stream: CSV, JSON and JSON lines, in bounded memory.

The form goes by the first characters, that of JSON lines by the name (``.jsonl .ndjson``) too. A CSV's
delimiter (comma, semicolon, tab) is the one its header line holds most. Row numbers are what an editor
shows: the line for CSV (the header is 1) and JSON lines, the element's place, from 1, in JSON. JSON may be
lists, single orders, several in a row, or answers of Meta's API with their ``data`` lists.

Text is UTF-8; a CSV may also be UTF-16 with its mark, and windows-1252 where nothing in it is UTF-8 beyond
ASCII: the two other forms in which spreadsheets save.
"""

from __future__ import annotations

import codecs
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from relaydesk.data import UnusableFileError, open_file
from relaydesk.orders.csv_file import csv_records
from relaydesk.orders.json_file import STARTS_LIST, json_records, line_records
from relaydesk.orders.records import CHUNK, FileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.orders.records import FileRecord

STANDARD_INPUT = "standard input"
_ODD = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """An import file that is being read. ``encoding`` is how; ``raw``'s position is the progress."""

    raw: BinaryIO
    size: int
    encoding: str
    records: Iterator[FileRecord]


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[OpenedFile]:
    """The records of a file, or of a stream that can be sought. FileError when it is not to be read."""
    if not isinstance(source, Path):
        with _reading(source, STANDARD_INPUT, "") as stream:
            yield stream
        return
    try:
        raw = open_file(source)
    except UnusableFileError as error:
        raise FileError(str(error).rstrip(".")) from error
    with raw, _reading(raw, source.name, source.suffix.lower()) as file:
        yield file


@contextmanager
def _reading(raw: BinaryIO, name: str, suffix: str) -> Iterator[OpenedFile]:
    try:
        encoding = _encoding(raw, name)
        size = raw.tell()
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror}") from error
    raw.seek(0)
    # newline="" lets the csv module see line ends as they are in the file
    with TextIOWrapper(raw, encoding=encoding, errors="replace", newline="") as text:
        form = _form(suffix, text)
        if form != "csv" and encoding != "utf-8-sig":
            raise FileError(f"{name} is JSON and not UTF-8; save it again as UTF-8")
        text.seek(0)
        yield OpenedFile(raw, size, encoding.removesuffix("-sig"), _READERS[form](text, name))


def _encoding(raw: BinaryIO, name: str) -> str:
    """Found before the first row goes in, so that a wrong encoding leaves nothing half imported."""
    if raw.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raw.seek(0, 2)
        return "utf-16"
    raw.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    lines, odd_line, beyond_ascii = 1, 0, False
    while chunk := raw.read(CHUNK):
        if b"\0" in chunk:
            raise FileError(f"{name} holds NUL bytes, so it is no text; save it again as CSV UTF-8")
        text = decoder.decode(chunk)
        if not text.isascii():
            odd = _ODD.search(text)
            odd_line = odd_line or (lines + text[: odd.start()].count("\n") if odd else 0)
            beyond_ascii = beyond_ascii or not _ODD.sub("", text).removeprefix("\ufeff").isascii()
        lines += text.count("\n")
    if decoder.decode(b"", final=True):
        odd_line = odd_line or lines
    if odd_line and beyond_ascii:
        raise FileError(f"{name} is not UTF-8 (line {odd_line}); save it again as CSV UTF-8")
    return "cp1252" if odd_line else "utf-8-sig"


def _form(suffix: str, text: TextIO) -> str:
    start = text.read(CHUNK).lstrip()
    if suffix in (".jsonl", ".ndjson"):
        return "lines"
    if not start.startswith(("{", "[")):
        return "json" if suffix == ".json" else "csv"
    if suffix == ".json" or STARTS_LIST.match(start):
        return "json"
    try:
        json.loads(start.splitlines()[0])
    except (ValueError, RecursionError):
        return "json"
    return "lines"


_READERS = {"csv": csv_records, "json": json_records, "lines": line_records}
