"""A finished message as the standard library's parser reads it: values, for the last check to judge.

Whoever made the bytes, another program than ours reads them here. It is quadratic on long fields and deep
nesting; its caller bounds both first.
"""

from __future__ import annotations

from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.parser import BytesParser
from typing import TYPE_CHECKING

from relaydesk.message import Unreadable, hostile_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage, MIMEPart


@dataclass(frozen=True, slots=True)
class OutgoingPart:
    """The message itself or a part: its decoded fields, what is wrong with it, the name of its file or ""."""

    fields: tuple[tuple[str, str], ...]
    defects: tuple[str, ...]
    file_name: str


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What is read of a finished message, the message itself first of its ``parts``.

    ``senders`` are the addresses of From, Sender and Reply-To, of those that are there; ``plain`` and
    ``html`` the texts that are shown.
    """

    parts: tuple[OutgoingPart, ...]
    depth: int
    subject: str
    message_id: str
    recipients: tuple[str, ...]
    recipient_in_doubt: bool
    senders: tuple[tuple[str, tuple[str, ...]], ...]
    plain: tuple[str, ...]
    html: tuple[str, ...]


def outgoing_message(raw: bytes) -> OutgoingMessage:
    """:raises Unreadable: where the parser stumbles over a field or a charset."""
    try:
        with hostile_bytes():
            return _read(BytesParser(policy=policy.default).parsebytes(raw))
    except MessageError as error:
        raise Unreadable(type(error).__name__) from error


def _read(message: EmailMessage) -> OutgoingMessage:
    parts = list(_parts(message))
    recipient = message["to"]
    shown = [
        (part.get_content_subtype(), part.get_content())
        for part, _ in parts
        if part.get_content_maintype() == "text" and not part.is_attachment() and not part.get_filename()
    ]
    return OutgoingMessage(
        parts=tuple(
            OutgoingPart(
                tuple((name, str(value)) for name, value in part.items()),
                tuple(type(defect).__name__ for defect in part.defects),
                part.get_filename() or "",
            )
            for part, _ in parts
        ),
        depth=max(depth for _, depth in parts),
        subject=str(message["subject"]),
        message_id=str(message["message-id"]),
        recipients=tuple(address.addr_spec for address in recipient.addresses) if recipient else (),
        recipient_in_doubt=bool(
            recipient
            and (recipient.defects or any(group.display_name is not None for group in recipient.groups))
        ),
        senders=tuple(
            (name, tuple(address.addr_spec for address in message[name].addresses))
            for name in ("From", "Sender", "Reply-To")
            if message[name] is not None
        ),
        plain=tuple(text for kind, text in shown if kind == "plain"),
        html=tuple(text for kind, text in shown if kind == "html"),
    )


def _parts(part: MIMEPart, depth: int = 0) -> Iterator[tuple[MIMEPart, int]]:
    """This part and those below, each with its depth; a message that is enclosed is not looked into."""
    yield part, depth
    if part.get_content_maintype() == "multipart":
        for below in part.iter_parts():
            yield from _parts(below, depth + 1)
