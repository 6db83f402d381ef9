"""Notices for people: what a mail server writes in words, without a report that tells."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from relaydesk.bounces import auto_reply, failures, phrases
from relaydesk.bounces.daemons import daemon_address
from relaydesk.bounces.report import ENHANCED, MAX_DIAGNOSTIC, RecipientReport, in_text
from relaydesk.bounces.words import folded, holds, one_line
from relaydesk.message import MAX_ADDRESS

if TYPE_CHECKING:
    from relaydesk.bounces.original import Original
    from relaydesk.bounces.report import About
    from relaydesk.message import Message

MAX_NOTICE = 20_000  # characters of a notice that are searched

_REFUSED = re.compile(r"(?<![\d.,:/-])5[0-5]\d(?=[ \-:)\],]|$)", re.MULTILINE)  # RFC 5321 §4.2.1: permanent
_PUT_OFF = re.compile(r"(?<![\d.,:/-])4[0-5]\d[ -](?=#?4\.\d)|(?<![\d.])4\.\d{1,3}\.\d{1,3}(?![\d.])")
_ADDRESS = re.compile(
    r"^[ \t>*|-]*+(?:(?:could not be delivered |addressed |rcpt )?to:?[ \t]*+|(?:failed )?recipients?:[ \t]*+"
    r"|undeliverable[ \t]++to[ \t]++|\"[^\"\r\n]{0,100}\"[ \t]*+)?"
    r"<?([^\s<>,;:()\"]{1,64}@[A-Za-z0-9.-]{1,255})>?",
    re.MULTILINE | re.IGNORECASE,
)
_REPLY_LINE = re.compile(
    r"(?<![\d.,:/-])[45][0-5]\d[ -][^\r\n]{0,480}|#?[45]\.\d{1,3}\.\d{1,3}[^\r\n]{0,480}"
)


_NAMED = re.compile(r"(?<![^\s<:;,('\"])[^\s<>,;:()'\"@]{1,64}@[A-Za-z0-9.-]{1,255}")
# A clause that says what would be, not what is: by its first word, up to its end.
_CONDITION = re.compile(
    r"\b(?:if|unless|wenn|falls|indien|если|si (?:la|le|les|votre|ce|el|su|este|esta)|si l'"
    r"|se (?:il|o|questo))\b"
    r"[^.;!?:<]{0,300}+"
)
_ASKS = re.compile(r"[?\uff1f][ \t]*+$", re.MULTILINE)  # people do, at the end of a line; programs do not
_ECHO = re.compile(
    r"^[ \t>*]*+(?:subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|тема|件名"
    r"|主题|主旨|제목)"
    r"[ \t]*+[:\uff1a].*+$",
    re.MULTILINE | re.IGNORECASE,
)


def described(message: Message, original: Original, *, daemon: bool) -> RecipientReport:
    """What the words say. Of one that is no daemon by name, they count only with what a notice brings along:
    an address, a host's reply, the returned message."""
    passed_on = auto_reply.is_passed_on(message)
    text = notice_text(message, original, own=passed_on or not daemon)
    written = in_text(text) if daemon else None
    if written is not None and written.about != "unclear":
        return written
    recipient = one_line(_recipient(message, text), MAX_ADDRESS)
    status, diagnostic = _code_and_reply(text)
    subject = "" if passed_on and daemon else folded(message.subject[:1000])  # another's
    words = _CONDITION.sub("", folded(_ECHO.sub("", text)))
    if not daemon:
        proof = Proof(_names_another(message, words), bool(recipient), original.present)
        about = _strangers(subject, words, text, proof)
    elif _readers_own(subject, words) and not (recipient and diagnostic):
        about = "unclear"
    elif (about := _daemons(subject, words, text)) == "unclear":
        about = _hinted(message, words, original, addressed=_NAMED.search(words) is not None)
    return RecipientReport(about, status, recipient, diagnostic)


def _code_and_reply(text: str) -> tuple[str, str]:
    """The enhanced code that a text names, a permanent one before others, and a host's reply ("" each)."""
    codes = [code for code in ENHANCED.findall(text) if code[0] in "45"]
    status = max(codes, key=lambda code: code[0], default="")
    reply = _REPLY_LINE.search(text)
    return status, one_line(reply[0], MAX_DIAGNOSTIC) if reply else ""


def _names_another(message: Message, words: str) -> bool:
    """Whether the words hold an address that is not the sender's: people give their own."""
    senders = {sender.addr.lower() for sender in message.from_}
    return any(address.rstrip(".") not in senders for address in islice(_NAMED.findall(words), 50))


def notice_text(message: Message, original: Original, *, own: bool = False) -> str:
    """The words above the returned message: of each body, and of the named text parts of some servers.

    ``own`` leaves out what is quoted of another mail, if that is not all of it.
    """
    end = min(MAX_NOTICE, MAX_NOTICE if original.at is None else original.at)
    first = (_written(message, end) if own else "") or message.text[:end]
    bodies = message.bodies[1:] if original.at is None else ()
    others = [(body.own if own else body.text)[:MAX_NOTICE] for body in bodies]
    named = [
        part.content[:MAX_NOTICE].decode("utf-8", "replace")
        for part in message.attachments
        if part.declared_type == "text/plain"
    ]
    return "\n".join((first, *others, *named))[: 2 * MAX_NOTICE]


