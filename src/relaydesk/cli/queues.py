"""``relaydesk queue``: the queues, and the tickets in them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from relaydesk.cli.opening import desk_of, settings
from relaydesk.cli.output import json_option, left, local, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.desk import Desk
    from relaydesk.store import TicketOrder, TicketRow

MOST = 1000


@click.command()
@click.argument("name", required=False)
@click.option("--agent", help="Only the tickets of this agent.")
@click.option("--needs-look", is_flag=True, help="Only the tickets that a person must look at.")
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True)
@json_option
@click.pass_obj
def queue(
    config: str | None, /, name: str | None, *, agent: str | None, needs_look: bool, limit: int, as_json: bool
) -> None:
    """Show the queues, or the open tickets of queue NAME (or "all") by deadline."""
    from relaydesk.desk import TicketFilter

    desk = desk_of(settings(config))
    if name is None and agent is None and not needs_look:
        _counts(desk, as_json=as_json)
        return
    title = f"Queue {name or 'all'}"
    narrowed = TicketFilter(
        queue=None if name == "all" else name, assignee=agent, needs_look=needs_look or None
    )
    page = desk.queues.page(narrowed, limit=limit)
    if as_json:
        print_json([_row(ticket, page.numbers) for ticket in page.tickets])
        return
    now, zone = desk.clock(), desk.config.calendar.zone
    rows = [
        (
            ticket.id,
            left(ticket.next_due, now),
            local(ticket.next_due, zone),
            ticket.kind + (" escalated" if ticket.escalated else ""),
            ", ".join(_orders(ticket.id, page.numbers)) or "-",
            ticket.username or ticket.sender,
            ticket.assignee or "-",
            "proven" if ticket.verified else "unverified",
            (ticket.needs_look or "-").replace("_", " "),
        )
        for ticket in page.tickets
    ]
    columns = ("ticket", "left", "due", "kind", "order", "from", "agent", "mail", "look at")
    print_table(title, columns, rows, f"{title} is empty.")
    if page.after is not None:
        click.echo(f"There are more tickets; use --limit {min(MOST, limit * 4)}.")


def _counts(desk: Desk, *, as_json: bool) -> None:
    counts, now, zone = desk.queues.counts(), desk.clock(), desk.config.calendar.zone
    if as_json:
        print_json([asdict(count) for count in counts])
        return
    print_table(
        "Queues",
        ("queue", "open", "due today", "breached", "to look at", "next due", "left"),
        [
            (
                count.queue,
                count.open,
                count.due_today,
                count.overdue,
                count.needs_look,
                local(count.next_due, zone),
                left(count.next_due, now) if count.next_due else "-",
            )
            for count in counts
        ],
        "There are no queues.",
    )


def _orders(ticket_id: int, numbers: Sequence[TicketOrder]) -> list[str]:
    mark = {"bound": "", "not_found": "?"}
    return [
        number.value + mark[number.how]
        for number in numbers
        if number.ticket_id == ticket_id and number.what == "order" and number.how in mark
    ]


def _row(ticket: TicketRow, numbers: Sequence[TicketOrder]) -> dict[str, Any]:
    named = [asdict(number) for number in numbers if number.ticket_id == ticket.id]
    return {**asdict(ticket), "numbers": named}
