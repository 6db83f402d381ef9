"""Health: what each part of the program says of itself, and the checks that ask the network."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.web.admin import admin_page
from relaydesk.web.done import done
from relaydesk.web.visitors import TheDesk, TheVisitor
from relaydesk.web.wording import ago, bytes_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.desk import HealthNow

router = APIRouter(prefix="/admin")
HealthState = Literal["ok", "soon", "over", "none", "idle"]
LATE_SWEEP = timedelta(minutes=2)
MANY = 1000  # texts that wait for the index, from which on it is behind
LEVELS: dict[str, HealthState] = {"ok": "ok", "warn": "soon", "fail": "over", "unchecked": "idle"}


@dataclass(frozen=True, slots=True)
class HealthLine:
    """One thing that can be well or not; ``what`` and ``detail`` are words."""

    name: str
    state: HealthState
    what: str
    detail: str = ""


@router.get("/health")
def health(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """How it is now."""
    state, now = desk.health.now(by=visitor.by), desk.clock()
    lines = [*lines_of(state, now), *_checked(state, running=desk.health.running(state.check))]
    return admin_page(
        request,
        visitor,
        "health",
        part="health",
        lines=lines,
        needing=sum(line.state in ("soon", "over") for line in lines),
        state=state,
        run=state.check,
        running=desk.health.running(state.check),
    )


@router.post("/health/check")
def check(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """Runs the checks of ``relaydesk doctor`` beside the page."""
    desk.health.begin("doctor", request.app.state.checks.get("doctor"), by=visitor.by)
    return done(request, "/admin/health", "The checks have begun; what they find comes in below.")


def lines_of(state: HealthNow, now: datetime) -> Iterator[HealthLine]:
    """What is known without asking anybody outside."""
    listeners, offices = state.alive("listener", now), state.alive("office", now)
    ports = dict.fromkeys(port for seen in listeners for port in seen.facts.get("listens", ()))
    last = f"the last mail came {ago(state.last_mail, now)}" if state.last_mail else "no mail has come yet"
    if listeners:
        yield HealthLine("Mail in", "ok", f"{_count(len(listeners), 'listener')} on {', '.join(ports)}", last)
    else:
        yield HealthLine("Mail in", "over", "no listener was seen lately", f"{last}; start `relaydesk serve`")
    waiting = sum(state.waiting.values())
    deferred = state.waiting.get("deferred", 0)
    hop = state.settings.next_hop or "the mail hosts of each domain"
    yield HealthLine(
        "Mail out",
        "soon" if deferred else "ok" if offices else "over",
        f"next hop {hop}" if offices else "no office process was seen lately",
        f"{_count(waiting, 'answer')} wait, {deferred} deferred",
    )
    yield _clocks(state, offices, now)
    yield _store(state)
    behind = state.unindexed >= MANY
    yield HealthLine(
        "Search",
        "soon" if behind else "ok",
        "the index is behind" if behind else "up to date",
        f"{state.unindexed} texts wait",
    )
    yield from _processes(state, now)
    yield HealthLine("Last backup", "none", "not known", "relaydesk makes none by itself")


def _clocks(state: HealthNow, offices: Any, now: datetime) -> HealthLine:
    swept = max((seen.facts.get("swept_at", "") for seen in offices), default="")
    running = f"{state.running_clocks} running"
    if not swept:
        return HealthLine("Clocks", "over" if not offices else "idle", "no sweep was seen yet", running)
    at = datetime.fromisoformat(swept)
    return HealthLine("Clocks", "over" if now - at > LATE_SWEEP else "ok", f"swept {ago(at, now)}", running)


def _store(state: HealthNow) -> HealthLine:
    size = bytes_in_words(state.size)
    if state.engine != "sqlite":
        return HealthLine(
            "Store", "ok", f"PostgreSQL, {size}", "its free space is the database host's to watch"
        )
    path = Path(state.settings.database.partition("///")[2].partition("?")[0] or ".")
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError:
        return HealthLine("Store", "idle", f"SQLite, {size}", "the free space could not be read")
    scarce = free < max(2 * state.size, 1 << 30)
    return HealthLine(
        "Store",
        "soon" if scarce else "ok",
        f"SQLite, {size}, {bytes_in_words(free)} free",
        "writes reach the disk before the 250",
    )


def _processes(state: HealthNow, now: datetime) -> Iterator[HealthLine]:
    alive = [seen for role in ("listener", "office") for seen in state.alive(role, now)]
    silent = [seen for seen in state.processes if seen not in alive]
    if silent:
        names = ", ".join(f"{seen.role} {seen.pid} on {seen.host}" for seen in silent[:3])
        text = f"{names}: last seen {ago(max(seen.seen_at for seen in silent), now)}"
        yield HealthLine(
            "Processes", "soon", f"{_count(len(silent), 'process', 'processes')} went silent", text
        )
    stuck = next((seen for seen in alive if seen.problem), None)
    late = [seen for seen in alive if seen.settings_id != state.settings_id]
    if stuck is not None:
        yield HealthLine("Settings", "over", "a change is not in force", stuck.problem.partition("\n")[0])
    elif late:
        yield HealthLine(
            "Settings", "soon", f"{len(late)} of {len(alive)} processes have not taken the newest yet"
        )
    elif alive:
        yield HealthLine("Settings", "ok", f"in force in {_count(len(alive), 'process', 'processes')}")
    lost = sum(int(seen.facts.get("lines_lost", 0)) for seen in alive)
    if lost:
        text = "nobody reads the log, or it cannot be written"
        yield HealthLine("Log", "soon", f"{_count(lost, 'line')} lost", text)


def _checked(state: HealthNow, *, running: bool) -> Iterator[HealthLine]:
    """What the newest run of the checks found; what it could not find out is not called well."""
    run = state.check
    if run is None:
        text = "DNS, certificate and signing key are looked at by Check now"
        yield HealthLine("Checks", "idle", "not run yet", text)
        return
    for finding in run.result.get("findings", ()):
        level = LEVELS.get(finding["level"], "idle")
        words = {"ok": "well", "soon": "look at it", "over": "not well", "idle": "not checked"}
        yield HealthLine(finding["check"].capitalize(), level, words[level], finding["text"])
    if run.ended_at is None and not running:
        yield HealthLine("Checks", "idle", "did not end", "the process that ran them has ended; check again")


def _count(number: int, singular: str, many: str = "") -> str:
    return f"{number} {singular if number == 1 else many or singular + 's'}"
