"""What a message's content says, by its bytes and the rules alone: so it may be read in another process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relaydesk.bounces import bounced_ticket, read_bounce
from relaydesk.classify import classify
from relaydesk.message import UNREAD, parse_message

if TYPE_CHECKING:
    from collections.abc import Collection

    from relaydesk.bounces import Dsn
    from relaydesk.classify import Findings, Rules
    from relaydesk.message import Message


@dataclass(frozen=True, slots=True)
class Content:
    """A message as it reads, how the rules sort it, and what it says of an answer of ours."""

    message: Message
    findings: Findings
    dsn: Dsn | None


@dataclass(frozen=True, slots=True)
class Addressed:
    """What sorting needs to know beside the rules: the recipients, the listed From domains, our secret."""

    rcpt_to: tuple[str, ...]
    senders: Collection[str]
    secret: bytes


def read_content(rules: Rules, raw: bytes, addressed: Addressed, headed: Message | None = None) -> Content:
    """All that a message says. ``headed`` is what was read of its header already."""
    return _sorted(parse_message(raw, headed), rules, addressed)


def read_for_store(rules: Rules, raw: bytes, addressed: Addressed) -> Content:
    """The same without what attached files hold, which is not stored a second time."""
    content = read_content(rules, raw, addressed)
    files = tuple(replace(attachment, content=b"") for attachment in content.message.attachments)
    return replace(content, message=replace(content.message, attachments=files))


def unread_content(rules: Rules, headed: Message, addressed: Addressed) -> Content:
    """What the header alone says, where the content takes too much: a person opens the original."""
    return _sorted(replace(headed, defects=(UNREAD, *headed.defects)), rules, addressed)


def read_returned(
    rcpt_to: tuple[str, ...], message: Message, findings: Findings, secret: bytes
) -> Dsn | None:
    """What a message says of an answer of ours, where its recipient or our rules make it a bounce."""
    notice = findings.match.kind == "bounce"
    if not notice and not any(bounced_ticket(secret, rcpt) for rcpt in rcpt_to):
        return None
    return read_bounce(message, notice=notice, failed_recipient=findings.failed_recipient)


def _sorted(message: Message, rules: Rules, addressed: Addressed) -> Content:
    findings = classify(message, rules, addressed.senders)
    returned = read_returned(addressed.rcpt_to, message, findings, addressed.secret)
    return Content(message, findings, returned)
