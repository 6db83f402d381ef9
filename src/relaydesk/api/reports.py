"""The SLA report: its figures, as one file of each form, and the tickets behind a figure."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from relaydesk.api.callers import Reader, TheDesk
from relaydesk.api.once import OnceRoute

router = APIRouter(route_class=OnceRoute, tags=["report"])
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Text = Annotated[str, Query(max_length=100)]


def period_of(  # the ways to name a period
    since: Text = "",
    until: Text = "",
    month: Annotated[str, Query(max_length=20, description="such as 2026-11")] = "",
    last_week: Annotated[bool, Query(description="the last whole week")] = False,
    queue: Annotated[str | None, Query(max_length=100)] = None,
    agent: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """The period as the desk takes it."""
    period = {"since": since, "until": until, "of_month": month, "last_whole_week": last_week}
    return {**period, "queue": queue, "agent": agent}


Period = Annotated[dict[str, Any], Depends(period_of)]


def _scope(desk: TheDesk, period: dict[str, Any]) -> Any:
    try:
        return desk.reports.scope(**period)
    except (ValueError, OverflowError) as error:
        wrong = {"loc": ("query", "since"), "msg": str(error), "type": "value_error"}
        raise RequestValidationError([wrong]) from None


@router.get(
    "/report/sla",
    response_class=Response,
    responses={200: {"content": {name: {} for name in TYPES.values()}}},
)
def report(
    desk: TheDesk,
    caller: Reader,
    period: Period,
    form: Annotated[Literal["json", "csv", "xlsx"], Query(alias="format")] = "json",
    compare: Annotated[bool, Query(description="with the period before")] = False,
) -> Response:
    """The SLA report, the same figures as ``relaydesk report sla``; that it was taken goes on record."""
    scope = _scope(desk, period)
    file = io.BytesIO()
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    desk.reports.sla(scope, text, form, by=caller.by, compare=compare)
    text.detach()
    return Response(file.getvalue(), media_type=TYPES[form])


@router.get("/report/tickets")
def report_tickets(
    desk: TheDesk,
    caller: Reader,
    period: Period,
    figure: Annotated[str, Query(max_length=200, description="the name of a figure")],
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="the cursor")] = None,
) -> dict[str, Any]:
    """The tickets that a figure counts, newest first. ``cursor`` leads to the page after, as ``before``."""
    page = desk.reports.tickets(_scope(desk, period), figure, by=caller.by, before=before)
    return {"tickets": [asdict(row) for row in page.tickets], "cursor": page.before}
