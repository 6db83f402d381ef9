"""The calendar and the queues' targets: changed in a form, previewed before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.desk import DeskError, NotPermitted, SettingChanged
from relaydesk.web.admin import admin_page
from relaydesk.web.done import done
from relaydesk.web.forms import TheForm
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from relaydesk.desk import Desk, Visitor

router = APIRouter(prefix="/admin")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAMES = dict(zip(DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
DAY_SECONDS = 86_400
HOLIDAYS_SHOWN = 3
READINGS = ("elapsed", "end_of_day")
QUEUE_FIELDS = ("answer", "evidence", "reading", "warn_before", "tighter")


@dataclass(frozen=True, slots=True)
class DuePreview:
    """What a mail would be due, by queue: its target, the instant, and how that comes about."""

    queue: str
    target: str
    due: datetime
    explanation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WeekdayBar:
    """One weekday as a bar: (start, width) of each window in percent of a day, and the hours in words."""

    name: str
    windows: tuple[tuple[float, float], ...]
    words: str


@router.get("/calendar")
def calendar(
    request: Request, desk: TheDesk, visitor: TheVisitor, at: str = "", reading: str = ""
) -> Response:
    """The calendar in force, and what a mail of a moment would be due."""
    return _page(request, desk, visitor, "calendar", at=at, reading=reading)


@router.get("/queues")
def queues(request: Request, desk: TheDesk, visitor: TheVisitor, at: str = "", reading: str = "") -> Response:
    """The targets in force."""
    return _page(request, desk, visitor, "queues", at=at, reading=reading)


@router.post("/calendar")
def store_calendar(request: Request, desk: TheDesk, visitor: TheVisitor, form: TheForm) -> Response:
    """Looks at a change, or stores it."""
    return _take(request, desk, visitor, "calendar", form)


@router.post("/queues")
def store_queues(request: Request, desk: TheDesk, visitor: TheVisitor, form: TheForm) -> Response:
    """Looks at a change, or stores it."""
    return _take(request, desk, visitor, "queues", form)


@router.get("/calendar/moving")
def moving(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: Annotated[str, Query(pattern="^(calendar|queues)$")],
    value: str,
) -> Response:
    """Which running deadlines a change would move."""
    changed = desk.settings.with_change(name, value)
    would = desk.settings.would_move(changed, by=visitor.by)
    return admin_page(
        request, visitor, name, template="admin_moving.html", would=would, zone=_zone(desk, changed)
    )


def _take(request: Request, desk: Desk, visitor: Visitor, name: str, form: FormData) -> Response:
    values = calendar_of(form) if name == "calendar" else queues_of(form)
    text = desk.settings.book.written(values)
    at, reading = _field(form, "at"), _field(form, "reading")
    how: dict[str, Any] = {"at": at, "reading": reading, "values": values, "why": _field(form, "why")}
    try:
        changed = desk.settings.with_change(name, text)
        if _field(form, "act") != "store":
            return _page(request, desk, visitor, name, changed=changed, text=text, **how)
        version = int(_field(form, "version") or 0)
        desk.settings.store_value(name, text, version=version, by=visitor.by, why=how["why"])
    except NotPermitted:
        raise
    except DeskError as problem:
        newest = problem.newest if isinstance(problem, SettingChanged) else None
        return _page(request, desk, visitor, name, problem=str(problem), newest=newest, status=409, **how)
    sentence = (
        f"The {name} {'is' if name == 'calendar' else 'are'} stored; running deadlines are derived again."
    )
    return done(request, f"/admin/{name}", sentence, changed=["tickets", "counts"])


def _page(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    name: str,
    *,
    at: str = "",
    reading: str = "",
    changed: dict[str, str] | None = None,
    values: dict[str, Any] | None = None,
    text: str = "",
    why: str = "",
    problem: str = "",
    newest: object = None,
    status: int = 200,
) -> Response:
    settings = desk.settings
    editable = settings.editable(name, by=visitor.by)
    stored = changed if changed is not None else settings.stored().values
    plan = settings.book.plan(stored)
    zone = plan.calendar.zone
    received = _moment(at, zone) or desk.clock()
    reading = reading if reading in READINGS else ""
    shown = values if values is not None else settings.book.value(name, stored) or {}
    return admin_page(
        request,
        visitor,
        name,
        part="preview",
        editable=editable,
        values=shown,
        rows={**shown, "": {}} if name == "queues" else {},
        bars=[_bar(plan.calendar.week[number], NAMES[day]) for number, day in enumerate(DAYS)],
        holidays=_next_holidays(plan.calendar, received.astimezone(zone).date()),
        business_day=plan.calendar.business_day,
        calendar_zone=zone,
        received=received.astimezone(zone),
        reading=reading,
        preview=_previews(plan, received, reading),
        would=settings.would_move(changed, by=visitor.by) if changed is not None else None,
        changed_text=text,
        why=why,
        problem=problem,
        newest=newest,
        days=NAMES,
        status=status,
    )


def _previews(plan: Any, received: datetime, reading: str) -> list[DuePreview]:
    """By the same code as mail that comes: each queue, and each reason for contact with a tighter target."""
    previews = []
    for queue in plan.queues:
        for contact_reason in ("", *plan.with_reading(reading).queues[queue].tighter):
            name = f"{queue}, {contact_reason.replace('_', ' ')}" if contact_reason else queue
            clocks = plan.with_reading(reading)(queue, received, relay=True, contact_reason=contact_reason)
            previews += [
                DuePreview(
                    name,
                    clock.target if clock.clock != "evidence" else f"evidence, {clock.target}",
                    clock.due,
                    clock.explanation,
                )
                for clock in clocks
                if not (contact_reason and clock.clock == "evidence")
            ]
    return previews


def _next_holidays(calendar: Any, since: date) -> list[tuple[date, str]]:
    days = (since + timedelta(days=number) for number in range(400))
    closed = ((day, calendar.holidays.name(day)) for day in days)
    return [each for each in closed if each[1]][:HOLIDAYS_SHOWN]


def _bar(windows: Any, name: str) -> WeekdayBar:
    spans = tuple(
        (100 * window.start / DAY_SECONDS, 100 * (window.end - window.start) / DAY_SECONDS)
        for window in windows
    )
    hours = sum(window.end - window.start for window in windows) / 3600
    return WeekdayBar(name, spans, f"{hours:g} h" if windows else "closed")


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)


def _zone(desk: Desk, changed: dict[str, str]) -> ZoneInfo:
    return desk.settings.book.plan(changed).calendar.zone


def calendar_of(form: FormData) -> dict[str, Any]:
    """The calendar as a form gives it; an empty field is left out."""
    values: dict[str, Any] = {"zone": _field(form, "zone")}
    values["hours"] = {
        day: _list(_field(form, f"hours_{day}")) for day in DAYS if _field(form, f"hours_{day}")
    }
    holidays: dict[str, Any] = {"region": _field(form, "region")}
    holidays |= {"add": _list(_field(form, "add")), "remove": _list(_field(form, "remove"))}
    values["holidays"] = {key: value for key, value in holidays.items() if value}
    special = {}
    for line in _field(form, "special").splitlines():
        day, colon, hours = line.partition(":")
        if line.strip():
            special[day.strip()] = [] if hours.strip() in ("", "closed") or not colon else _list(hours)
    values["special"] = special
    values["business_day"] = _field(form, "business_day")
    return {key: value for key, value in values.items() if value}


def queues_of(form: FormData) -> dict[str, Any]:
    """The targets as a form gives them, queue by queue."""
    queues: dict[str, Any] = {}
    for index, name in enumerate(map(str, form.getlist("queue"))):
        if not name.strip():
            continue
        fields = {field: _nth(form, field, index) for field in QUEUE_FIELDS}
        queues[name.strip()] = {
            "answer": fields["answer"] or None,
            "evidence": fields["evidence"] or None,
            "reading": fields["reading"] or "elapsed",
            "warn_before": fields["warn_before"] or None,
            "tighter": _pairs(fields["tighter"]),
        }
    return queues


def _pairs(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return {name.strip().replace(" ", "_"): value.strip() for name, _, value in pairs}


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.replace("\n", ",").split(",") if item.strip()]


def _field(form: FormData, name: str) -> str:
    return str(form.get(name) or "").strip()


def _nth(form: FormData, name: str, index: int) -> str:
    written = form.getlist(name)
    return str(written[index]).strip() if index < len(written) else ""
