"""How relaydesk itself is: the processes seen, what waits, and checks that are run beside a page."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import DeskPart
from relaydesk.desk.settings import StoredShopSettings
from relaydesk.logs import log_exception
from relaydesk.store import StoreError, audit, check_runs, processes_seen, state_of, stored_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from relaydesk.store import CheckRun, ProcessSeen

    Step = Callable[[], Iterable[Mapping[str, str]]]
    Checks = Callable[[Any], Sequence[Step]]

COMMANDS = {"doctor": "doctor", "allowlist": "allowlist audit"}  # what does the same at the command line
SILENT = timedelta(seconds=100)  # after which a process that said nothing is missed
ABANDONED = timedelta(minutes=5)  # after which a check that says nothing has ended with its process


@dataclass(frozen=True, slots=True)
class HealthNow:
    """What the store and its processes say at this moment. Sizes in bytes; times are aware UTC.

    ``settings_id`` is the newest stored setting, which every process should have taken.
    """

    processes: tuple[ProcessSeen, ...]
    settings_id: int
    last_mail: datetime | None
    waiting: Mapping[str, int]
    running_clocks: int
    unindexed: int
    size: int
    engine: str
    check: CheckRun | None
    settings: Any

    def alive(self, role: str, now: datetime) -> tuple[ProcessSeen, ...]:
        """The processes of a role that were heard of lately."""
        return tuple(seen for seen in self.processes if seen.role == role and now - seen.seen_at < SILENT)


class Health(DeskPart):
    """What admins see of the program itself."""

    def now(self, *, by: str) -> HealthNow:
        """As it is: cheap looks only; what asks the network is a check."""
        self.viewing("administration", by)
        book = StoredShopSettings(self.store, self.config, self.clock)
        with self.store.reading() as session:
            return HealthNow(
                processes=processes_seen.everyone(session),
                settings_id=stored_settings.mark(session)[0],
                last_mail=state_of.last_mail(session),
                waiting=state_of.undecided_answers(session),
                running_clocks=state_of.running_clocks(session),
                unindexed=state_of.unindexed(session),
                size=state_of.size(session),
                engine=session.connection().dialect.name,
                check=check_runs.latest(session, "doctor"),
                settings=book.book.settings(stored_settings.read(session).values),
            )

    def latest(self, what: str, *, by: str) -> CheckRun | None:
        """The newest run of a check; one whose process has died is over."""
        self.viewing("administration", by)
        with self.store.reading() as session:
            return check_runs.latest(session, what)

    def running(self, run: CheckRun | None) -> bool:
        """Whether it still goes on."""
        return run is not None and run.ended_at is None and self.clock() - run.seen_at < ABANDONED

    def begin(self, what: str, checks: Checks | None, *, by: str) -> threading.Thread:
        """Runs a check in a thread, step by step; ``checks`` gives its steps for the settings in force.

        What a step cannot find out it says; one that fails is noted as unchecked. DeskError while the same
        check runs, and where nothing can run it (None).
        """
        self.demanding("run_checks", by)
        if checks is None:
            raise DeskError(f"Only `relaydesk serve` can run this; use `relaydesk {COMMANDS[what]}` here.")
        with self.store.reading() as session:
            stored = stored_settings.read(session).values
        steps = checks(StoredShopSettings(self.store, self.config, self.clock).book.settings(stored))
        with self.acting("run_checks", by) as acting:
            if self.running(check_runs.latest(acting.session, what)):
                raise DeskError("This check is running already; its results come in below.")
            run = check_runs.begin(acting.session, what, actor=acting.actor, now=acting.now, total=len(steps))
            audit.append(acting.session, "check_run", actor=acting.actor, now=acting.now, check=what)
        thread = threading.Thread(target=self._run, args=(run, steps), name=f"check-{what}", daemon=True)
        thread.start()
        return thread

    def _run(self, run: int, steps: Sequence[Step]) -> None:
        findings: list[Mapping[str, str]] = []
        try:
            for number, step in enumerate(steps, 1):
                try:
                    findings += step()
                except Exception:  # a check that fails says so, and hides no other
                    log_exception("check_failed")
                    sentence = "This check failed by itself; the log of the office process says how."
                    findings.append({"check": "check", "level": "unchecked", "text": sentence})
                with self.store.turn() as session:
                    check_runs.progress(session, run, number, self.clock(), {"findings": findings})
            with self.store.turn() as session:
                check_runs.end(session, run, self.clock())
        except StoreError:
            log_exception("check_failed")
