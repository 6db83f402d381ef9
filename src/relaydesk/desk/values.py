"""Tickets and messages as plain values for JSON: one form for the command line and the API.

Times stay ``datetime``; who writes the JSON makes ISO 8601 of them.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from relaydesk.desk.answers import Queued
    from relaydesk.desk.ticket_view import ReadMessage, WholeTicket
    from relaydesk.events import Event
    from relaydesk.store import Page, TicketOrder, TicketRow


def page_values(page: Page) -> Iterator[dict[str, Any]]:
    """Each ticket of a page with its numbers."""
    for ticket in page.tickets:
        yield row_value(ticket, page.numbers)


def row_value(ticket: TicketRow, numbers: Iterable[TicketOrder]) -> dict[str, Any]:
    """One line of a list."""
    return {
        **asdict(ticket),
        "numbers": [asdict(number) for number in numbers if number.ticket_id == ticket.id],
    }


def ticket_value(view: WholeTicket) -> dict[str, Any]:
    """A whole ticket."""
    return {
        **asdict(view.ticket),
        "clocks": [asdict(clock) for clock in view.clocks],
        "numbers": [asdict(number) for number in view.numbers],
        "links": [linked.id for linked in view.linked],
        "messages": [message_value(message) for message in view.messages],
        "events": [{"id": number, **event_value(event)} for number, event in view.events],
        "answers": [{**asdict(answer.row), "text": answer.text} for answer in view.answers],
        "drafts": [asdict(draft) for draft in view.drafts],
    }


def message_value(message: ReadMessage) -> dict[str, Any]:
    """A message as a person reads it."""
    files = message.attachments if message.was_read else message.row.attachments
    return {
        **asdict(message.row),
        "attachments": [{"number": place, **asdict(part)} for place, part in enumerate(files, 1)],
        "text": message.text,
        "quoted": message.quoted,
        "defects": list(message.defects),
    }


def event_value(event: Event) -> dict[str, Any]:
    """One event; ``data`` is its payload."""
    return {
        "ticket_id": event.ticket_id,
        "at": event.at,
        "what": event.what,
        "actor": event.actor,
        "data": event.data,
    }


def queued_value(ticket_id: int, queued: Queued, *, dry_run: bool) -> dict[str, Any]:
    """An answer that was laid in the outbox; its bytes only where it was not (``dry_run``)."""
    facts = {name: value for name, value in asdict(queued).items() if name != "raw"}
    raw = {"raw": queued.raw.decode("utf-8", "replace")} if dry_run else {}
    return {"ticket": ticket_id, **facts, **raw, "dry_run": dry_run}
