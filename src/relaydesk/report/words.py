"""How the report writes durations, shares, causes and its period, whatever the form. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from relaydesk.report.figures import Report

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EMPTY = "No clock started in this period: there is nothing to measure yet."
MINUS, NOTHING = "\u2212", "\u2013"
MINUTE = 60

WHY = {
    "came_back": "It was answered in time, but the answer came back.",
    "not_sent": "An answer was written in time, but the next hop refused it or it was given up.",
    "waited_in_outbox": "An answer was written in time and left the outbox too late.",
    "was_closed": "The ticket was closed over its deadline and reopened later.",
    "nobody": "Nobody took it before the deadline.",
    "given_back": "Whoever had it gave it back; at the deadline nobody had it.",
    "taken_late": "It was taken in the last quarter of its time.",
    "handed_over": "It was handed over in the last quarter of its time.",
    "moved_late": "It was moved to another queue in the last quarter of its time.",
    "answered_late": "Who had it answered late.",
    "unanswered": "Who has it has not answered yet.",
    "eve": "It came on the eve of a holiday.",
    "off_duty": "It came while nobody was on duty.",
}
"""Why a deadline passed: the causes, of which the first that fits is named, then what stood beside them."""

SHORT_WHY = {
    "came_back": "answer came back",
    "not_sent": "answer not sent",
    "waited_in_outbox": "waited in the outbox",
    "was_closed": "was closed",
    "nobody": "nobody took it",
    "given_back": "given back",
    "taken_late": "taken late",
    "handed_over": "handed over late",
    "moved_late": "moved late",
    "answered_late": "answered late",
    "unanswered": "not answered yet",
    "eve": "eve of a holiday",
    "off_duty": "came off duty",
}
"""The same in a few words, for columns."""

COUNTED = {
    "attainment": "Met ÷ (met + breached), rounded to a tenth; 100 % only when every clock was met. A breach "
    "that is still open counts. A ticket that was closed in time without an answer is undecided "
    "and counts as neither. A clock belongs to the period in which the customer's message was "
    "accepted.",
    "times": "From the acceptance of the customer's message to the next hop's 250 for the answer, or to "
    "the act on record. Late answers are among them, automatic ones and clocks that still run are"
    " not. Business time counts the calendar's open hours, wall time all of them. Half of the "
    "answers took at most the median, nine in ten at most p90.",
    "ageing": "Every clock that is open now, whenever it started, by the time since then.",
    "day": "Clocks by the local day of their deadline.",
    "queue": "By the queue in which the ticket was when the clock was met or fell due.",
    "agent": "Who answered in time, or had the ticket at its deadline; nobody is who had none.",
    "week": "Clocks by the local hour in which the mail that started them was accepted, and how many of "
    "them breached later.",
    "breaches": "Late is from the deadline to the answer, or to now where there is none. Why is read from the"
    " ticket's events: the first cause that fits, then what stood beside it.",
    "claims": "Cases for whose order a claim came in this period.",
    "withdrawn": "Breaches on record that were taken back in this period: an answer given in time was noted"
    " later, or the deadline was moved.",
    "work": "Answers that left and tickets that were closed in this period, by who wrote or closed them; "
    "handled is what was put on record as done or answered elsewhere. Open now is what each has "
    "at this moment.",
    "bounces": "Delivery notices for answers that left, by when the notice came.",
    "refused": "Messages turned away at the SMTP port, by whole UTC days, whatever the filter above.",
    "unverified": "Messages that were taken in but that nothing proves genuine; a person looks at them.",
    "drift": "Networks that the SPF record of a listed sender names and the allowlist lacks, by the mail "
    "that was turned away for it.",
}
"""How each figure is counted, as the page and the printed form say it."""


def duration(span: timedelta) -> str:
    """Hours and minutes, rounded, ``26 h 05``: days would hide whether they are business days."""
    seconds = round(span.total_seconds())
    if seconds < MINUTE:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / MINUTE), MINUTE)
    return f"{hours} h {minutes:02}" if hours else f"{minutes} min"


def stopwatch(span: timedelta) -> str:
    """Hours and minutes for narrow columns, rounded, ``26:05``."""
    hours, minutes = divmod(round(span.total_seconds() / MINUTE), MINUTE)
    return f"{hours}:{minutes:02}"


def percent(share: float | None) -> str:
    """``97.5 %``, rounded; 100 % only for every one and 0 % for none; a dash while nothing is decided."""
    if share is None:
        return NOTHING
    tenths = round(share * 1000)
    if tenths == 1000 and share < 1:  # noqa: PLR2004 - all of them
        tenths = 999
    if tenths == 0 and share > 0:
        tenths = 1
    return f"{tenths / 10:.1f} %"


def share(part: int, whole: int) -> str:
    """A part of a whole in percent; a dash for nothing of nothing."""
    return percent(part / whole if whole else None)


def person(name: str) -> str:
    """An agent's name, or the word for none."""
    return name or "nobody"


def why(codes: Iterable[str]) -> str:
    """The causes of a breach in a few words."""
    return ", ".join(SHORT_WHY.get(code, code) for code in codes)


def span(report: Report) -> str:
    """The period in the calendar's zone, the end exclusive."""
    since, until = (moment.astimezone(report.zone) for moment in (report.scope.since, report.scope.until))
    return f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}"


def more_or_less(points: float | None, unit: str) -> str:
    """``+1.2 points``: a difference with its sign, or "as before"."""
    if points is None:
        return ""
    rounded = round(points, 1)
    figure = f"{abs(rounded):g}{unit}"
    return "as before" if rounded == 0 else f"{'+' if rounded > 0 else MINUS}{figure}"
