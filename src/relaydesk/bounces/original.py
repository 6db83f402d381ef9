"""The message that a notification returns: as a part, as its header fields alone, or in the text below."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from relaydesk.bounces.daemons import daemon_address
from relaydesk.bounces.words import folded, phrases
from relaydesk.message import header_fields, message_ids

if TYPE_CHECKING:
    from relaydesk.message import Message

MAX_ORIGINAL = 65_536  # bytes of a returned message that are read
MAX_TEXT = 60_000  # characters of a text in which a returned message is looked for

MAX_LINE = 200  # characters of a line that may say that the returned message follows

RETURNED_TYPES = frozenset((
    "message/rfc822", "message/global", "text/rfc822-headers", "text/rfc822-header", "text/rfc822",
    "message/rfc822-headers", "message/global-headers", "message/partial",
))  # fmt: skip

_FIELD = re.compile(r"[>| \t]*+([A-Za-z][A-Za-z0-9-]{1,40}):(?:[ \t]|$)")
_TELLING = frozenset(("received", "message-id", "return-path", "dkim-signature", "mime-version"))
_RULE = re.compile(r"[-=_*#+|>. \t]*+")
_MARKERS = phrases("""
below this line is a copy | below the next line is a copy | this is a copy of | here is a copy of
here is the copy | attachment is a copy | copy of the original message | below is a copy of the original
below is the original message | a copy of the message | a copy of your message | copy of message
included is a copy | enclosed is a copy | original mail as follows | original mail info | original message
original message follows | old message | original message header | original message text
original message: | original message - | message header follows | message headers follow
message text follows | header of the original message | headers of the original message
the header of the original | the header and top | header of the source mail | returned mail follows
returned mail - | start of returned message | returned message follows | unsent message
unsent message below | unsent message follows | returned message below | non-delivered information
your message reads | message follows | your original message | body of message generated response
message contents | message content follows | die kopfzeilen der ursprünglichen
kopfzeilen der originalnachricht | ursprüngliche nachricht | ursprüngliche nachrichtenkopfzeilen
en-têtes du message d'origine | en-têtes de message d'origine | message d'origine
encabezados de mensajes originales | encabezados del mensaje original | mensaje original
mensagem original | cabeçalhos da mensagem original | intestazioni del messaggio originale
messaggio originale | oorspronkelijk bericht | oorspronkelijke berichtkoppen | 元のメッセージ | 以下は元の
元のメール | 原始邮件头 | 原始郵件 | 원본 메시지
""")


class Original(NamedTuple):
    """What is known of the returned message; ``of_bounce`` says that it was a notification itself.

    ``at`` is where it begins in the notification's text, None where it stands in a part of its own.
    """

    message_id: str = ""
    of_bounce: bool = False
    at: int | None = None
    present: bool = False


def returned(message: Message) -> Original:
    """The returned message; nothing is known of one that is not there."""
    text = message.text[:MAX_TEXT]
    at = _begins(text)
    for part in message.attachments:
        if part.declared_type in RETURNED_TYPES:
            fields = header_fields(part.content[:MAX_ORIGINAL].lstrip(b"\r\n \t"))
            return Original(*_described(fields), at, present=True)
    if at is None:
        return Original(_own_message_id(text), present=False)
    return Original(*_described(header_fields(_fields_at(text, at))), at, present=True)


def _described(fields: list[tuple[str, bytes]]) -> tuple[str, bool]:
    """The Message-ID, and whether it came from a daemon, a null sender, or is a report (RFC 6522)."""
    named = {name.lower(): value for name, value in reversed(fields)}
    ids = message_ids([named.get("message-id", b"")])
    sender = _address(named.get("from", b""))
    report = named.get("content-type", b"").lower().lstrip().startswith(b"multipart/report")
    null = named.get("return-path", b"").replace(b" ", b"") == b"<>"
    return (ids[0] if ids else ""), report or null or daemon_address(sender)


def _address(field: bytes) -> str:
    text = field[:1000].decode("utf-8", "replace")
    angled = text.rpartition("<")[2].partition(">")[0] if "<" in text else text
    return angled.partition("(")[0].strip()


def _begins(text: str) -> int | None:
    """Where the text goes over into the returned message: below a line that says so, or at its header.

    A header is a run of fields of which one is a mail server's own: a notice names From, To and Subject too.
    """
    at, start, names = 0, -1, set[str]()
    for line in text.splitlines(keepends=True):
        field = _FIELD.match(line)
        if field:
            start = start if start >= 0 else at
            names.add(field[1].lower())
            if len(names) > 1 and names & _TELLING:
                return start
        elif not (start >= 0 and line[:1] in " \t" and line.strip()):
            start, names = -1, set[str]()
            if line.strip() and _marks(line):
                return at
        at += len(line)
    return None


def _marks(line: str) -> bool:
    rule = _RULE.match(line)
    words = line[rule.end() :] if rule else line
    return len(words) < MAX_LINE and folded(words).startswith(_MARKERS)


def _fields_at(text: str, at: int) -> bytes:
    """The header fields below a position, each on its line, without the marks of a quotation."""
    lines: list[str] = []
    for line in text[at : at + MAX_TEXT].splitlines():
        bare = line.lstrip(">| \t") if _FIELD.match(line) else line
        if _FIELD.match(line) or (lines and line[:1] in " \t" and line.strip()):
            lines.append(bare)
        elif lines and len(lines) > 1:
            break
    return "\r\n".join(lines).encode() + b"\r\n"


_MESSAGE_ID = re.compile(r"^[>| \t]*+Message-ID:[ \t]*+(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)


def _own_message_id(text: str) -> str:
    """A Message-ID that stands alone in a notice."""
    line = _MESSAGE_ID.search(text)
    return line[1] if line else ""
