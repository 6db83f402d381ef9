"""Which parts of a message are its text, and the text of each: what a person reads of it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from relaydesk.message import charsets
from relaydesk.message.flowed import unflowed
from relaydesk.message.html_charset import html_charset
from relaydesk.message.text_forms import calendar_text, enriched_text, rtf_text
from relaydesk.message.transfer_encoding import without_uuencoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from relaydesk.message.parts import Part

MAX_TEXT = 262_144

_SHOWN = ("text/plain", "text/html")
# Versions of the text for other programs than a reader of mail.
_OTHER_VERSIONS = {"text/x-amp-html", "text/watch-html"}
_FORMS: dict[str, Callable[[str], str]] = {
    "text/calendar": calendar_text,
    "application/ics": calendar_text,
    "text/enriched": enriched_text,
    "text/richtext": enriched_text,
    "text/rtf": rtf_text,
    "application/rtf": rtf_text,
}
_NO_TEXT = {"text/rfc822-headers", "text/css", "text/javascript", "text/x-vcard", "text/vcard"}
_ENCRYPTED = {
    "application/pkcs7-mime": "S/MIME",
    "application/x-pkcs7-mime": "S/MIME",
    "application/pgp-encrypted": "OpenPGP",
}


_WRITTEN = ("subject", "from")


def message_charset(fields: list[tuple[str, bytes]], parts: Sequence[Part]) -> str:
    """The charset of this message, for what names none: that of its first text, or of its encoded words."""
    declared = [part.charset for part in parts if part.type.startswith("text/")]
    words = [charsets.charset_of_words(value) for name, value in fields if name.lower() in _WRITTEN]
    return next((charset for charset in declared + words if charset.lower() not in ("", "us-ascii")), "")


@dataclass(frozen=True, slots=True)
class Texts:
    """What is read of the parts: plain text and HTML source, of which one may be "", and the parts that are
    files. ``enclosed`` are the files that stood in the text itself (name, content).
    """

    plain: str
    html: str
    files: tuple[Part, ...]
    enclosed: tuple[tuple[str, bytes], ...]


@dataclass(slots=True)
class _Slot:
    """One place of the message where text stands, as plain text, as HTML, or as both."""

    plain: str = ""
    html: str = ""


def read_texts(parts: Sequence[Part], charset: str, defects: list[str]) -> Texts:
    """The text of these parts. A part with a name, or of another kind, is text only where no other is.

    ``charset`` is that of the message, for parts that name none.
    """
    reader = _Reader(charset, defects)
    slots = _slots([part for part in parts if _is_shown(part)], reader)
    files = [part for part in parts if not _is_shown(part) and part.type not in _OTHER_VERSIONS]
    if not any(slot.plain.strip() or slot.html.strip() for slot in slots):
        slots = _slots(_candidates(files), reader) or [_Slot(plain=_notice(files))]
    plain, html = _combined(slots)
    return Texts(plain, html, tuple(files), tuple(reader.enclosed))


def _is_shown(part: Part) -> bool:
    named_file = part.name and part.branch is None
    return part.type in _SHOWN and part.disposition != "attachment" and not named_file


def _candidates(files: Iterable[Part]) -> list[Part]:
    """The files that are read where there is no text: those that are to be shown, else the first of all."""
    readable = [
        part
        for part in files
        if (part.type.startswith("text/") or part.type in _FORMS) and part.type not in _NO_TEXT
    ]
    return [part for part in readable if part.disposition != "attachment"] or readable[:1]


def _notice(files: Iterable[Part]) -> str:
    """A sentence for a person, where the text cannot be read because it is encrypted."""
    for part in files:
        if name := _ENCRYPTED.get(part.type):
            kind = part.description.parameter("smime-type").lower()
            if kind not in ("signed-data", "certs-only"):
                return f"This message is encrypted ({name}) and cannot be read here."
    return ""


class _Reader:
    """Reads parts, and keeps the files that stand in their text."""

    def __init__(self, charset: str, defects: list[str]) -> None:
        self.charset = charset
        self.defects = defects
        self.enclosed: list[tuple[str, bytes]] = []

    def text_of(self, part: Part) -> str:
        """The part as text with LF line ends. Only its first bytes are decoded: more would not be shown."""
        content = part.content(self.defects)
        if part.type == "text/plain":
            content, files = without_uuencoded(content)
            self.enclosed += [(charsets.decode(name, part.charset)[0], data) for name, data in files]
        charset = part.charset or (html_charset(content) if part.type == "text/html" else "")
        # UTF-32 needs four bytes for a character.
        text, defect = charsets.to_text(content[: 4 * MAX_TEXT], charset, self.charset)
        if len(content) > 4 * MAX_TEXT:
            self.defects.append("The text is too long to show in full.")
        elif defect:
            self.defects.append(defect)
        if part.type == "text/plain" and part.description.parameter("format").lower() == "flowed":
            delete_space = part.description.parameter("delsp").lower() == "yes"
            return unflowed(text, delete_space=delete_space)
        form = _FORMS.get(part.type)
        return form(text) if form else text


def _slots(parts: Iterable[Part], reader: _Reader) -> list[_Slot]:
    """The places where text stands, in order; the branches of an alternative (RFC 2046 §5.1.4) are one."""
    slots: list[_Slot] = []
    by_alternative: dict[int, _Slot] = {}
    for part in parts:
        slot = by_alternative.get(part.branch.alternative) if part.branch else None
        if slot is None:
            slot = _Slot()
            slots.append(slot)
            if part.branch:
                by_alternative[part.branch.alternative] = slot
        text = reader.text_of(part)
        if part.type == "text/html":
            slot.html = f"{slot.html}\n{text}" if slot.html else text
        elif text.strip():
            slot.plain = f"{slot.plain}\n{text}" if slot.plain else text
    return slots


def _combined(slots: Iterable[_Slot]) -> tuple[str, str]:
    """The plain text and the HTML of all slots; the plain text is "" where HTML alone holds all of it."""
    full = [slot for slot in slots if slot.plain.strip() or slot.html.strip()]
    html = ""
    if any(slot.html for slot in full):
        html = "\n".join(slot.html or _as_html(slot.plain) for slot in full)
    if any(slot.plain for slot in full) and all(slot.plain for slot in full):
        return "\n".join(slot.plain for slot in full), html
    return "", html


def _as_html(text: str) -> str:
    """Plain text between HTML: its lines, those that quote as a quotation."""
    lines = [
        f"<blockquote>{escape(line)}</blockquote>" if line.startswith(">") else f"{escape(line)}<br>"
        for line in text.split("\n")
    ]
    return f"<div>{''.join(lines)}</div>"
