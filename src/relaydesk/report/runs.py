"""What the report counts: the runs of clocks and the marks of tickets, as values.

What the stamp of a sweep says does not matter here: a clock is met when a human stopped it at its deadline
or before, breached when the deadline passed first, even if the ticket was closed later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.events import ClockName, Kind, StoppedHow

RunOutcome = Literal["met", "breached", "running", "undecided"]
Marked = Literal["escalated", "unverified", "breach_withdrawn", "sent", "handled", "closed", "bounced"]


@dataclass(frozen=True, slots=True)
class ClockRun:
    """One round of one clock of one ticket; times are aware UTC.

    ``queue`` is where the ticket was when the clock was met or fell due (or is now). ``agent`` is who
    met it; for a breach who had the ticket at the deadline; else who has it now; "" for none.
    ``ended`` is when it stopped, was withdrawn after its breach, or the ticket was closed over it; None while
    it is open, breached or not.
    ``how`` is the way it was stopped, "" if it was not. ``cause`` says why it breached, "" if it did not.
    """

    ticket: int
    kind: Kind
    queue: str
    agent: str
    clock: ClockName
    round: int
    reading: str
    target: str
    started: datetime
    due: datetime
    ended: datetime | None
    how: StoppedHow | Literal[""]
    outcome: RunOutcome
    cause: str = ""

    @property
    def open(self) -> bool:
        return self.ended is None

    @property
    def stopped(self) -> datetime | None:
        """When a human answered or handled it, in time or late."""
        return self.ended if self.how else None


@dataclass(frozen=True, slots=True)
class RunMark:
    """Something else that happened to a ticket and is counted, with the queue it was in then.

    ``agent`` is who had it, or of ``sent``, ``handled``, ``closed`` and ``bounced`` who did or wrote it.
    ``ref`` of an ``escalated`` one is the claim's ticket, of an ``unverified`` one the reason's code, of a
    ``bounced`` one ``hard``, ``soft`` or ``unclear``.
    """

    ticket: int
    at: datetime
    what: Marked
    ref: str
    queue: str
    agent: str


@dataclass(frozen=True, slots=True)
class History:
    """What the report needs of one ticket."""

    ticket: int
    kind: Kind
    runs: tuple[ClockRun, ...]
    marks: tuple[RunMark, ...]
