"""What of a message is searched for: its subject, who wrote it, what it says and the names of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.message.parse import parse_header, parse_message
from relaydesk.message.words import index_words

if TYPE_CHECKING:
    from relaydesk.message.message import Message


def searchable_words(raw: bytes) -> tuple[str, ...]:
    """The words by which the message is found."""
    return _words(parse_message(raw))


def searchable_header(raw: bytes) -> tuple[str, ...]:
    """The words of the header alone, where the content takes too much to read."""
    return _words(parse_header(raw))


def _words(message: Message) -> tuple[str, ...]:
    senders = (f"{address.name} {address.addr}" for address in message.from_)
    files = (part.name for part in message.attachments)
    return index_words((message.subject, *senders, *(body.text for body in message.bodies), *files))
