"""From raw bytes to a :class:`Message`, for any bytes; bounded in time and memory.

Each kind of work has its cap, and what lies beyond a cap is left out with a sentence in ``defects``.
The raw bytes are kept elsewhere, so nothing is ever lost by that.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import filetype

from relaydesk.message import addresses, charsets
from relaydesk.message import headers as header
from relaydesk.message import html as hypertext
from relaydesk.message.content_type import file_name
from relaydesk.message.links import links
from relaydesk.message.markup import MAX_HTML
from relaydesk.message.message import Address, Attachment, Body, Message
from relaydesk.message.parts import Extent, Part, leaves
from relaydesk.message.quotes import agreed, passages
from relaydesk.message.texts import MAX_TEXT, message_charset, read_texts
from relaydesk.message.unreadable import Unreadable, hostile_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Read = TypeVar("Read")


class FileType(Protocol):
    """What filetype knows of a format."""

    extension: str
    mime: str


MAX_HEADERS = 65_536
MAX_HEADER = 8_192
MAX_FIELDS = 1_000
MAX_DEFECTS = 30

# RFC 5322 §3.6 and RFC 2045 §3
_SINGLETONS = frozenset({
    "date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references",
    "subject", "mime-version", "content-type", "content-transfer-encoding",
})  # fmt: skip


def parse_message(raw: bytes, header_read: Message | None = None) -> Message:
    """The readable view of a message, whatever its bytes are.

    ``header_read`` is what :func:`parse_header` gave of it; it is not read again unless the content says how.
    """
    defects: list[str] = []
    if b"\n" not in raw[:MAX_HEADERS]:
        raw = raw.replace(b"\r", b"\r\n")  # line ends of old Macintosh programs
    whole, start = header.split(raw, MAX_HEADERS, header.start_of(raw))
    fields = _capped(whole, start, defects)
    parts = tuple(leaves(fields, Extent(raw, start, len(raw)), defects))
    charset = message_charset(fields, parts)
    if header_read is not None and _is_ascii(fields):
        headed = header_read
        defects.extend(headed.defects)
    else:
        headed = _headed(whole, fields, charset, defects)
    body = _attempt(lambda: _body(parts, charset, defects), _Content(), "body", defects)
    return replace(
        headed,
        text=body.text,
        html=body.html,
        bodies=body.bodies,
        links=body.links,
        attachments=body.attachments,
        defects=tuple(dict.fromkeys(defects))[:MAX_DEFECTS],
    )


def parse_header(raw: bytes) -> Message:
    """What the header section says, and nothing of the content: cheap, whatever the content is.

    What the policy asks of a message is in it as :func:`parse_message` has it, but for 8-bit bytes in a
    field whose charset only the content names.
    """
    defects: list[str] = []
    raw = raw[: MAX_HEADERS + 1]
    if b"\n" not in raw[:MAX_HEADERS]:
        raw = raw.replace(b"\r", b"\r\n")
    whole, start = header.split(raw, MAX_HEADERS, header.start_of(raw))
    fields = _capped(whole, start, defects)
    charset = (
        "" if _is_ascii(fields) else message_charset(fields, tuple(leaves(fields, Extent(b"", 0, 0), [])))
    )
    headed = _headed(whole, fields, charset, defects)
    return replace(headed, defects=tuple(dict.fromkeys(defects))[:MAX_DEFECTS])


def _is_ascii(fields: list[tuple[str, bytes]]) -> bool:
    """Whether the fields read the same whatever the charset of the content."""
    return all(value.isascii() for _, value in fields)


def _headed(
    whole: list[tuple[str, bytes]], fields: list[tuple[str, bytes]], charset: str, defects: list[str]
) -> Message:
    """A message without its content."""
    headers = _decoded(fields, charset, defects)

    def every(name: str) -> list[bytes]:
        return [value for key, value in fields if key.lower() == name]

    def mailboxes(name: str) -> Callable[[], tuple[Address, ...]]:
        return lambda: addresses.mailboxes(every(name), defects, charset)

    def text_of(name: str) -> str:
        return next((value for key, value in headers if key.lower() == name), "")

    dates = every("date")
    return Message(
        headers=headers,
        from_=_attempt(mailboxes("from"), (), "From", defects),
        reply_to=_attempt(mailboxes("reply-to"), (), "Reply-To", defects),
        subject=text_of("subject").strip(),
        date=_attempt(lambda: addresses.date(dates[0]), None, "Date", defects) if dates else None,
        message_id=text_of("message-id"),
        in_reply_to=addresses.message_ids(every("in-reply-to")),
        references=addresses.message_ids(every("references")),
        received=tuple(charsets.one_line(value.decode("utf-8", "replace")) for value in every("received")),
        duplicated=_duplicated(whole),
    )


def _attempt(reader: Callable[[], Read], otherwise: Read, subject: str, defects: list[str]) -> Read:
    """What ``reader`` gives, or ``otherwise`` and a defect where the bytes are unreadable.

    A message that cannot be read is a ticket for a person, not an error.
    """
    try:
        return reader()
    except Unreadable as failure:
        defects.append(f"The {subject} could not be read ({failure}).")
        return otherwise


def _duplicated(fields: list[tuple[str, bytes]]) -> tuple[str, ...]:
    counts = Counter(name.lower() for name, _ in fields)
    return tuple(name for name, count in counts.items() if count > 1 and name in _SINGLETONS)


def _capped(fields: list[tuple[str, bytes]], start: int, defects: list[str]) -> list[tuple[str, bytes]]:
    if start > MAX_HEADERS:
        defects.append(f"The header section is larger than {MAX_HEADERS} bytes; the rest was not read.")
    if len(fields) > MAX_FIELDS:
        defects.append(f"More than {MAX_FIELDS} header fields; the rest is left out.")
    if any(len(value) > MAX_HEADER for _, value in fields):
        defects.append(f"A header field is longer than {MAX_HEADER} bytes and was cut.")
    return [(name, value[:MAX_HEADER]) for name, value in fields[:MAX_FIELDS]]


def _decoded(
    fields: list[tuple[str, bytes]], charset: str, defects: list[str]
) -> tuple[tuple[str, str], ...]:
    headers = []
    for name, value in fields:
        text, defect = charsets.decode(value, charset)
        if defect:
            defects.append(f"{name}: {defect}")
        headers.append((name, text))
    return tuple(headers)


@dataclass(frozen=True, slots=True)
class _Content:
    text: str = ""
    html: str = ""
    bodies: tuple[Body, ...] = ()
    links: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


def _body(parts: Sequence[Part], charset: str, defects: list[str]) -> _Content:
    """Text, sanitised HTML and attachments. The text is the HTML's where no plain part is."""
    read = read_texts(parts, charset, defects)
    attachments = [_attachment(part, number, defects) for number, part in enumerate(read.files, 1)]
    attachments += [
        _file(file_name(name), "enclosed", "application/octet-stream", content, defects)
        for name, content in read.enclosed
    ]
    text, source = read.plain, read.html
    if len(text) > MAX_TEXT or len(source) > MAX_HTML:
        defects.append("The text is too long to show in full.")
    page = hypertext.read(source) if source else hypertext.Rendering()
    if page.hides and not page.passages:
        defects.append("The HTML shows no text: its style hides all of it.")
    plain_text = text[:MAX_TEXT] if text[:MAX_TEXT] != page.text else ""
    plain_body, html_body = agreed(passages(plain_text), page.passages)
    bodies = [Body("text", plain_body)] if plain_body else []
    bodies += [Body("html", html_body)] if html_body else []
    return _Content(
        plain_text or page.text, page.html, tuple(bodies), links(page.anchors, bodies), tuple(attachments)
    )


def _attachment(part: Part, number: int, defects: list[str]) -> Attachment:
    content = part.content(defects)
    name = part.name or (_passed_on(content) if part.type == "message/rfc822" else "")
    return _file(name, f"part-{number}", part.type, content, defects)


def _passed_on(content: bytes) -> str:
    """The name of a mail that was passed on: its Subject, as mail programs save it."""
    subject = next((value for name, value in header.header_fields(content) if name.lower() == "subject"), b"")
    named = file_name(charsets.decode(subject)[0].replace("/", "-").replace("\\", "-"))
    return f"{named}.eml" if named else ""


def _file(name: str, otherwise: str, declared: str, content: bytes, defects: list[str]) -> Attachment:
    kind = _attempt(lambda: _file_type(content), None, "file type", defects)
    extension = ".eml" if declared == "message/rfc822" else f".{kind.extension}" if kind else ""
    return Attachment(
        name=name or f"{otherwise}{extension}",
        declared_type=declared,
        sniffed_type=kind.mime if kind else "",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
    )


def _file_type(content: bytes) -> FileType | None:
    with hostile_bytes():
        kind: FileType | None = filetype.guess(content[:8192]) if content else None
    return kind
