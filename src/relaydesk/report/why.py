"""Why a deadline passed: the first cause that fits, by the events, and what stood beside it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from relaydesk.business_time import open_time_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from relaydesk.business_time import Calendar
    from relaydesk.report.runs import ClockRun

DAY, MOMENT = timedelta(days=1), timedelta(minutes=1)
LATE_SHARE = 3 / 4
"""What happens to a ticket after this share of its time came late."""


@dataclass(slots=True)
class AnswerCourse:
    """An answer of a person: when it was queued, left, and ended without leaving or came back."""

    queued: datetime
    by: str
    sent: datetime | None = None
    ended: datetime | None = None
    cancelled: bool = False
    returned: bool = False


class Course(Protocol):
    """A value that changes over time."""

    def at(self, moment: datetime) -> str: ...

    def changes(self, since: datetime, until: datetime) -> list[tuple[datetime, str]]: ...


@dataclass(frozen=True, slots=True)
class Lapse:
    """A clock whose deadline passed, and what is known of its ticket until then."""

    started: datetime
    due: datetime
    answered: bool
    agent: Course
    queue: Course
    closed: Course

    @property
    def late_from(self) -> datetime:
        return self.started + (self.due - self.started) * LATE_SHARE


def cause(lapse: Lapse, answers: Iterable[AnswerCourse]) -> str:
    """The code of the first cause that fits; see :data:`relaydesk.report.words.WHY`."""
    in_time = [
        answer for answer in answers if lapse.started <= answer.queued <= lapse.due and not answer.cancelled
    ]
    for code, fits in (
        (
            "came_back",
            any(answer.sent and answer.sent <= lapse.due and answer.returned for answer in in_time),
        ),
        ("not_sent", any(answer.ended and not answer.sent for answer in in_time)),
        ("waited_in_outbox", any(not answer.sent or answer.sent > lapse.due for answer in in_time)),
        ("was_closed", lapse.closed.at(lapse.due) == "closed"),
    ):
        if fits:
            return code
    return _by_hands(lapse)


def _by_hands(lapse: Lapse) -> str:
    """Through whose hands the ticket went."""
    agent = lapse.agent.at(lapse.due)
    if not agent:
        handed = any(name for _, name in lapse.agent.changes(lapse.started, lapse.due))
        return "given_back" if handed or lapse.agent.at(lapse.started) else "nobody"
    taken = [at for at, name in lapse.agent.changes(lapse.started, lapse.due) if name == agent]
    if taken and taken[-1] > lapse.late_from:
        return "handed_over" if lapse.agent.at(lapse.late_from) else "taken_late"
    if any(at > lapse.late_from for at, _ in lapse.queue.changes(lapse.started, lapse.due)):
        return "moved_late"
    return "answered_late" if lapse.answered else "unanswered"


def circumstances(run: ClockRun, calendar: Calendar) -> Iterator[str]:
    """What made it harder: the mail came on the eve of a holiday, or while nobody was on duty."""
    day = run.started.astimezone(calendar.zone).date()
    if calendar.closed_because(day + DAY) not in ("", "closed weekday"):
        yield "eve"
    if not open_time_between(run.started, run.started + MOMENT, calendar):
        yield "off_duty"
