"""Reports that were counted, kept for who asks next.

Counting reads every event of a period, which for a busy shop takes seconds. So it is done apart, in one
thread, one report after the other, over a reading transaction that holds nobody up; who asks waits a moment
and is then told that it is being counted, or gets the last one with the time it is of. A report is as good as
new while no event has come since, for a while; and however many come, no more than a twentieth of the time
goes into counting the same report.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.desk.config import DeskError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from relaydesk.report import Report, ReportScope

KEPT = 6  # reports
MOST_WAITING = 12  # that are still to be counted
OLDEST = timedelta(minutes=5)  # refusals and ageing change without an event
SHARE = 20
PATIENCE = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class CountedReport:
    """A report, None while its first counting goes on; ``counting``: a newer one is under way."""

    report: Report | None
    counting: bool


@dataclass(slots=True)
class _Kept:
    report: Report
    newest: int
    cost: float
    counted_at: float

    def good(self, newest: int, now: datetime) -> bool:
        if abs(now - self.report.made_at) > OLDEST:
            return False
        return newest == self.newest or time.monotonic() - self.counted_at < SHARE * self.cost


@dataclass(slots=True)
class _Job:
    over: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None


class ReportCounts:
    """``count`` counts a report, ``newest`` is the number of the latest event; both may be called by any
    thread. ``clock`` gives aware UTC."""

    def __init__(
        self,
        count: Callable[[ReportScope], Report],
        newest: Callable[[], int],
        clock: Callable[[], datetime],
    ) -> None:
        self._count, self._newest, self._clock = count, newest, clock
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._jobs: dict[Hashable, _Job] = {}
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def get(self, key: Hashable, scope: ReportScope, *, patience: float | None = None) -> CountedReport:
        """The report of ``scope``, which ``key`` stands for; waits at most ``patience`` seconds for it, by
        default :data:`PATIENCE`.

        Raises what counting it raised, and DeskError when too many others wait.
        """
        newest, now = self._newest(), self._clock()
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.good(newest, now):
                self._kept.move_to_end(key)
                return CountedReport(kept.report, counting=False)
            job = self._jobs.get(key) or self._start(key, scope)
        over = job.over.wait(PATIENCE if patience is None else patience)
        if job.failure is not None:
            raise job.failure
        with self._lock:
            kept = self._kept.get(key)
        return CountedReport(kept.report if kept else None, counting=not over)

    def _start(self, key: Hashable, scope: ReportScope) -> _Job:
        if len(self._jobs) >= MOST_WAITING:
            raise DeskError("Many reports are being counted just now; try again in a minute.")
        job = self._jobs[key] = _Job()
        threading.Thread(target=self._work, args=(key, scope, job), name="report", daemon=True).start()
        return job

    def _work(self, key: Hashable, scope: ReportScope, job: _Job) -> None:
        try:
            with self._turn:
                newest, begun = self._newest(), time.monotonic()
                report = self._count(scope)
                ended = time.monotonic()
            with self._lock:
                self._kept[key] = _Kept(report, newest, ended - begun, ended)
                self._kept.move_to_end(key)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        except BaseException as failure:
            job.failure = failure
        finally:
            with self._lock:
                del self._jobs[key]
            job.over.set()
