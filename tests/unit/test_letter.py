"""A desk's HTML as a letter: attacks, and ordinary mail that looks the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selectolax.lexbor import LexborHTMLParser

from relaydesk.gateway.html import read_html
from relaydesk.message import letter_text
from tests.support.gateway import RULES
from tests.unit.test_rewrite import body, desk_mail, sent

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path(__file__).parents[1] / "data" / "html_attacks.txt"
TAGS = {
    "a", "b", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "align", "alt", "border", "cellpadding", "cellspacing", "class", "colspan", "dir", "height", "href",
    "id", "lang", "nowrap", "rowspan", "src", "start", "style", "type", "valign", "value", "width",
}  # fmt: skip
PROPERTIES = re.compile(
    r"(?:color|background-color|font-(?:size|family|weight|style|variant)|line-height|letter-spacing"
    r"|text-(?:align|decoration|indent|transform)|vertical-align|white-space|direction|display"
    r"|list-style-type|(?:padding|margin)(?:-(?:top|right|bottom|left))?|(?:min-|max-)?(?:width|height)"
    r"|border(?:-(?:top|right|bottom|left))?(?:-(?:width|style|color|radius|collapse|spacing))?)"
)
VALUE = re.compile(
    r"(?!.*(?:url|expression|import|none\(|javascript))[a-z0-9 #%.,\u0080-\uffff_-]+", re.IGNORECASE
)
ADDRESS = re.compile(r"(?:https?://|mailto:|tel:)[^\s\"'<>`\\]+", re.IGNORECASE)
OWN = frozenset({"photo@x"})


def attacks(section: str) -> list[str]:
    parts = re.split(r"^\[(\w+)\]\n", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = dict(zip(parts[1::2], parts[2::2], strict=True))[section].splitlines()
    return [
        re.sub(r"\{U\+([0-9A-F]{4})\}", lambda code: chr(int(code[1], 16)), line) for line in lines if line
    ]


def cleaned(html: str) -> str:
    return read_html(html, RULES, OWN).without(())


def wrong_in(html: str) -> Iterator[str]:
    """What an element-wise look at the HTML, by its own lists, finds that no letter may have."""
    tree = LexborHTMLParser(f"<!DOCTYPE html><body>{html}</body>")
    assert tree.body is not None and tree.head is not None
    yield from (f"head: {node.tag}" for node in tree.head.iter())
    for node in tree.body.traverse(include_text=True):
        if node.is_text_node or node.tag == "body":
            continue
        if not node.is_element_node or node.tag not in TAGS:
            yield f"element {node.tag}"
        for name, value in node.attributes.items():
            if name not in ATTRIBUTES:
                yield f"attribute {name}"
            elif name == "href" and not ADDRESS.fullmatch(value or ""):
                yield f"href {value}"
            elif name == "src" and value != "cid:photo@x":
                yield f"src {value}"
            elif name == "style":
                yield from (
                    f"style {declaration}"
                    for declaration in (value or "").split(";")
                    if not PROPERTIES.fullmatch(declaration.partition(":")[0])
                    or not VALUE.fullmatch(declaration.partition(":")[2])
                )


def test_there_are_many_attacks() -> None:
    assert len(attacks("runs")) + len(attacks("loads")) >= 220
    assert len(attacks("hidden")) >= 60


def test_the_look_at_letters_sees_what_is_wrong() -> None:
    for section in ("runs", "loads"):
        unseen = [html for html in attacks(section) if not list(wrong_in(html)) and "EVIL" in html]
        assert len(unseen) < len(attacks(section)) // 10, unseen


@pytest.mark.parametrize("section", ["runs", "loads", "hidden", "shown"])
def test_nothing_outside_the_lists_is_let_through(section: str) -> None:
    for html in attacks(section):
        for source in (
            html,
            f"<p>Hi</p>{html}<p>Bye</p>",
            f"<div><table><tr><td>{html}",
            f"</p></div>{html}",
        ):
            letter = cleaned(source)
            assert list(wrong_in(letter)) == [], (source, letter)
            assert not re.search(r"<[^>]*EVIL", letter), (source, letter)
            assert letter_text(cleaned(letter)) == letter_text(letter), (source, letter)


@pytest.mark.parametrize("html", attacks("hidden"))
def test_what_its_author_hid_is_in_neither_part(html: str) -> None:
    letter = cleaned(f"<div>Hi</div>{html}")
    assert "EVIL" not in letter
    assert "EVIL" not in letter_text(letter)
    assert "Hi" in letter


@pytest.mark.parametrize("html", attacks("shown"))
def test_what_its_author_showed_is_in_both_parts(html: str) -> None:
    letter = cleaned(f"<div>Hi</div>{html}")
    assert "GOOD" in letter
    assert "GOOD" in letter_text(letter)


@pytest.mark.parametrize("section", ["runs", "loads", "hidden"])
def test_the_finished_message_holds_none_of_it(section: str) -> None:
    """All at once, and each after the other: what one leaves open another may not use."""
    html = "<p>Hello</p>" + "\n".join(html for html in attacks(section) if not html.startswith("<style"))
    message = sent(desk_mail("Hello", html))
    shown = body(message, "html")
    inner = shown.removeprefix('<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n')
    assert list(wrong_in(inner.replace("\n</body></html>", ""))) == []
    assert not re.search(r"<[^>]*EVIL", shown)
    assert "Hello" in shown and "Hello" in body(message, "plain")
