"""What a help desk hands in, read by the same reader as mail that comes in, and cleaned by rule.

What cannot be read is refused, never sent as replacement characters: the desk can say it again as UTF-8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from relaydesk.gateway.html import read_html
from relaydesk.gateway.lines import note, outer_lines, taken_lines, text_lines, without_pieces
from relaydesk.message import (
    UNCLOSED,
    decode,
    encoding_of,
    header_fields,
    html_charset,
    message_parts,
    to_text,
)
from relaydesk.outbound import AnswerRefused, clean_text, one_space, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from relaydesk.gateway.html import HtmlAnswer
    from relaydesk.gateway.rules import DeskRules, GatewayRules
    from relaydesk.message import Part

MAX_PARTS = 100
MAX_NOTES = 50
_NO_ORDER = re.compile(r"^[ \t]*#no-order[ \t]*$", re.IGNORECASE | re.MULTILINE)
_CONTENT_ID = re.compile(r"<[!-;=?-~]{1,240}>")
# They would not fit what is sent (RFC 1847, RFC 8551 §3.5).
_SIGNATURES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a help desk handed in, as far as the buyer may see it.

    ``texts`` and ``htmls`` in their order; ``inline`` are the images the HTML shows, by Content-ID, and
    ``files`` the rest, each (name, content). ``automatic`` says that the desk wrote by itself, ``no_order``
    that the agent states, by a line ``#no-order``, that no order number exists; ``thread`` names the messages
    it answers, the latest first. ``taken`` tells what a rule took out: the rule and the words.
    """

    subject: str
    texts: tuple[str, ...] = ()
    htmls: tuple[str, ...] = ()
    inline: tuple[tuple[str, str, bytes], ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    automatic: bool = False
    no_order: bool = False
    thread: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


def submitted(raw: bytes, rules: GatewayRules) -> Submitted:
    """Read a help desk's message and clean it by rule.

    :raises AnswerRefused: when it cannot be read without doubt.
    """
    header = header_fields(raw)
    fields = [(name.lower(), decode(value)[0].strip()) for name, value in header]
    shown, rest = _parted(raw)
    texts = [clean_text(_text_of(part)) for part in shown if part.type == "text/plain"]
    htmls = [clean_text(_text_of(part)) for part in shown if part.type == "text/html"]
    no_order = any(_NO_ORDER.search(text) for text in (*texts, *map(visible_text, htmls)))
    cleaning = _Cleaning(fields, texts, [read_html(html, rules) for html in htmls], rules.desks)
    subject = cleaning.subject(_subject_of(header, shown[0].charset if shown else ""))
    shown_html = "".join(htmls)
    inline = [
        leaf for leaf in rest if _CONTENT_ID.fullmatch(leaf[0]) and f"cid:{leaf[0][1:-1]}" in shown_html
    ]
    return Submitted(
        subject=subject,
        texts=tuple(cleaning.texts()),
        htmls=tuple(cleaning.htmls()),
        inline=tuple(inline),
        files=tuple(leaf[1:] for leaf in rest if leaf not in inline),
        automatic=rules.is_automatic(fields),
        no_order=no_order,
        thread=_thread(header),
        taken=tuple(dict.fromkeys(cleaning.notes))[:MAX_NOTES],
    )


def _parted(raw: bytes) -> tuple[list[Part], list[tuple[str, str, bytes]]]:
    """The parts that are the answer's words, and the files: Content-ID, name, content.

    A text with a name is a file, unless there is no other.
    """
    defects: list[str] = []
    parts = list(islice(message_parts(raw, defects), MAX_PARTS + 1))
    if len(parts) > MAX_PARTS:
        raise AnswerRefused(f"The message has more than {MAX_PARTS} parts.")
    if broken := [defect for defect in defects if defect != UNCLOSED]:
        raise AnswerRefused(f"The message cannot be read: {broken[0].partition(';')[0].rstrip('.')}.")
    texts = [
        part
        for part in parts
        if part.type in ("text/plain", "text/html") and part.disposition != "attachment"
    ]
    shown = [part for part in texts if not part.name] or texts
    files = [part for part in parts if part not in shown and part.type not in _SIGNATURES]
    return shown, [(part.content_id, _name_of(part), part.content([])) for part in files]


def _name_of(part: Part) -> str:
    if "\ufffd" in part.name:
        raise AnswerRefused("The name of a file cannot be read. Send it as UTF-8.")
    return part.name or "enclosure"


def _text_of(part: Part) -> str:
    """The text of a part, by the charset that it declares. AnswerRefused when it cannot be read."""
    content = part.content([])
    hypertext = part.type == "text/html"
    charset = part.charset or (html_charset(content) if hypertext else "")
    text, defect = to_text(content, charset)
    place = "HTML" if hypertext else "text"
    if charset and encoding_of(charset) is None and not _is_utf_8(content):
        raise _unreadable(place, defect)  # which letters these bytes are is anybody's guess
    return _readable(text, defect, content, place)


def _subject_of(header: Sequence[tuple[str, bytes]], charset: str) -> str:
    value = next((value for name, value in header if name.lower() == "subject"), b"")
    return one_space(clean_text(_readable(*decode(value), value, "Subject")))


def _readable(text: str, defect: str, data: bytes, place: str) -> str:
    """The text; AnswerRefused where it holds a replacement character that its author did not write."""
    if "\ufffd" in text and (defect or not _is_utf_8(data)):
        raise _unreadable(place, defect)
    return text


def _unreadable(place: str, defect: str) -> AnswerRefused:
    return AnswerRefused(f"The {place} cannot be read. {defect or 'It is not UTF-8.'} Send it as UTF-8.")


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class _Cleaning:
    """The answer's texts without what the desk that wrote them put there."""

    def __init__(
        self,
        fields: Sequence[tuple[str, str]],
        texts: Sequence[str],
        htmls: Sequence[HtmlAnswer],
        desks: Iterable[DeskRules],
    ) -> None:
        self._texts, self._htmls = texts, htmls
        lines = [*map(text_lines, texts), *(html.texts for html in htmls)]
        outer = [line for body in lines for line in outer_lines(body)]
        self._desks = [desk for desk in desks if desk.fits(fields, outer)]
        self.notes = [remark for html in htmls for remark in html.notes]

    def subject(self, subject: str) -> str:
        kept, notes = without_pieces(subject, self._desks)
        self.notes += notes
        return kept

    def texts(self) -> Iterable[str]:
        for text in self._texts:
            taken = self._taken(text_lines(text))
            kept = (line for place, line in enumerate(text.split("\n")) if place not in taken)
            yield clean_text("\n".join(kept))

    def htmls(self) -> Iterable[str]:
        for html in self._htmls:
            yield html.without(self._taken(html.texts))

    def _taken(self, lines: Sequence[str | None]) -> dict[int, str]:
        taken = taken_lines(lines, self._desks)
        self.notes += [note(rule, lines[place] or "") for place, rule in sorted(taken.items())]
        return taken


def _thread(header: Sequence[tuple[str, bytes]]) -> tuple[str, ...]:
    """The messages it answers: In-Reply-To, then References from the last one back (RFC 5322 §3.6.4)."""
    named: dict[str, list[str]] = {"in-reply-to": [], "references": []}
    for name, value in header:
        if name.lower() in named:
            named[name.lower()] += re.findall(r"<[^<>\s]{1,990}>", value.decode("utf-8", "replace"))
    return tuple(dict.fromkeys((*named["in-reply-to"], *reversed(named["references"]))))[:100]
