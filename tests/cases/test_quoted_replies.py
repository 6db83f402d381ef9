"""Replies of common mail programs, where the shared folder holds them: what is quoted names no order."""

from __future__ import annotations

import re

import pytest

from relaydesk.classify import classify
from relaydesk.config import parts
from relaydesk.message import parse_message
from tests.support.shared import SHARED, shared

LABEL, QUOTED = "Order number: 222222222222222", "222222222222222"
PAGES = sorted(path.name for path in (SHARED / "corpus/talon/html_replies").glob("*.html")) or ["none"]
REPLIES = sorted(
    path.name for path in (SHARED / "corpus/talon/tests/fixtures").rglob("standard_replies/*.eml")
)


def labelled(raw: bytes) -> set[str]:
    findings = classify(parse_message(raw), parts.shipped_rules(), frozenset({"b.example"}))
    return {number.value for number in findings.candidates if number.sure == "labelled"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_quotes_what_its_program_quotes(name: str) -> None:
    page = shared(f"corpus/talon/html_replies/{name}").read_bytes()
    planted = re.sub(rb"Hello! +How\s+are\s+you\?", LABEL.encode(), page)
    assert planted != page
    raw = b"From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + planted
    message = parse_message(raw)
    assert " ".join(message.own.split()) == "Hi. I am fine. Thanks, Alex"
    assert LABEL in message.quoted
    assert labelled(raw) == set()
    assert labelled(raw.replace(b"Hi. I am fine.", LABEL.encode(), 1)) == {QUOTED}


@pytest.mark.parametrize("name", REPLIES or ["none"])
def test_a_reply_quotes_what_its_program_quotes(name: str) -> None:
    message = parse_message(shared(f"corpus/talon/tests/fixtures/standard_replies/{name}").read_bytes())
    for body in message.bodies:
        assert body.own.strip().startswith(("Hello", "Allo!"))
        assert "wrote:" not in body.own
        assert not re.search(r"(?m)^\s*>|^(?:From|Sent|Subject):|\bHi\b", body.own)
        assert body.quoted.strip()
