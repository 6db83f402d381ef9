"""What a help desk hands in, read by the same reader as mail that comes in, and cleaned by rule.

What cannot be read is refused, never sent as replacement characters: the desk can say it again as UTF-8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.gateway.html import read_html, shown_pictures
from relaydesk.gateway.lines import note, outer_lines, taken_lines, text_lines, without_pieces
from relaydesk.message import (
    UNCLOSED,
    Unreadable,
    decode,
    encoding_of,
    header_fields,
    html_charset,
    letter_text,
    message_charset,
    message_parts,
    read_texts,
)
from relaydesk.outbound import AnswerRefused, clean_line, clean_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from relaydesk.gateway.html import HtmlAnswer
    from relaydesk.gateway.rules import DeskRules, GatewayRules
    from relaydesk.message import Part, Texts

MAX_PARTS = 100
MAX_NOTES = 50
MAX_SUBJECT = 2_000
"""Characters; an answer's Subject is cut at a tenth of it."""
MAX_TEXT_BYTES = 1_048_576
"""So much of a part is read at most."""
_NO_ORDER = "#no-order"
_CONTENT_ID = re.compile(r"<[!-;=?-~]{1,240}>")
# They would not fit what is sent (RFC 1847, RFC 8551 §3.5).
_SIGNATURES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a help desk handed in, as far as the buyer may see it.

    ``text`` and ``html`` are its words, each "" where there is none; where there is HTML the text is that of
    the cleaned HTML, so that every reader shows the same. ``inline`` are the images that the HTML shows, by
    Content-ID, and ``files`` the rest, each (name, content). ``automatic`` says that the desk wrote
    by itself, ``no_order`` that the agent states, by a line ``#no-order``, that no order number exists;
    ``thread`` names the messages it answers, the latest first. ``taken`` tells what a rule took out: the rule
    and the words.
    """

    subject: str
    text: str = ""
    html: str = ""
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
    try:
        return _submitted(raw, rules)
    except Unreadable as failure:
        raise AnswerRefused(f"The message cannot be read ({failure}). Send it as plain text.") from failure


def _submitted(raw: bytes, rules: GatewayRules) -> Submitted:
    header = header_fields(raw)
    parts = _parts(raw)
    charset = message_charset(header, parts)
    fields = [(name.lower(), decode(value, charset)[0].strip()) for name, value in header]
    read = _texts(parts, charset)
    enclosures = _Enclosures(read)
    answer = read_html(clean_text(read.html), rules, enclosures.content_ids)
    cleaning = _Cleaning(fields, clean_text(read.plain), answer, rules.desks)
    subject = cleaning.subject(_subject(header, charset))
    html = cleaning.html()
    shown = shown_pictures(html)
    return Submitted(
        subject=subject,
        text=clean_text(letter_text(html)) if html else cleaning.text(),
        html=html,
        inline=(
            *enclosures.inline(shown),
            *((f"<{key}>", *picture) for key, picture in answer.pictures.items() if key in shown),
        ),
        files=enclosures.files(shown),
        automatic=rules.is_automatic(fields),
        no_order=cleaning.states_no_order,
        thread=_thread(header),
        taken=tuple(dict.fromkeys(cleaning.notes))[:MAX_NOTES],
    )


class _Enclosures:
    """The files of a message; those that its letter shows are no attachments."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._files = [file for file in texts.files if not _is_signature(file)]
        self._by_id = {
            file.content_id[1:-1]: number
            for number, file in enumerate(self._files)
            if _CONTENT_ID.fullmatch(file.content_id)
        }
        self.content_ids = frozenset(self._by_id)

    def inline(self, shown: Collection[str]) -> tuple[tuple[str, str, bytes], ...]:
        return tuple(
            (file.content_id, _name(file.name), file.content([]))
            for file in (self._files[self._by_id[key]] for key in self._by_id if key in shown)
        )

    def files(self, shown: Collection[str]) -> tuple[tuple[str, bytes], ...]:
        inline = {number for key, number in self._by_id.items() if key in shown}
        return (
            *(
                (_name(file.name), file.content([]))
                for number, file in enumerate(self._files)
                if number not in inline
            ),
            *((_name(name), content) for name, content in self._texts.enclosed),
        )


def _parts(raw: bytes) -> list[Part]:
    defects: list[str] = []
    parts = message_parts(raw, defects)
    if len(parts) > MAX_PARTS:
        raise AnswerRefused(f"The message has more than {MAX_PARTS} parts.")
    if broken := [defect for defect in defects if defect != UNCLOSED]:
        raise AnswerRefused(f"The message cannot be read: {broken[0].partition(';')[0].rstrip('.')}.")
    return parts


def _texts(parts: list[Part], charset: str) -> Texts:
    """The texts of the parts. AnswerRefused where they hold what their author cannot have written."""
    defects: list[str] = []
    read = read_texts(parts, charset, defects)
    shown = [part for part in parts if part not in read.files]
    if any(len(part.content([])) > MAX_TEXT_BYTES for part in shown):
        raise AnswerRefused(f"The text is longer than {MAX_TEXT_BYTES} bytes; quote less of the thread.")
    for place, text in (("text", read.plain), ("HTML", read.html)):
        if "\ufffd" in text and defects:
            raise _unreadable(place, defects[-1])
    for part in shown:
        content = part.content([])
        label = part.charset or (html_charset(content) if part.type == "text/html" else "")
        if label and encoding_of(label) is None and not _is_utf_8(content):
            # Which letters these bytes are is anybody's guess.
            raise _unreadable("text", f"The charset {label[:40]!a} is unknown.")
    return read


def _is_signature(part: Part) -> bool:
    return part.type in _SIGNATURES or part.description.parameter("smime-type").lower() == "signed-data"


def _name(name: str) -> str:
    if "\ufffd" in name:
        raise AnswerRefused("The name of a file cannot be read. Send it as UTF-8.")
    return name or "enclosure"


def _subject(header: Sequence[tuple[str, bytes]], charset: str) -> str:
    value = next((value for name, value in header if name.lower() == "subject"), b"")
    text, defect = decode(value, charset)
    if "\ufffd" in text and (defect or not _is_utf_8(value)):
        raise _unreadable("Subject", defect or "It is not UTF-8.")
    return clean_line(text)[:MAX_SUBJECT]


def _unreadable(place: str, defect: str) -> AnswerRefused:
    return AnswerRefused(f"The {place} cannot be read. {defect} Send it as UTF-8.")


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
        text: str,
        html: HtmlAnswer,
        desks: Iterable[DeskRules],
    ) -> None:
        self._text, self._html = text, html
        outer = [line for lines in (text_lines(text), html.texts) for line in outer_lines(lines)]
        self._desks = [desk for desk in desks if desk.fits(fields, outer)]
        self.notes = list(html.notes)

    @property
    def states_no_order(self) -> bool:
        lines = (*text_lines(self._text), *self._html.texts)
        return any(line is not None and line.lower() == _NO_ORDER for line in lines)

    def subject(self, subject: str) -> str:
        kept, notes = without_pieces(subject, self._desks)
        self.notes += notes
        return kept

    def text(self) -> str:
        taken = self._taken(text_lines(self._text))
        kept = (line for place, line in enumerate(self._text.split("\n")) if place not in taken)
        return clean_text("\n".join(kept))

    def html(self) -> str:
        return self._html.without(self._taken(self._html.texts))

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
