"""The report: its page, the tickets behind each figure, and the files to take along."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from relaydesk.desk import DeskError
from relaydesk.report import title, view_of
from relaydesk.web.report_query import MOST_DAYS, presets, report_query
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.desk import Desk
    from relaydesk.report import ReportScope
    from relaydesk.web.pages import Pages
    from relaydesk.web.report_query import ReportQuery

router = APIRouter()
REFRESH = 2  # seconds until a page without a script asks again
PIECE = 64 * 1024
IN_MEMORY = 1_000_000  # bytes of a file; what is more waits on the disk
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.get("/report")
def report(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """The SLA report of a period."""
    query, scope = _asked(request, desk)
    standing = desk.reports.count(scope, by=visitor.by)
    pages: Pages = request.app.state.pages
    zone = desk.config.calendar.zone
    first, last = scope.days(zone)
    names: dict[str, Any] = {
        "query": query,
        "presets": presets(query, desk.clock(), zone),
        "first": query.first or first.isoformat(),
        "last": query.last or last.isoformat(),
        "queues": desk.config.queues,
        "agents": [agent.name for agent in desk.agents.everybody()],
        "counting": standing.counting,
        "report": standing.report,
        "view": view_of(standing.report) if standing.report else None,
        "base": f"report/tickets?{query.address()}{'&' if query.address() else ''}figure=",
    }
    headers = {"Refresh": str(REFRESH)} if standing.report is None else None
    return pages.page(request, visitor, "report.html", part="report", headers=headers, **names)


@router.get("/report/tickets")
def tickets(
    request: Request, desk: TheDesk, visitor: TheVisitor, figure: str, before: int | None = None
) -> Response:
    """The tickets that a figure counts, newest first."""
    query, scope = _asked(request, desk)
    counted = desk.reports.tickets(scope, figure, by=visitor.by, before=before)
    pages: Pages = request.app.state.pages
    return pages.page(
        request,
        visitor,
        "report_tickets.html",
        part="list",
        figure=figure,
        title=title(figure),
        query=query,
        counted=counted,
    )


@router.get("/report/export/{form}")
def export(
    request: Request, desk: TheDesk, visitor: TheVisitor, form: Literal["csv", "json", "xlsx"]
) -> Response:
    """The report as a file. It is written first and sent then, so that a slow reader holds up nothing."""
    query, scope = _asked(request, desk)
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    try:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        desk.reports.sla(scope, text, form, by=visitor.by, compare=True)
        text.detach()
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{_file_name(query, scope, desk)}.{form}"',
        "Content-Length": str(size),
    }
    return StreamingResponse(_pieces(file), media_type=TYPES[form], headers=headers)


def _pieces(file: tempfile.SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _file_name(query: ReportQuery, scope: ReportScope, desk: Desk) -> str:
    """``sla-2026-11`` or ``sla-2026-11-01-to-2026-11-15``."""
    if query.month:
        return f"sla-{query.month}"
    first, last = scope.days(desk.config.calendar.zone)
    return f"sla-{first}-to-{last}"


def _asked(request: Request, desk: Desk) -> tuple[ReportQuery, ReportScope]:
    """What the address asks for. DeskError where it names no period."""
    try:
        query = report_query(request.query_params)
        scope = desk.reports.scope(**query.scope)
        if (scope.until - scope.since).days > MOST_DAYS:
            raise ValueError(f"a page covers at most {MOST_DAYS} days; `relaydesk report sla` has no limit")
    except ValueError as error:
        raise DeskError(f"This is no period: {error}.") from None
    return query, scope
