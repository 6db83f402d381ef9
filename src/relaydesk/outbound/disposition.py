"""What the next hop's reply means for an answer: delivered, tried again when, or not at all, in a sentence.

Meta's mail hosts put a code of their own into the text (``550 5.7.1 POL-P7 …``); it says more than the SMTP
code and wins over it. Else RFC 5321 §4.2.1 decides: 2xx took it, 4xx is tried again, 5xx is final. But a 5xx
before MAIL FROM speaks of the connection, not of the answer: that waits for the admin to correct it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from relaydesk.message import printable
from relaydesk.outbound.answer import PERMANENT, POSITIVE, TRANSIENT

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.outbound.answer import HopReply

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIRST_PAUSE, LONGEST_PAUSE = MINUTE, HOUR  # between tries, where the hop names no time
TEXT_LIMIT = 300
UNCERTAIN = "The connection broke before the reply: the next hop may have the message. It is sent again."

_META = re.compile(r"\b((?:POL|MSG|RCP|INT|CON)-[A-Z][0-9])\b")


@dataclass(frozen=True, slots=True)
class Disposition:
    """What becomes of the answer. ``retry_after`` is set when it is deferred; ``tell_admin`` when waiting or
    a change of the text do not help and our domain, our address or the connection must be corrected;
    ``diagnose`` when it may be our domain's mail authentication that must be corrected."""

    state: Literal["sent", "deferred", "refused"]
    sentence: str
    retry_after: timedelta | None = None
    tell_admin: bool = False
    diagnose: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    """``wait`` is the span in which to try again; without one the answer is refused."""

    sentence: str
    wait: tuple[timedelta, timedelta] | None = None
    tell_admin: bool = False


_NO_ADDRESS = _Rule("The relay address no longer exists: answer a newer message of this customer.")
_THROTTLED = _Rule("Facebook accepts no more mail from us at the moment.", (5 * MINUTE, 20 * MINUTE))
_TOO_LARGE = _Rule("The answer is too large for Facebook: send it with fewer or smaller attachments.")

# Meta's codes, as its mail hosts document them. A block is waited out to its longer bound: trying earlier
# can only prolong it. Where a range is given for the next try, any moment of it will do.
META: dict[str, _Rule] = {
    "POL-P7": _Rule(
        "Facebook refuses it because our domain fails mail authentication (SPF, DKIM, DMARC); the "
        "administrator must correct this (see `relaydesk doctor`), then retry.",
        tell_admin=True,
    ),
    "POL-P1": _Rule("Our address is on a block list.", (4 * HOUR, 8 * HOUR), tell_admin=True),
    "POL-P3": _Rule("Facebook blocks us for 4 to 8 hours.", (8 * HOUR, 9 * HOUR), tell_admin=True),
    "POL-P4": _Rule("Facebook blocks us for 24 to 48 hours.", (48 * HOUR, 50 * HOUR), tell_admin=True),
    "POL-T1": _Rule("Facebook asks us to try again in 1 to 2 hours.", (HOUR, 2 * HOUR)),
    "POL-T2": _Rule("Facebook asks us to try again in 4 to 8 hours.", (4 * HOUR, 8 * HOUR)),
    "POL-T3": _Rule("Facebook asks us to try again in 24 to 48 hours.", (24 * HOUR, 48 * HOUR)),
    "MSG-P1": _TOO_LARGE,
    "INT-P2": _TOO_LARGE,
    "MSG-P2": _Rule("Facebook does not accept a file of this type: send it as PDF, PNG or JPEG."),
    "MSG-P3": _Rule("Facebook says that the answer repeats a header.", tell_admin=True),
    "RCP-P1": _NO_ADDRESS,
    "INT-P1": _NO_ADDRESS,
    "INT-P3": _NO_ADDRESS,
    "INT-P4": _NO_ADDRESS,
    "CON-T1": _THROTTLED,
    "CON-T2": _THROTTLED,
    "CON-T3": _THROTTLED,
    "CON-T4": _THROTTLED,
}

