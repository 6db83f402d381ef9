"""One ticket: the page with head, thread, composer and panel, and each of its parts by the same address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from relaydesk.desk import UnknownTicket
from relaydesk.web.composing import composer_of, evidence_items
from relaydesk.web.deadline_sheet import clock_name, current_clock, sheet_of, state_of
from relaydesk.web.event_lines import line_of
from relaydesk.web.evidence import evidence_of
from relaydesk.web.sheets import whole_acts
from relaydesk.web.thread import MailEntry, entries_of, event_reader, mail_entry, sender_name
from relaydesk.web.trail import came_from, strip_of
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk, OpenedTicket, Visitor
    from relaydesk.store import MessageRow
    from relaydesk.web.pages import Pages

router = APIRouter()
PARTS = ("head", "thread", "panel", "order", "clocks", "evidence", "others", "history", "composer", "earlier")
HISTORY, WHOLE_HISTORY = 12, 200
MOST_ID = 1 << 62
_ID = re.compile(r"#([\w-]+)$")
FRAME_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)

MessageNumber = Annotated[int, Query(ge=1, le=MOST_ID)]
Show = Literal["text", "original", "headers", "html"]


@router.get("/tickets/{ticket_id}")
def ticket_page(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    ticket_id: int,
    before: MessageNumber | None = None,
    since: MessageNumber | None = None,
    evidence: MessageNumber | None = None,
) -> HTMLResponse:
    """A ticket, or the part of its page that htmx names as its target.

    ``before`` shows the messages older than that one, ``since`` all from that one on; ``evidence`` is of this
    message instead of the latest.
    """
    demand_number(ticket_id)
    pages: Pages = request.app.state.pages
    ticket = desk.threads.open(ticket_id, before=before, since=since or 0)
    context = ticket_context(request, desk, visitor, ticket, evidence)
    return pages.page(
        request, visitor, "ticket.html", part=wanted_part(request), before=before, ticket=ticket, **context
    )


@router.get("/tickets/{ticket_id}/messages/{message_id}")
def message_page(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, message_id: int, show: Show = "text"
) -> HTMLResponse:
    """One message: as in the thread, whole and unfolded, with its headers, or as its sender's HTML."""
    demand_number(ticket_id, message_id)
    pages: Pages = request.app.state.pages
    message = desk.threads.message(ticket_id, message_id)
    fields = desk.threads.headers(ticket_id, message_id) if show == "headers" else ()
    page = mail_html(desk, ticket_id, message_id) if show == "html" else None
    return pages.page(
        request,
        visitor,
        "message.html",
        part="message",
        ticket_id=ticket_id,
        entry=mail_entry(message, opened=True, whole=show in ("original", "html")),
        show=show,
        fields=fields,
        mail=page,
    )


@router.get("/tickets/{ticket_id}/messages/{message_id}/frame")
def message_frame(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, message_id: int
) -> HTMLResponse:
    """A message's HTML alone, for a frame in which nothing runs and that asks for nothing outside."""
    demand_number(ticket_id, message_id)
    pages: Pages = request.app.state.pages
    response = pages.outside(request, "frame.html", mail=mail_html(desk, ticket_id, message_id))
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    return response


@router.get("/tickets/{ticket_id}/history")
def history_page(
    request: Request, desk: TheDesk, visitor: TheVisitor, ticket_id: int, before: MessageNumber | None = None
) -> HTMLResponse:
    """All events of a ticket, a page at a time."""
    demand_number(ticket_id)
    pages: Pages = request.app.state.pages
    ticket = desk.threads.open(ticket_id)
    events = desk.threads.history(ticket_id, WHOLE_HISTORY + 1, before=before)
    reader = event_reader(ticket, you=visitor.agent.name, now=desk.clock(), zone=visitor.zone)
    shown = events[:WHOLE_HISTORY]
    return pages.page(
        request,
        visitor,
        "history.html",
        part="whole",
        ticket=ticket,
        name=page_title(ticket),
        events=[(noted, line_of(noted.event, reader)) for noted in shown],
        older=shown[-1].number if len(events) > WHOLE_HISTORY else None,
    )