def _written(message: Message, end: int) -> str:
    """What the sender wrote up to a place in the text, without what they quoted."""
    at, own = 0, list[str]()
    for passage in message.bodies[0].passages if message.bodies else ():
        if not passage.quoted:
            own.append(passage.text[: max(0, end - at)])
        at += len(passage.text) + 1
    return "\n".join(own).strip()


def _readers_own(subject: str, words: str) -> bool:
    """Whether a postmaster writes to the reader of their own mailbox, or of what was sent to them."""
    titled, place = _title(subject)
    at = min((subject.find(phrase) for phrase in phrases.OWN_MAIL_SUBJECTS if phrase in subject), default=-1)
    if 0 <= at <= place:
        return True
    return titled == "unclear" and holds(words, phrases.OWN_MAIL)


def _daemons(subject: str, words: str, text: str) -> About:
    """What is a daemon's subject and words. It gave up, or it keeps trying; else what it says of the mail;
    else the class of the reply that it quotes."""
    titled, gave_up, keeps_trying = (
        _title(subject)[0],
        holds(words, phrases.GAVE_UP),
        holds(words, phrases.DELAYED),
    )
    if gave_up and keeps_trying:  # of two recipients, or a warning that tells what will be
        return "undelivered" if titled == "undelivered" else "delayed"
    if gave_up or keeps_trying or titled == "delayed":
        return "undelivered" if gave_up else "delayed"
    if titled in ("undelivered", "delivered"):
        return titled
    if holds(words, failures.FAILED):
        return "undelivered"
    if holds(words, phrases.DELIVERED):
        return "delivered"
    return _replied(text) or "unclear"


def _replied(text: str) -> About | None:
    """The class of the reply that a notice quotes."""
    if _REFUSED.search(text) or any(code[0] == "5" for code in ENHANCED.findall(text)):
        return "undelivered"
    return "delayed" if _PUT_OFF.search(text) else None


def _hinted(message: Message, words: str, original: Original, *, addressed: bool) -> About:
    """What a reason alone means, and words that a postmaster's other mail has too: a daemon writes none."""
    if original.present:
        report = in_text(message.text[:MAX_NOTICE])  # below what looks like a header
        if report is not None and report.about != "unclear":
            return report.about
    notice = (
        original.present
        or "daemon" in (message.header("From") or "").lower()
        or holds(words, phrases.NAMES_MAIL)
    )
    reasons = (notice or addressed) and holds(words, failures.REASONS)
    return "undelivered" if reasons or (notice and holds(words, failures.HINTS)) else "unclear"


def _title(subject: str) -> tuple[About, int]:
    """What the Subject says by its first telling phrase, and where: what follows may be another's."""
    if subject.startswith(phrases.RECEIPT_SUBJECTS):
        return "delivered", 0
    tables: tuple[tuple[About, tuple[str, ...]], ...] = (
        ("undelivered", phrases.FAILED_SUBJECTS),
        ("delayed", phrases.DELAYED_SUBJECTS),
        ("delivered", phrases.DELIVERED_SUBJECTS),
    )
    places = [
        (subject.find(phrase), -len(phrase), about)
        for about, table in tables
        for phrase in table
        if phrase in subject
    ]
    place, _, about = min(places, default=(len(subject), 0, "unclear"))
    return about, place


class Proof(NamedTuple):
    """What a notice brings along: an address that is not the sender's (``addressed``: on a line of its own),
    the returned message."""

    named: bool
    addressed: bool
    returned: bool


def _strangers(subject: str, words: str, text: str, proof: Proof) -> About:
    """What somebody else's subject and words are. A shop writes of undeliverable parcels, a person of mail
    that did not arrive, and an article of what servers reply; they bring no proof."""
    titled, keeps_trying = _title(subject)[0], holds(words, phrases.DELAYED)
    if titled == "delayed":
        return "delayed" if keeps_trying and (proof.addressed or proof.returned) else "unclear"
    own_mail = holds(f"{subject} {words}", phrases.OWN_MAIL)
    if own_mail or (not proof.returned and (holds(words, failures.NO_NOTICE) or _ASKS.search(text))):
        return "unclear"
    says = holds(words, failures.FAILED) or holds(words, failures.HINTS)
    proven = proof.addressed and proof.returned
    if titled == "undelivered":
        says = says or holds(words, failures.REASONS) or _replied(text) is not None
        proven = proof.named or proof.returned
    if not says or not proven:
        return "unclear"
    return "delayed" if keeps_trying and not holds(words, phrases.GAVE_UP) else "undelivered"


def _recipient(message: Message, text: str) -> str:
    """The address that failed: the first that stands on a line of its own, or begins one."""
    failed = (message.header("X-Failed-Recipients") or "").partition(",")[0].strip()
    addresses = (line[1].rstrip(".") for line in islice(_ADDRESS.finditer(text), 20))
    return failed or next((address for address in addresses if not daemon_address(address)), "")


def complains(message: Message, original: Original) -> bool:
    """Whether a recipient's mail provider passes on that they marked a mail as unwanted, in words."""
    return holds(folded(message.subject[:1000]), phrases.COMPLAINT_SUBJECTS) or holds(
        folded(notice_text(message, original)[:2000]), phrases.COMPLAINTS
    )