_BEFORE_MAIL = {
    "connect": "does not accept our connection",
    "hello": "does not accept our greeting",
    "starttls": "cannot be reached over TLS",
    "auth": "does not accept our name and password",
}
_TOO_LARGE_FOR_HOP = 552  # RFC 1870 §6.2
_OUT_OF_STEP = (503, 521)  # bad sequence; "accepts no mail" (RFC 7504), which a host behind one name may say


def said(reply: HopReply) -> str:
    """The hop's words in one line of printable ASCII, cut: foreign text never goes on as it is."""
    text = printable(" ".join(reply.text.split()), TEXT_LIMIT)
    return f"{reply.code} {text}".strip() if reply.code else text


def disposition_of(reply: HopReply, attempts: int, chance: float) -> Disposition:
    """What this reply to try ``attempts`` (from 1) means; ``chance`` in [0, 1) spreads the next one."""
    if reply.severity == POSITIVE and reply.phase == "dot":
        return Disposition("sent", "The next hop accepted it.")
    rule = _meta(reply)
    if rule is not None:
        wait = _between(*rule.wait, chance) if rule.wait else None
        return Disposition(
            "deferred" if wait else "refused", rule.sentence, wait, rule.tell_admin, rule.tell_admin
        )
    pause = back_off(attempts, chance)
    if not reply.certain:
        return Disposition("deferred", UNCERTAIN, pause)
    if reply.phase in _BEFORE_MAIL:
        sentence = f"The next hop {_BEFORE_MAIL[reply.phase]}: {said(reply) or 'no reply'}"
        final = reply.severity == PERMANENT or reply.phase in ("starttls", "auth")
        return Disposition("deferred", sentence, pause, tell_admin=final)
    if reply.severity == PERMANENT and reply.code not in _OUT_OF_STEP:
        return _final(reply)
    return Disposition("deferred", f"The next hop deferred it: {said(reply) or 'no reply'}", pause)


def _meta(reply: HopReply) -> _Rule | None:
    """Meta's own code, believed in a reply other than a success."""
    match = _META.search(reply.text)
    return META.get(match[1]) if match and reply.severity in (TRANSIENT, PERMANENT) else None


def _final(reply: HopReply) -> Disposition:
    """A 5xx to MAIL FROM or later, by its enhanced code (RFC 3463 §3) where there is one."""
    text = reply.text
    if re.match(r"5\.1\.[0-36]\b|5\.1\.10\b", text) or (reply.phase == "rcpt" and not re.match(r"5\.", text)):
        return Disposition("refused", f"{_NO_ADDRESS.sentence} ({said(reply)})")
    if reply.code == _TOO_LARGE_FOR_HOP or re.match(r"5\.[23]\.[34]\b", text):
        return Disposition("refused", f"The answer is too large for the next hop. ({said(reply)})")
    policy = bool(re.match(r"5\.7\.", text)) or reply.phase == "mail"
    return Disposition(
        "refused", f"The next hop refuses it: {said(reply)}", tell_admin=policy, diagnose=policy
    )


def back_off(attempts: int, chance: float) -> timedelta:
    """The pause after try number ``attempts``: a minute, doubled each time up to an hour, then spread by half
    to either side, so that what failed together does not come back together."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(max(attempts, 1) - 1, 10))
    return timedelta(seconds=pause.total_seconds() * (0.5 + chance))


def _between(shortest: timedelta, longest: timedelta, chance: float) -> timedelta:
    return shortest + (longest - shortest) * chance


def next_try(now: datetime, wait: timedelta, give_up_at: datetime) -> datetime | None:
    """When to try again; a wait beyond the give-up time is cut to it, for one last try. None: give up."""
    return None if now >= give_up_at else min(now + wait, give_up_at)
