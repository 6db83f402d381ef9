"""What reads what other help desks and the shop hand in: answers, files, lists; and the log's cleaner."""

from __future__ import annotations

import base64
import io
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk import gateway
from relaydesk.config.parts import read_yaml
from relaydesk.gateway import load_gateway_rules
from relaydesk.gateway.html import page, read_html, shown_pictures
from relaydesk.gateway.submission import submitted
from relaydesk.intake.forward import below, forwarded_before
from relaydesk.logs.redaction import redacted
from relaydesk.message import visible_text
from relaydesk.orders import csv_file, json_file
from relaydesk.orders.row import COLUMNS, RowReader
from relaydesk.outbound import (
    Draft,
    NamedOrder,
    Question,
    Shop,
    answer_subject,
    clean_line,
    clean_text,
    compose_answer,
)
from relaydesk.outbound.answer import Binding
from relaydesk.outbound.check import outgoing_problem
from relaydesk.outbound.mime import encoded_words
from relaydesk_testkit import shapes as of
from relaydesk_testkit.reader import MESSAGE, REFUSALS, Reader, each

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.gateway import GatewayRules


SENDERS = frozenset({"support.instagram.com"})
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


HTML = "Content-Type: text/html; charset=utf-8\r\n"
MIXED = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"


_STYLES = (
    *("font", "font-family", "font-size", "background", "border", "margin", "width", "line-height"),
    *("letter-spacing", "text-indent", "text-decoration", "text-align", "color"),
)


@cache
def _desk_rules() -> GatewayRules:
    return load_gateway_rules(read_yaml(Path(gateway.__file__).with_name("desks.yaml")), "desks.yaml")


def _desk(head: str) -> Callable[[bytes], object]:
    start = f"From: a@b.example\r\nSubject: re: order 123456789\r\n{head}\r\n".encode()
    return lambda raw: submitted(start + raw, _desk_rules())


def _letter(text: str) -> None:
    """A help desk's HTML, cleaned, as it goes to the buyer."""
    html = read_html(text, _desk_rules()).without(())
    shown_pictures(html)
    page(html, "x")


def _styled(text: str) -> None:
    """The same, with these words for each style that a letter may have."""
    styles = "".join(f"{name}:{text};" for name in _STYLES)
    _letter(f'<p style="{styles}">x</p><font size="{text}" color="{text}">x</font>')


def _checked(raw: bytes) -> None:
    head = (
        b"Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nFrom: help@shop.example\r\n"
        b"To: case++a@support.instagram.com\r\n"
        b"Message-ID: <1@shop.example>\r\nSubject: order 1\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    bound = Binding("case++a@support.instagram.com", NamedOrder("1"), "help@shop.example", SENDERS)
    outgoing_problem(head + base64.encodebytes(raw).replace(b"\n", b"\r\n"), bound)


def _row(text: str) -> None:
    """One cell of each column."""
    for name in COLUMNS:
        with suppress(*REFUSALS):
            RowReader().read({"order_id": "1234567890123"} | {name: text})


def _file(suffix: str) -> Callable[[bytes], None]:
    def read(raw: bytes) -> None:
        text = io.TextIOWrapper(io.BytesIO(raw), "utf-8", "replace", newline="")
        reader = {
            "csv": csv_file.csv_records,
            "json": json_file.json_records,
            "lines": json_file.line_records,
        }
        for record in reader[suffix](text, "orders"):
            if record.fields is not None:
                RowReader().read(record.fields)

    return read


def _composed(text: str) -> None:
    """What an agent wrote, in answer to a Subject."""
    question = Question(1, 1, "case++a@support.instagram.com", text, "<1@b.example>", ("<0@b.example>",))
    draft = Draft(text, NamedOrder("1"))
    shop = Shop("Shop", "help@shop.example", "shop.example")
    compose_answer(question, draft, shop, message_id="<2@shop.example>", date=NOON)


READERS: dict[str, Reader] = {
    # What goes out, and what another help desk hands in.
    "gateway.submission of text": Reader(_desk(""), (*of.LINES, *of.TEMPLATE[:6]), MESSAGE, 16_384),
    "gateway.submission of HTML": Reader(_desk(HTML), of.TAGS, MESSAGE, 4_096),
    "gateway.submission of files": Reader(_desk(MIXED), of.MIME, MESSAGE, 8_192, whole=True),
    "gateway.html of styles": Reader(_styled, of.STYLES, 65_536, 4_096, text=True, whole=True),
    "gateway.html": Reader(_letter, of.TAGS, 2_000_000, 4_096, text=True),
    "outbound.check": Reader(_checked, (*of.TAGS, *of.TEMPLATE), 2_000_000, 4_096),
    "outbound.visible_text": Reader(visible_text, of.TAGS, 2_000_000, 4_096, text=True),
    "outbound.compose": Reader(
        each(lambda text: answer_subject(text, "1"), clean_line, clean_text, encoded_words, _composed),
        of.TEMPLATE,
        65_536,
        4_096,
        text=True,
    ),
    "intake.forward": Reader(
        each(lambda raw: below(raw, "mx.b.example"), lambda raw: forwarded_before(raw, "mx.b.example")),
        (
            *of.HEADER,
            "Authentication-Results: ",
            "Authentication-Results: (",
            "a: b\r\n",
            "X-Relaydesk-Loop: ",
        ),
        MESSAGE,
        65_536,
    ),
    # The shop's own files, and the log.
    "orders of CSV": Reader(_file("csv"), of.ORDERS, 1 << 26, 8_192),
    "orders of JSON": Reader(_file("json"), of.ORDERS, 1 << 26, 8_192),
    "orders of JSON lines": Reader(_file("lines"), of.ORDERS, 1 << 26, 8_192),
    "orders' cells": Reader(_row, of.ORDERS, 20_000, 4_000, text=True),
    "logs": Reader(partial(redacted, longest=1 << 20), of.PATHS, 1 << 20, 1 << 14, text=True),
}
