"""The golden answers of fixtures/answers: what an agent wrote, and what must leave, case by case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from relaydesk.data import data_path
from relaydesk.order import Order
from relaydesk.outbound.answer import AnswerRefused, Draft, NamedOrder, Shop
from relaydesk.outbound.attachments import attach_files
from relaydesk.outbound.check import check_outgoing
from relaydesk.outbound.template_variables import TemplateContext, variables_of
from relaydesk.outbound.templates import Templates
from tests.support.answers import MESSAGE_ID, ORDER, SHOP, Seen, bound, composed, question, seen

if TYPE_CHECKING:
    from pathlib import Path

CASES = sorted(data_path("fixtures").glob("answers/*/"))
EXPECTED = {
    *("to", "subject", "from_name", "text", "html_contains", "raw_contains", "in_reply_to", "references"),
    *("enclosures", "refused"),
}


def read(path: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))


def text_of(written: dict[str, Any]) -> str:
    """The agent's text, or that of a template for the buyer alice, answered by Robin."""
    if "template" not in written:
        return str(written["text"])
    order = Order(written["order_id"], written.get("merchant_ref", "")) if written.get("order_id") else None
    about = TemplateContext(17, "Message from alice", "alice", order, "Robin", SHOP)
    found = Templates.load([data_path("templates") / "replies"])
    return found.render(written["template"], variables_of(about, written.get("set", {})))


def answer(case: Path) -> bytes:
    """Makes and checks the answer of a case as the desk does."""
    asked, written = read(case / "question.yaml"), read(case / "draft.yaml")
    asking = question(**asked | {"references": tuple(asked.get("references", ()))})
    files = [(one["name"], (case / one["file"]).read_bytes()) for one in written.get("enclosures", [])]
    draft = Draft(
        text_of(written),
        NamedOrder(written.get("order_id"), written.get("merchant_ref", "")),
        no_order=written.get("no_order", False),
        enclosures=attach_files(files),
    )
    shop = Shop(written.get("shop", SHOP.name), SHOP.contact, SHOP.domain)
    raw = composed(asking, draft, shop)
    check_outgoing(raw, bound(asking, draft, shop))
    return raw


def facts(found: Seen) -> dict[str, Any]:
    return {
        "to": found.recipients[0],
        "subject": found.subject,
        "from_name": found.sender[0],
        "text": found.text,
        "in_reply_to": found.in_reply_to,
        "references": list(found.references),
        "enclosures": [{"name": name, "type": kind} for name, kind, _ in found.enclosures],
    }


def test_there_are_enough_of_them():
    assert len(CASES) >= 20
    for case in CASES:
        assert (case / "why.md").read_text(encoding="utf-8").strip(), case
        expected = read(case / "expected.yaml")
        assert expected and set(expected) <= EXPECTED, case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_answers_as_it_should(case):
    expected = read(case / "expected.yaml")
    if refused := expected.get("refused"):
        with pytest.raises(AnswerRefused) as caught:
            answer(case)
        assert str(caught.value).endswith(refused.removeprefix("…"))
        return
    raw = answer(case)
    found = seen(raw)
    for name, value in expected.items():
        if name in ("html_contains", "raw_contains"):
            where = found.html if name == "html_contains" else raw.decode("ascii")
            assert value.replace("\r\n", "\n") in where.replace("\r\n", "\n")
        else:
            assert facts(found)[name] == value, name
    assert len(found.recipients) == 1
    assert found.sender[1] == SHOP.contact
    if order := read(case / "draft.yaml").get("order_id", ORDER):
        assert order in found.subject
        assert order in found.text
        assert order in found.html


@pytest.mark.parametrize(
    "case", [case for case in CASES if (case / "expected.eml").exists()], ids=lambda c: c.name
)
def test_it_answers_to_the_byte(case):
    raw = answer(case)
    assert MESSAGE_ID.encode() in raw
    assert raw.replace(b"\r\n", b"\n") == (case / "expected.eml").read_bytes().replace(b"\r\n", b"\n")
