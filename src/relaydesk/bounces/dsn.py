"""What comes back for an answer: delivery status notifications (RFC 3464), notices in prose, auto-replies.

Pure. A message is read as what it says of one message of ours: did it reach its recipient, will it yet, or
did a machine merely reply?
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from relaydesk.message import header_fields, message_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.message import Attachment, Message

MAX_STATUS = 65_536  # bytes of a delivery status that are read
MAX_BLOCKS = 50
MAX_TEXT = 20_000  # characters of a notice in prose that are searched

_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")  # RFC 3464 §2, RFC 6533 §3
_RETURNED = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")  # RFC 3463 §2
_REFUSED = re.compile(r"(?<![\d.])5[0-5]\d[ -]")  # a permanent reply, RFC 5321 §4.2.1
_DAEMONS = ("mailer-daemon", "postmaster", "mail-daemon")
_DELAYED = re.compile(r"\b(?:delayed|delay|warning|could not (?:yet )?be delivered for)\b", re.IGNORECASE)
_AWAY = re.compile(
    r"^\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response|antwort)|automatische antwort|out of (?:the )?office"
    r"|abwesen|away from (?:the )?office|on vacation|réponse automatique|respuesta automática"
    r"|risposta automatica)",
    re.IGNORECASE,
)


About = Literal["undelivered", "delayed", "delivered", "auto_reply", "feedback", "unclear"]


@dataclass(frozen=True, slots=True)
class Dsn:
    """What a message to our bounce address says.

    ``hard`` is true when the message will not arrive (RFC 3464 §2.3.3 ``failed``, whatever class its status
    has: an expired one is final too), false when it may yet or did, None when the message does not say.
    ``status`` is the enhanced code (RFC 3463). ``original_message_id`` is that of the returned message, and
    ``of_bounce`` says that the returned message was a notification itself.
    """

    hard: bool | None = None
    status: str = ""
    final_recipient: str = ""
    original_message_id: str = ""
    diagnostic: str = ""
    is_auto_reply: bool = False
    of_bounce: bool = False

    @property
    def about(self) -> About:
        """What it says in one word; ``unclear`` is for a person to read."""
        if self.is_auto_reply:
            return "auto_reply"
        if self.hard is None:
            return "unclear"
        if self.hard:
            return "undelivered"
        return "delivered" if self.status.startswith("2") else "delayed"

    @property
    def undelivered(self) -> bool:
        """Whether an answer of ours certainly did not arrive."""
        return self.hard is True and not self.of_bounce


def read_bounce(message: Message, *, notice: bool = False, failed_recipient: str = "") -> Dsn:
    """What ``message`` says.

    ``notice`` is true for one that our rules know as Meta's "could not be delivered"; ``failed_recipient`` is
    the address that it names.
    """
    original_id, of_bounce = _returned(message)
    hard, status, recipient, diagnostic = _reported(message) or _described(message, notice=notice)
    return Dsn(
        hard=hard,
        status=status,
        final_recipient=recipient or failed_recipient,
        original_message_id=original_id,
        diagnostic=diagnostic,
        is_auto_reply=hard is None and _automatic(message),
        of_bounce=of_bounce,
    )


Said = tuple[bool | None, str, str, str]  # hard, status, recipient, diagnostic


def _reported(message: Message) -> Said | None:
    """The per-recipient fields of a delivery status (RFC 3464 §2.3), the worst of several."""
    blocks = [block for part in _parts(message, _STATUS_PARTS) for block in _blocks(part.content)]
    reports = [block for block in blocks if "action" in block or "status" in block]
    if not reports:
        return None
    worst = min(reports, key=lambda block: _RANK.get(_action(block), len(_RANK)))
    action = _action(worst)
    hard = None if action not in _RANK else action == "failed"
    enhanced = _ENHANCED.search(worst.get("status", ""))
    recipient = worst.get("final-recipient", "") or worst.get("original-recipient", "")
    diagnostic = worst.get("diagnostic-code", "").partition(";")[2].strip()
    return hard, enhanced[1] if enhanced else "", recipient.rpartition(";")[2].strip(" <>"), diagnostic[:500]


_RANK = {name: rank for rank, name in enumerate(("failed", "delayed", "relayed", "expanded", "delivered"))}


def _action(block: dict[str, str]) -> str:
    """The action; where a sender left it out, the class of the status says it."""
    action = block.get("action", "").split("(")[0].strip().lower()
    return action or {"5": "failed", "4": "delayed", "2": "delivered"}.get(block.get("status", "")[:1], "")


def _blocks(content: bytes) -> Iterator[dict[str, str]]:
    """The groups of fields, names in lower case, the first of each name."""
    for block in _BLANK.split(content[:MAX_STATUS].lstrip(b"\r\n"))[:MAX_BLOCKS]:
        group: dict[str, str] = {}
        for name, value in header_fields(block + b"\r\n"):
            group.setdefault(name.lower(), _line(value))
        yield group


def _described(message: Message, *, notice: bool) -> Said:
    """What a notice without a delivery status says: Exim's and qmail's older forms, Meta's own."""
    text = message.text[:MAX_TEXT]
    enhanced = _ENHANCED.search(text)
    status = enhanced[1] if enhanced else ""
    failed = message.header("X-Failed-Recipients") or ""
    if not (notice or failed or _from_daemon(message)):
        return None, "", "", ""
    if _DELAYED.search(message.subject):
        return False, status, failed, ""
    if notice or failed or status.startswith("5") or _REFUSED.search(text):
        return True, status, failed.partition(",")[0].strip(), ""
    return (False if status else None), status, "", ""


def _from_daemon(message: Message) -> bool:
    return bool(message.from_) and message.from_[0].local.lower() in _DAEMONS


def _automatic(message: Message) -> bool:
    """An automatic reply: RFC 3834 §5, or the marks and Subjects that were in use before it."""
    submitted = re.split(r"[;(\s]", (message.header("Auto-Submitted") or "").strip(), maxsplit=1)[0].lower()
    if submitted == "auto-replied" or (message.header("Precedence") or "").strip().lower() == "auto_reply":
        return True
    marks = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From", "X-Vacation")
    return any(message.header(name) for name in marks) or _AWAY.search(message.subject) is not None


def _returned(message: Message) -> tuple[str, bool]:
    """The Message-ID of the returned message, and whether that was itself a notification."""
    for part in _parts(message, _RETURNED):
        fields = {name.lower(): value for name, value in reversed(header_fields(part.content))}
        ids = message_ids([fields.get("message-id", b"")])
        kind, sender = _line(fields.get("content-type", b"")).lower(), _line(fields.get("from", b"")).lower()
        report = kind.startswith("multipart/report") or any(f"{name}@" in sender for name in _DAEMONS)
        return (ids[0] if ids else ""), report
    return "", False


def _parts(message: Message, types: tuple[str, ...]) -> Iterator[Attachment]:
    return (part for part in message.attachments if part.declared_type in types)


def _line(value: bytes) -> str:
    text = " ".join(value.decode("utf-8", "replace").split())
    return "".join(char for char in text if char.isprintable())[:1000]
