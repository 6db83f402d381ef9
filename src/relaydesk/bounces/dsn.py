"""What comes back for an answer, read as what it says of one message of ours.

Did it reach its recipient, will it yet, or did a program merely reply? Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.bounces import auto_reply, phrases
from relaydesk.bounces.daemons import from_daemon
from relaydesk.bounces.original import returned
from relaydesk.bounces.prose import complains, described
from relaydesk.bounces.report import MAX_STATUS, RecipientReport, disposed, in_text, reported
from relaydesk.bounces.words import folded, holds

if TYPE_CHECKING:
    from relaydesk.bounces.original import Original
    from relaydesk.bounces.report import About
    from relaydesk.message import Message


@dataclass(frozen=True, slots=True)
class Dsn:
    """What a notification says.

    ``about`` is it in one word; what is ``unclear`` is for a person to read. ``status`` is the enhanced code
    (RFC 3463). ``original_message_id`` is that of the returned message; ``of_bounce`` says that the
    returned message was a notification itself.
    """

    about: About = "unclear"
    status: str = ""
    final_recipient: str = ""
    original_message_id: str = ""
    diagnostic: str = ""
    of_bounce: bool = False

    @property
    def hard(self) -> bool | None:
        """True when the message will not arrive (RFC 3464 §2.3.3 ``failed``, whatever its status: an expired
        one is final too), false when it may yet or did, None when the notification does not say."""
        return {"undelivered": True, "delayed": False, "delivered": False}.get(self.about)

    @property
    def is_auto_reply(self) -> bool:
        return self.about == "auto_reply"

    @property
    def undelivered(self) -> bool:
        """Whether an answer of ours certainly did not arrive."""
        return self.about == "undelivered" and not self.of_bounce


def read_bounce(message: Message, *, notice: bool = False, failed_recipient: str = "") -> Dsn:
    """What ``message`` says, which came from a null sender or a daemon, or is known as a notice.

    ``notice`` is true for one that our rules know as Meta's "could not be delivered"; ``failed_recipient`` is
    the address that it names.
    """
    original = returned(message)
    report = reported(message)
    if report is None or report.about == "unclear":
        recipient = (report.recipient if report else "") or failed_recipient
        report = _in_words(message, original, notice=notice)
        report = report._replace(recipient=recipient or report.recipient)
    return Dsn(
        about=report.about,
        status=report.status,
        final_recipient=report.recipient or failed_recipient,
        original_message_id=original.message_id,
        diagnostic=report.diagnostic,
        of_bounce=original.of_bounce,
    )


def _in_words(message: Message, original: Original, *, notice: bool) -> RecipientReport:
    """A notice in prose, or an automatic reply."""
    failed = bool(message.header("X-Failed-Recipients"))
    daemon = notice or failed or _is_report(message) or from_daemon(message)
    if _replied_by_program(message, daemon=daemon):
        return RecipientReport("auto_reply")
    report = described(message, original, daemon=daemon)
    if report.about != "unclear":
        return report
    if daemon and (wrapped := _wrapped(message)) is not None:
        return wrapped
    return report._replace(about=_otherwise(message, original, lost=notice or failed))


def _otherwise(message: Message, original: Original, *, lost: bool) -> About:
    """What a message is that does not say of itself whether another arrived."""
    signs: tuple[tuple[bool, About], ...] = (
        (complains(message, original), "feedback"),
        (lost, "undelivered"),
        (disposed(message).startswith("deleted"), "delivered"),  # unread, but it was there
        (auto_reply.has_marks(message), "auto_reply"),
    )
    return next((about for sign, about in signs if sign), "unclear")


def _replied_by_program(message: Message, *, daemon: bool) -> bool:
    """Whether this is an automatic reply before all else. Many a daemon marks its notices as one (Exim,
    Postfix, IONOS, mail.ru), and a filter its rejections: what their Subject says goes first."""
    fails = holds(folded(message.subject[:1000]), phrases.FAILED_SUBJECTS)
    if auto_reply.has_subject(message):
        return not (daemon and fails)
    return auto_reply.has_marks(message) and not (daemon or fails)


def _wrapped(message: Message) -> RecipientReport | None:
    """What the report says that a gateway put, as a whole, into a message of its own."""
    for part in message.attachments:
        if part.declared_type == "message/rfc822":
            report = in_text(part.content[:MAX_STATUS].decode("utf-8", "replace"))
            return report if report is not None and report.about != "unclear" else None
    return None


def _is_report(message: Message) -> bool:
    kind = (message.header("Content-Type") or "").lower()
    return kind.startswith("multipart/report") or "report-type=delivery-status" in kind.replace('"', "")
