"""A help desk's answer, made fit for the relay: what the desk wrote, in a message of our own making.

Nothing of the desk's header section is taken over but the Subject: recipients, From aliases, Reply-To,
Sender and every tracking field stay behind. Text, HTML, inline images and files are taken, cleaned by rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.parser import BytesParser
from typing import TYPE_CHECKING

from relaydesk.gateway.html import cleaned, with_first_line
from relaydesk.message import header_fields
from relaydesk.outbound import (
    AnswerRefused,
    answer_subject,
    attachment_part,
    boundary_of,
    clean_text,
    header_lines,
    missing_line,
    multipart,
    one_space,
    require_order_number,
    text_part,
    visible_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from email.message import EmailMessage, MIMEPart

    from relaydesk.gateway.rules import GatewayRules
    from relaydesk.outbound import AttachedFile, NamedOrder, Question, Shop

MAX_PARTS = 100
MAX_DEPTH = 10
_NO_ORDER = re.compile(r"^[ \t]*#no-order[ \t]*$", re.IGNORECASE | re.MULTILINE)
_CONTENT_ID = re.compile(r"<[!-;=?-~]{1,240}>")


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a help desk handed in, as far as the buyer may see it.

    ``texts`` and ``htmls`` in their order; ``inline`` are the images the HTML shows, by Content-ID, and
    ``files`` the rest, each (name, content). ``automatic`` says that the desk wrote by itself, ``no_order``
    that the agent states, by a line ``#no-order``, that no order number exists; ``thread`` names the messages
    it answers, the latest first.
    """

    subject: str
    texts: tuple[str, ...] = ()
    htmls: tuple[str, ...] = ()
    inline: tuple[tuple[str, str, bytes], ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    automatic: bool = False
    no_order: bool = False
    thread: tuple[str, ...] = ()


def submitted(raw: bytes, rules: GatewayRules) -> Submitted:
    """Read a help desk's message and clean it by rule.

    :raises AnswerRefused: when it has no text, or cannot be read without doubt.
    """
    try:
        message = BytesParser(policy=policy.default).parsebytes(raw)
        return _read(message, header_fields(raw), rules)
    except AnswerRefused:
        raise
    except LookupError as problem:
        raise AnswerRefused("Its charset is unknown; have the help desk send UTF-8.") from problem
    except (MessageError, ValueError, AttributeError, TypeError, RecursionError) as problem:
        raise AnswerRefused(f"The message cannot be read: {type(problem).__name__}.") from problem


def rewritten(  # noqa: PLR0913 - the question, the answer, and what binds them
    question: Question,
    answer: Submitted,
    order: NamedOrder,
    shop: Shop,
    *,
    message_id: str,
    date: datetime,
    enclose: Callable[[Iterable[tuple[str, bytes]]], Sequence[AttachedFile]],
) -> bytes:
    """The message to the one relay address that names the order in Subject, text and HTML; not yet signed.

    ``enclose`` decides on the files. Raises AnswerRefused for what must not go out.
    """
    require_order_number(order)
    boundary = boundary_of(message_id)
    subject = answer_subject(answer.subject or question.subject, order.id)
    shown = [text_part("plain", _named(text, order)) for text in _joined(answer.texts, "\n\n")]
    for html in _joined(answer.htmls, "\n"):
        line = missing_line(order, visible_text(html))
        part = text_part("html", with_first_line(html, line) if line else html)
        pictures = [_picture(image, enclose) for image in answer.inline]
        shown.append(multipart("related", boundary + "r", [part, *pictures]) if pictures else part)
    if not shown:
        raise AnswerRefused("The answer has no text.")
    body = shown[0] if len(shown) == 1 else multipart("alternative", boundary + "a", shown)
    if files := enclose(answer.files):
        body = multipart("mixed", boundary + "m", [body, *map(attachment_part, files)])
    return header_lines(question, subject, shop, message_id=message_id, date=date) + body


def _joined(texts: tuple[str, ...], between: str) -> tuple[str, ...]:
    kept = [text for text in texts if text.strip()]
    return (between.join(kept),) if kept else ()


def _named(text: str, order: NamedOrder) -> str:
    # On top, since below it is the quoted thread, which readers of replies cut off.
    line = missing_line(order, text)
    return f"{line}\n\n{text}" if line else text


def _picture(image: tuple[str, str, bytes], enclose: Callable[..., Sequence[AttachedFile]]) -> bytes:
    """An image that the HTML shows."""
    content_id, name, content = image
    [file] = enclose([(name, content)])
    return f"Content-ID: {content_id}\r\n".encode() + attachment_part(file).replace(
        b"Content-Disposition: attachment;", b"Content-Disposition: inline;", 1
    )


def _read(message: EmailMessage, header: list[tuple[str, bytes]], rules: GatewayRules) -> Submitted:
    texts: list[str] = []
    htmls: list[str] = []
    rest: list[tuple[str, str, bytes]] = []
    no_order = False
    for part in _parts(message):
        kind, name = part.get_content_type(), part.get_filename()
        if kind in ("text/plain", "text/html") and not part.is_attachment() and not name:
            text = clean_text(str(part.get_content()))
            no_order = (
                no_order or _NO_ORDER.search(text if kind == "text/plain" else visible_text(text)) is not None
            )
            (texts if kind == "text/plain" else htmls).append(_cleaned(text, kind, rules))
        else:
            rest.append((str(part.get("Content-ID", "")).strip(), name or "enclosure", _bytes_of(part)))
    shown = "".join(htmls)
    inline = [leaf for leaf in rest if _CONTENT_ID.fullmatch(leaf[0]) and f"cid:{leaf[0][1:-1]}" in shown]
    return Submitted(
        subject=_subject(str(message.get("Subject", "")), rules),
        texts=tuple(texts),
        htmls=tuple(htmls),
        inline=tuple(inline),
        files=tuple(leaf[1:] for leaf in rest if leaf not in inline),
        automatic=is_automatic(header, rules),
        no_order=no_order,
        thread=_thread(header),
    )


def _parts(part: MIMEPart, depth: int = 0) -> Iterator[MIMEPart]:
    """The leaves of a message, those of its ``alternative`` included; an enclosed message is a leaf."""
    if depth > MAX_DEPTH:
        raise AnswerRefused(f"The message is nested more than {MAX_DEPTH} deep.")
    if part.get_content_maintype() != "multipart":
        yield part
        return
    below = list(part.iter_parts())
    if len(below) > MAX_PARTS:
        raise AnswerRefused(f"The message has more than {MAX_PARTS} parts.")
    if part.get_content_subtype() == "signed":
        below = below[:1]  # the signature (RFC 1847) would not fit what is sent
    for inner in below:
        yield from _parts(inner, depth + 1)


def _bytes_of(part: MIMEPart) -> bytes:
    if part.get_content_maintype() == "message":
        return b"".join(inner.as_bytes() for inner in part.iter_parts())
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _cleaned(text: str, kind: str, rules: GatewayRules) -> str:
    if kind == "text/html":
        return cleaned(text, rules)
    lines = text.split("\n")
    kept = [line for line in lines if not any(rule.fullmatch(line.strip(" \t>")) for rule in rules.lines)]
    return clean_text("\n".join(kept))


def _subject(text: str, rules: GatewayRules) -> str:
    """The Subject on one line, without the pieces that the rules name."""
    rest = one_space(clean_text(text))
    for pattern in rules.subject:
        for piece in reversed(list(pattern.finditer(rest))):
            rest = rest[: piece.start()] + rest[piece.end() :]
    return one_space(rest)


def is_automatic(header: Sequence[tuple[str, bytes]], rules: GatewayRules) -> bool:
    """Whether the desk wrote by itself: the first rule that fits a header of the message decides."""
    fields = [(name.lower(), value.decode("utf-8", "replace").strip()) for name, value in header]
    for sign in rules.automatic:
        if any(name == sign.header and sign.fits(value) for name, value in fields):
            return sign.automatic
    return False


def _thread(header: Sequence[tuple[str, bytes]]) -> tuple[str, ...]:
    """The messages it answers: In-Reply-To, then References from the last one back (RFC 5322 §3.6.4)."""
    named: dict[str, list[str]] = {"in-reply-to": [], "references": []}
    for name, value in header:
        if name.lower() in named:
            named[name.lower()] += re.findall(r"<[^<>\s]{1,990}>", value.decode("utf-8", "replace"))
    return tuple(dict.fromkeys((*named["in-reply-to"], *reversed(named["references"]))))[:100]
