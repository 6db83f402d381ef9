"""A help desk's answer, made fit for the relay: what the desk wrote, in a message of our own making.

Nothing of the desk's header section is taken over but the Subject: recipients, From aliases, Reply-To,
Sender and every tracking field stay behind. Text, HTML, inline images and files are taken, cleaned by rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.gateway.html import page
from relaydesk.message import visible_text
from relaydesk.outbound import (
    AnswerRefused,
    answer_subject,
    attachment_part,
    boundary_of,
    header_lines,
    missing_line,
    multipart,
    require_order_number,
    text_part,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from relaydesk.gateway.submission import Submitted
    from relaydesk.outbound import AttachedFile, NamedOrder, Question, Shop


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
    # Above all else, since below it is the quoted thread, which readers of replies cut off; and the same in
    # both, by what a reader of the HTML sees.
    line = missing_line(order, visible_text(answer.html) if answer.html else answer.text)
    text = f"{line}\n\n{answer.text}".strip() if line else answer.text
    shown = [text_part("plain", text)] if text.strip() and (answer.text or answer.html) else []
    if answer.html:
        part = text_part("html", page(answer.html, line))
        pictures = [_picture(image, enclose) for image in answer.inline]
        shown.append(multipart("related", boundary + "r", [part, *pictures]) if pictures else part)
    if not shown:
        raise AnswerRefused("The answer has no text.")
    body = shown[0] if len(shown) == 1 else multipart("alternative", boundary + "a", shown)
    if files := enclose(answer.files):
        body = multipart("mixed", boundary + "m", [body, *map(attachment_part, files)])
    return header_lines(question, subject, shop, message_id=message_id, date=date) + body


def _picture(image: tuple[str, str, bytes], enclose: Callable[..., Sequence[AttachedFile]]) -> bytes:
    """An image that the HTML shows."""
    content_id, name, content = image
    [file] = enclose([(name, content)])
    return f"Content-ID: {content_id}\r\n".encode() + attachment_part(file).replace(
        b"Content-Disposition: attachment;", b"Content-Disposition: inline;", 1
    )
