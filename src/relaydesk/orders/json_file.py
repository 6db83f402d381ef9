"""A JSON file, or JSON lines → its records: lists, single orders, and answers of Meta's API as they are.

Numbers stay text exactly as written, for an order id is one.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TextIO

from relaydesk.orders.records import CHUNK, LONGEST_RECORD, FileError, FileRecord
from relaydesk.orders.row import column

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTS = ("data", "orders", "commerce_orders")
"""Keys of an answer that hold its orders, at once or in a further ``data``."""
STARTS_LIST = re.compile(r'\[|\{\s*"(?:' + "|".join(LISTS) + r')"\s*:\s*(?:\{\s*"data"\s*:\s*)?\[')
DEEPEST = 5
_BETWEEN = " \t\r\n,"
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def line_records(text: TextIO, name: str) -> Iterator[FileRecord]:
    """The orders of JSON lines, each with the number of its line."""
    row = 0
    while line := text.readline(LONGEST_RECORD):
        row += 1
        whole = len(line) < LONGEST_RECORD or line.endswith("\n")
        if not whole:
            while (rest := text.readline(LONGEST_RECORD)) and not rest.endswith("\n"):
                pass
            yield FileRecord(row, None, f"the line is longer than {LONGEST_RECORD} characters")
        elif line.strip():
            yield from _decoded_line(row, line)
    if row == 0:
        raise FileError(f"{name} is empty")


def _decoded_line(row: int, line: str) -> Iterator[FileRecord]:
    try:
        value = _DECODER.decode(line.strip())
    except (ValueError, RecursionError):
        yield FileRecord(row, None, "the line is not a JSON object")
    else:
        yield from (_object(row, order) for order in _orders_in(value))


def _orders_in(value: object, depth: int = 0) -> list[object]:
    """The orders in one JSON value: those of an answer's list, of a list, or the value itself."""
    if depth > DEEPEST:
        return [value]
    if isinstance(value, list):
        return [order for entry in value for order in _orders_in(entry, depth + 1)]
    if isinstance(value, dict) and not any(column(key) == "order_id" for key in value):
        for key in LISTS:
            if isinstance(value.get(key), (list, dict)):
                return _orders_in(value[key], depth + 1)
    return [value]


def _object(row: int, value: object) -> FileRecord:
    if not isinstance(value, dict):
        return FileRecord(row, None, "not a JSON object with named values")
    if isinstance(error := value.get("error"), dict):
        return FileRecord(row, None, f"an error of the Graph API: {str(error.get('message', ''))[:200]}")
    return FileRecord(row, value)


def json_records(text: TextIO, name: str) -> Iterator[FileRecord]:
    """The elements one by one. A mistake in the syntax ends it: nothing after it has a sure place."""
    reader = _JsonReader(text, name)
    row, values = 0, 0
    while reader.more():
        values += 1
        for value in reader.elements(row + 1):
            for order in _orders_in(value):
                row += 1
                yield _object(row, order)
    if not values:
        raise FileError(f"{name} is empty")


class _JsonReader:
    """JSON values in a row, of which a list is read element by element."""

    def __init__(self, text: TextIO, name: str) -> None:
        self.text, self.name, self.buffer = text, name, ""

    def more(self) -> bool:
        """Whether anything but blanks and commas follows."""
        self.buffer = self.buffer.lstrip(_BETWEEN)
        while not self.buffer and (chunk := self.text.read(CHUNK)):
            self.buffer = chunk.lstrip(_BETWEEN)
        return bool(self.buffer)

    def elements(self, row: int) -> Iterator[object]:
        """The elements of the list that comes next, or the one value; ``row`` is the number of the first."""
        if len(self.buffer) < CHUNK:
            self.buffer += self.text.read(CHUNK)
        start = STARTS_LIST.match(self.buffer)
        if start is None:
            yield self._value(f"{self.name}, order {row}")
            return
        self.buffer = self.buffer[start.end() :]
        while self.more():
            if self.buffer.startswith("]"):
                self._close(start[0].count("{"))
                return
            yield self._value(f"{self.name}, order {row}")
            row += 1
        raise FileError(f"{self.name} ends before its list does; the file is cut short")

    def _close(self, objects: int) -> None:
        """Pass the end of the list and of the answer around it, of which only the paging follows."""
        self.buffer = self.buffer[1:]
        for _ in range(objects):
            self.buffer = '{"":0' + self.buffer
            self._value(f"{self.name}, after its list")

    def _value(self, where: str) -> object:
        while True:
            try:
                value, end = _DECODER.raw_decode(self.buffer)
            except RecursionError:
                raise FileError(f"{where}: nested too deeply") from None
            except ValueError as error:
                chunk = self.text.read(CHUNK) if len(self.buffer) < LONGEST_RECORD else ""
                if not chunk:
                    raise FileError(f"{where}: invalid JSON ({str(error).split(':')[0].lower()})") from None
                self.buffer += chunk
            else:
                self.buffer = self.buffer[end:]
                return value
