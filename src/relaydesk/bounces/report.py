"""Reports for machines: delivery status (RFC 3464, 6533), disposition (RFC 8098), feedback (RFC 5965).

Read as they come in the wild: groups without blank lines between them or with several, fields in any order,
actions of one's own, a report as plain text.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from relaydesk.bounces.original import RETURNED_TYPES
from relaydesk.bounces.words import one_line
from relaydesk.message import MAX_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.message import Attachment, Message

MAX_STATUS = 65_536  # bytes of a report that are read
MAX_GROUPS = 200
MAX_DIAGNOSTIC = 500  # characters of a host's reply that are kept
MAX_VALUE = 2_000  # characters of a field

About = Literal["undelivered", "delayed", "delivered", "auto_reply", "feedback", "unclear"]

ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)")  # RFC 3463 §2
_REPLY = re.compile(r"(?<![\d.])([245])[0-5]\d(?![\d.])")  # RFC 5321 §4.2.1
_FIELD = re.compile(r"[>| \t]*+([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*+:[ \t]*+(.*+)")
_WORD = re.compile(r"[a-z]+")
_CLASSES: dict[str, About] = {"5": "undelivered", "4": "delayed", "2": "delivered"}
_RANKS = ("undelivered", "delayed", "unclear", "delivered")  # the worst for us first
_OF_RECIPIENT = ("original-recipient", "final-recipient", "action", "status")

# An action's first telling word: the five of RFC 3464 §2.3.3 and what servers write instead.
_ACTIONS: dict[str, About] = {
    **dict.fromkeys(
        ("failed", "failure", "fail", "error", "errors", "expired", "undeliverable", "undelivered", "bounced",
         "bounce", "hardbounce", "rejected", "reject", "refused", "dropped", "drop", "blocked", "denied",
         "deny", "invalid", "not", "permanent", "aborted", "returned", "unknown"),
        "undelivered",
    ),
    **dict.fromkeys(
        ("delayed", "delay", "deferred", "deferral", "warning", "retry", "retrying", "retried", "queued",
         "temporary", "transient", "pending", "softbounce", "soft"),
        "delayed",
    ),
    **dict.fromkeys(
        ("delivered", "relayed", "expanded", "success", "successful", "sent", "accepted"),
        "delivered",
    ),
}  # fmt: skip
_SHOWN = ("displayed", "processed", "dispatched")  # RFC 8098 §3.2.6.2, RFC 2298


class RecipientReport(NamedTuple):
    """What a notification says of the delivery to one recipient."""

    about: About = "unclear"
    status: str = ""
    recipient: str = ""
    diagnostic: str = ""


def reported(message: Message) -> RecipientReport | None:
    """What the parts of a report say, the worst of several recipients; None where there is none."""
    kinds = {part.declared_type.replace("_", "-") for part in message.attachments}
    if "message/feedback-report" in kinds:
        return RecipientReport("feedback")
    groups = (group for part in message.attachments for group in _groups(_status_text(part)))
    reports = [_recipient_report(group) for group in islice(groups, MAX_GROUPS)]
    if reports:
        return min(reports, key=_rank)
    return RecipientReport("delivered") if disposed(message).startswith(_SHOWN) else None


def in_text(text: str) -> RecipientReport | None:
    """What a report that was written into the text says."""
    if "final-recipient" not in text.lower():
        return None
    reports = [_recipient_report(group) for group in islice(_groups(text), MAX_GROUPS)]
    return min(reports, key=_rank) if reports else None


def _rank(report: RecipientReport) -> int:
    return _RANKS.index(report.about)


def _status_text(part: Attachment) -> str:
    """The text of a delivery status, whatever its type is called."""
    if part.declared_type in RETURNED_TYPES:
        return ""
    start = part.content[:MAX_STATUS]
    named = "delivery-status" in part.declared_type.replace("_", "-")
    return start.decode("utf-8", "replace") if named or b"final-recipient:" in start.lower() else ""


def disposed(message: Message) -> str:
    """What became of the message at its recipient's, by a disposition notification, in lower case; "" without
    one: ``displayed``, ``deleted`` (unread, or in a filter's place), ``failed``."""
    for part in message.attachments:
        if part.declared_type == "message/disposition-notification":
            text = part.content[:MAX_STATUS].decode("utf-8", "replace")
            values = (value for name, value in _fields(text) if name == "disposition")
            return next(values, "").rpartition(";")[2].strip().lower()
    return ""


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """The fields with folded lines joined, names in lower case; ("", "") for an empty line."""
    name, value = "", ""
    for line in text.splitlines():
        field = _FIELD.match(line)
        if field and not (name and line[:1] in " \t" and not _recipient_field(field[1])):
            if name:
                yield name, value
            name, value = field[1].lower(), field[2]
        elif not line.strip():
            if name:
                yield name, value
            name, value = "", ""
            yield "", ""
        elif name and len(value) < MAX_VALUE:
            value = f"{value} {line.strip()}"
    if name:
        yield name, value


def _recipient_field(name: str) -> bool:
    return name.lower() in (*_OF_RECIPIENT, "diagnostic-code")


def _groups(text: str) -> Iterator[dict[str, str]]:
    """The fields by recipient. A group ends where a field of it comes again, or, once it is whole, at an
    empty line: how many of those there are says nothing."""
    group: dict[str, str] = {}
    parted = False
    for name, value in _fields(text):
        if not name:
            parted = True
            continue
        whole = "final-recipient" in group and ("action" in group or "status" in group)
        if _recipient_field(name) and (name in group or (parted and whole)):
            if _tells(group):
                yield group
            group = {}
        parted = False
        group.setdefault(name, " ".join(value.split())[:MAX_VALUE])
    if _tells(group):
        yield group


def _tells(group: dict[str, str]) -> bool:
    return any(name in group for name in ("action", "status", "diagnostic-code"))


def _recipient_report(group: dict[str, str]) -> RecipientReport:
    diagnostic = group.get("diagnostic-code", "")
    kind, semicolon, rest = diagnostic.partition(";")
    diagnostic = rest.strip() if semicolon and " " not in kind.strip() else diagnostic
    code = ENHANCED.search(group.get("status", "")) or ENHANCED.search(diagnostic)
    recipient = group.get("final-recipient", "") or group.get("original-recipient", "")
    return RecipientReport(
        _about(group.get("action", ""), group.get("status", ""), diagnostic),
        code[1] if code else "",
        one_line(recipient.rpartition(";")[2], MAX_ADDRESS).strip(" <>"),
        one_line(diagnostic, MAX_DIAGNOSTIC),
    )


def _about(action: str, status: str, diagnostic: str) -> About:
    """By the action's first telling word, else by the class of the status, else by the host's own reply."""
    for word in _WORD.findall(action.lower()):
        if word in _ACTIONS:
            return _ACTIONS[word]
    by_class = _CLASSES.get(action.strip()[:1]) or _CLASSES.get(status.strip()[:1])
    if by_class:
        return by_class
    reply = _REPLY.search(diagnostic) or ENHANCED.search(diagnostic)
    return _CLASSES[reply[1][:1]] if reply else "unclear"
