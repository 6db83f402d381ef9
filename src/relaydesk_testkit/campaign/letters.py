"""HTML that a letter to a buyer must not carry through, and a look at letters by lists of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import create_engine, text

from relaydesk_testkit.campaign.desks import answer, hand_in, ticket

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from relaydesk_testkit.campaign.attack import Outcome
    from relaydesk_testkit.campaign.target import Target
    from relaydesk_testkit.smtp import Talk

LONG = 6.0  # seconds of an attack from which on each is handed in alone
TOGETHER = 20  # that a message has otherwise
Section = Literal["runs", "loads", "hidden", "shown"]
Vector = tuple[Section, str]
SECTIONS: tuple[Section, ...] = ("runs", "loads", "hidden")
FILE = Path(__file__).with_name("html_attacks.txt")
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


def html_attacks(section: Section) -> list[str]:
    """The attacks of a section of the file, which says what each must not leave in a letter."""
    parts = re.split(r"^\[(\w+)\]\n", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = dict(zip(parts[1::2], parts[2::2], strict=True))[section].splitlines()
    return [
        re.sub(r"\{U\+([0-9A-F]{4})\}", lambda code: chr(int(code[1], 16)), line) for line in lines if line
    ]


def wrong_in(html: str, content_ids: Collection[str] = ()) -> Iterator[str]:
    """What an element-wise look at the HTML of a letter finds that it may not have; the images of these
    Content-IDs, without angle brackets, are its own.
    """
    own = {f"cid:{content_id}" for content_id in content_ids}
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
            elif name == "src" and value not in own:
                yield f"src {value}"
            elif name == "style":
                yield from (
                    f"style {declaration}"
                    for declaration in (value or "").split(";")
                    if not PROPERTIES.fullmatch(declaration.partition(":")[0])
                    or not VALUE.fullmatch(declaration.partition(":")[2])
                )
    for tag in re.findall(r"<[^>]*EVIL", html):
        yield f"an attack in {tag}"


def active_html(target: Target, outcome: Outcome) -> None:
    """Hands each in at the gateway and looks at what lies in the outbox then.

    In the short form a message holds several, and those of a message that is refused go alone.
    """
    waiting = _messages(TOGETHER if target.seconds < LONG else 1)
    kinds, refused = sum(map(len, waiting)), 0
    letters: list[list[Vector]] = []
    password, rcpt = target.password(), ticket(target)
    with target.desk(password) as talk:
        while waiting:
            batch = waiting.pop()
            reply = _hand_in(talk, rcpt, [html for _, html in batch])
            if reply.startswith("250"):
                letters.append(batch)
            elif len(batch) > 1:
                waiting += [[vector] for vector in batch]
            else:
                refused += 1
                outcome.count(reply.startswith("554"), f"{batch[0][1]!r} was answered {reply!r}")
    queued = _queued(target.serving.database)
    outcome.count(len(queued) == len(letters), f"{len(letters)} were taken, {len(queued)} are in the outbox")
    for batch, letter in zip(letters, queued, strict=False):
        problems = letter.problems(hidden=any(section == "hidden" for section, _ in batch))
        for _, html in batch:
            outcome.count(not problems, f"{html!r} came through: {problems[:2]}")
    outcome.note(f"{kinds} kinds, {kinds - refused} in {len(letters)} letters, {refused} refused")


def _messages(size: int) -> list[list[Vector]]:
    """All that are tried, ``size`` to a message; what swallows or hides the next ones is alone."""
    vectors: list[Vector] = [(section, html) for section in SECTIONS for html in html_attacks(section)]
    alone = [vector for vector in vectors if not vector[1].endswith(">") or "<style" in vector[1].lower()]
    several = [vector for vector in vectors if vector not in alone]
    return [[vector] for vector in alone] + [several[at : at + size] for at in range(0, len(several), size)]


def _hand_in(talk: Talk, rcpt: str, attacks: Iterable[str]) -> str:
    """One letter that holds these, each in a paragraph; the reply."""
    html = "<p>Hello, order 368509000000001.</p>" + "".join(f"<div>{html}</div>\r\n" for html in attacks)
    return hand_in(talk, rcpt, answer(rcpt, html.encode()))


@dataclass(frozen=True, slots=True)
class _Letter:
    """What a queued letter holds: its HTML, its text, and the Content-IDs of its own images."""

    html: str
    plain: str
    content_ids: tuple[str, ...]

    def problems(self, *, hidden: bool) -> list[str]:
        """What it has that none may have; ``hidden`` says that what was handed in was to stay unseen."""
        _, _, inner = self.html.partition("<body>")
        problems = list(wrong_in(inner.partition("</body>")[0], self.content_ids))
        if hidden and "EVIL" in self.html + self.plain:
            problems.append("what its author hid is shown")
        return problems


def _queued(database: str) -> list[_Letter]:
    """The letters of the outbox, in the order of their numbers."""
    engine = create_engine(database)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT raw FROM outbox WHERE purpose = 'answer' ORDER BY id"))
        letters = [_letter(bytes(raw)) for raw in rows.scalars()]
    engine.dispose()
    return letters


def _letter(raw: bytes) -> _Letter:
    parts = list(message_from_bytes(raw, policy=policy.default).walk())
    texts = {
        kind: "".join(part.get_content() for part in parts if part.get_content_type() == kind)
        for kind in ("text/html", "text/plain")
    }
    content_ids = tuple(str(part["Content-ID"]).strip("<> ") for part in parts if part["Content-ID"])
    return _Letter(texts["text/html"], texts["text/plain"], content_ids)
