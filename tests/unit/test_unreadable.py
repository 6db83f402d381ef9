"""A parser that fails on hostile bytes costs its part of the message; a bug of ours is raised as one."""

from __future__ import annotations

from typing import Any

import filetype
import mailparser.dates
import mailparser.utils
import pytest

from relaydesk.message import addresses, charsets, content_type, html, parse, parts, texts
from relaydesk.message.parse import parse_message

RAW = (
    b"From: Alice <alice@shop.example>\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\nSubject: Hello\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
    b'<p>Where is it? <a href="https://shop.example/">shop</a></p>\r\n'
    b"--b\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n%PDF-1.7\r\n--b--\r\n"
)
PARSERS: dict[str, tuple[Any, str]] = {
    "From": (mailparser.utils, "get_addresses"),
    "Date": (mailparser.dates, "parse_mail_date"),
    "body": (html.nh3, "clean"),
    "file type": (filetype, "guess"),
}
OURS: dict[str, tuple[Any, str]] = {
    "an address": (addresses, "_domain_or_text"),
    "the body": (texts, "_slots"),
    "the parts": (parts, "_cut"),
    "the links": (parse, "links"),
    "a charset": (charsets, "to_text"),
    "a header": (charsets, "raw_text"),
    "a name": (content_type, "file_name"),
    "markup": (html, "rewritten"),
    "quotations": (html, "parted"),
}


def failing(patch: pytest.MonkeyPatch, place: tuple[Any, str], error: type[Exception]) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error("near alice@shop.example")

    patch.setattr(*place, broken)


@pytest.mark.parametrize(
    "error", [ValueError, UnicodeError, IndexError, KeyError, TypeError, OverflowError, RecursionError]
)
@pytest.mark.parametrize("part", PARSERS)
def test_what_a_parser_fails_on_is_left_out_with_a_defect(
    part: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, PARSERS[part], error)
    letter = parse_message(RAW)
    assert letter.defects == (f"The {part} could not be read ({error.__name__}).",)
    assert letter.subject == "Hello"
    assert bool(letter.from_) is (part != "From")
    assert bool(letter.date) is (part != "Date")
    assert bool(letter.text) is (part != "body")


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyError, AttributeError, TypeError])
@pytest.mark.parametrize("stage", OURS)
def test_a_bug_of_ours_is_no_defect_of_the_message(
    stage: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, OURS[stage], error)
    with pytest.raises(error):
        parse_message(RAW)


@pytest.mark.parametrize("part", PARSERS)
def test_what_no_parser_raises_on_bytes_is_a_bug_too(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, PARSERS[part], RuntimeError)
    with pytest.raises(RuntimeError, match="near"):
        parse_message(RAW)