@router.get("/orders/find")
def find_order(
    request: Request, desk: TheDesk, visitor: TheVisitor, q: str = "", ticket: MessageNumber | None = None
) -> HTMLResponse:
    """The orders of a Facebook id, a seller's reference or a relay address, to look at or to bind."""
    pages: Pages = request.app.state.pages
    orders = desk.orders.find(q)[:20] if q.strip() else []
    return pages.page(
        request, visitor, "orders.html", part="orders", q=q[:320], orders=orders, ticket_id=ticket
    )


def ticket_context(
    request: Request, desk: Desk, visitor: Visitor, ticket: OpenedTicket, evidence: int | None = None
) -> dict[str, Any]:
    """What the templates of a ticket's page know beside the ticket itself."""
    now, zone = desk.clock(), visitor.zone
    reader = event_reader(ticket, you=visitor.agent.name, now=now, zone=zone)
    clock = current_clock(ticket.clocks)
    entries = entries_of(ticket, you=visitor.agent.name, now=now, zone=zone)
    row = _evidence_row(ticket, evidence)
    strip = strip_of(request, desk, visitor, ticket.ticket)
    history = desk.threads.history(ticket.ticket.id, HISTORY)
    numbers = [number for number in ticket.numbers if number.how != "released"]
    return {
        "entries": entries,
        "latest_mail": next((entry for entry in reversed(entries) if isinstance(entry, MailEntry)), None),
        "name": page_title(ticket),
        "deadline": sheet_of(clock, desk.config.calendar, now, zone) if clock else None,
        "clocks": [(clock_name(row), row, state_of(row, now, zone)) for row in sorted_clocks(ticket)],
        "evidence": evidence_of(row) if row is not None else None,
        "history": [(noted, line_of(noted.event, reader)) for noted in history],
        "bound": [number for number in numbers if number.how == "bound"],
        "candidates": [number for number in numbers if number.how != "bound"],
        "answerable": bool(ticket.ticket.relay_address),
        "evidence_list": desk.config.evidence_list if ticket.ticket.kind == "chargeback" else (),
        "composer": composer_of(desk, visitor, ticket),
        "templates": desk.templates.everything(),
        "asked": None,
        "opened": False,
        "items": evidence_items(
            desk.config.evidence_list if ticket.ticket.kind == "chargeback" else (),
            desk.evidence.of_ticket(ticket.ticket.id),
        ),
        **{name: value for name, value in whole_acts(desk, visitor, ticket).items() if name != "ticket"},
        "strip": strip,
        "current": ticket.ticket.id,
        "came_from": came_from(request),
        "first_shown": ticket.messages[0].row.id if ticket.messages else 0,
    }


def sorted_clocks(ticket: OpenedTicket) -> list[Any]:
    """Those that run first, then the latest."""
    return sorted(ticket.clocks, key=lambda clock: (not clock.running, -clock.started_at.timestamp()))


def page_title(ticket: OpenedTicket) -> str:
    """Whose ticket it is, or what it is about where no customer wrote."""
    row = ticket.ticket
    if not row.username and row.verified and row.kind in ("claim", "chargeback", "notice"):
        return row.kind.capitalize()
    return sender_name(row.username, row.sender, proven=row.verified)


def mail_html(desk: Desk, ticket_id: int, message_id: int) -> Any:
    """A message's HTML, with its own pictures from our files."""
    return desk.threads.page(ticket_id, message_id, f"/files/{ticket_id}/{message_id}/{{place}}/photo")


def demand_number(*numbers: int) -> None:
    """UnknownTicket for what can be no number of a row."""
    for number in numbers:
        if not 1 <= number <= MOST_ID:
            raise UnknownTicket(f"There is no ticket or message {number}.")


def wanted_part(request: Request) -> str:
    """The block that the target of htmx asks for; the head with all that changes for any other."""
    target = _ID.search(request.headers.get("hx-target", ""))
    part = target[1] if target and target[1] in PARTS else "head"
    return "live" if part == "head" else part


def _evidence_row(ticket: OpenedTicket, wanted: int | None) -> MessageRow | None:
    rows = [message.row for message in ticket.messages]
    named = next((row for row in rows if row.id == wanted), None)
    mails = [row for row in rows if row.kind != "bounce" and row.duplicate_of is None]
    return named or next(reversed(mails or rows), None)
