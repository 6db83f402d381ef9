"""``relaydesk ticket``: one ticket, and what people do with it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from relaydesk.cli.opening import ROW_ID, agent_of, as_option, desk_of, moment, settings
from relaydesk.cli.output import json_option, left, local, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from relaydesk.desk import Desk, WholeTicket
    from relaydesk.events import Event
    from relaydesk.store import DeadlineRow, OutboxRow

# What an event's data tells a person at the terminal; --json prints all of it.
SHOWN = ("agent", "to", "order", "ticket", "clock", "how", "why", "text", "taken")


@click.command()
@click.argument("ticket_id", metavar="ID", type=ROW_ID)
@click.option(
    "--answered-outside", "answered", callback=moment, metavar="AT", help="Answered elsewhere at AT."
)
@click.option("--handled", callback=moment, metavar="AT", help="Handled at AT; describe it with --how.")
@click.option("--how", help="What was done, with --handled.")
@click.option("--clock", type=click.Choice(["handling", "evidence"]), help="Which clock --handled stops.")
@click.option("--assign", metavar="AGENT", help="Assign it to an agent.")
@click.option("--unassign", is_flag=True, help="Remove the assignee.")
@click.option("--note", metavar="TEXT", help="Add an internal note.")
@click.option("--move", metavar="QUEUE", help="Move it to another queue.")
@click.option("--bind-order", metavar="ORDER", help="Bind an order of the directory to it.")
@click.option("--release-order", metavar="ORDER", help="Release an order from it.")
@click.option("--close", is_flag=True, help="Close it; running clocks count as undecided.")
@click.option("--reopen", is_flag=True, help="Reopen it; its clocks run on from their start.")
@click.option(
    "--original", metavar="MESSAGE", type=ROW_ID, help="Write a message's bytes exactly as received."
)
@as_option
@json_option
@click.pass_obj
def ticket(
    config: str | None, /, ticket_id: int, original: int | None, name: str | None, as_json: bool, **acts: Any
) -> None:
    """Show ticket ID, or work on it; AT is an ISO 8601 time with its zone, or now.

    Several actions may be given; they are done in the order of this list, and each is recorded.
    """
    _check(acts)
    conf = settings(config)
    desk = desk_of(conf)
    if original is not None:
        sys.stdout.buffer.write(desk.tickets.original(ticket_id, original))
        sys.stdout.buffer.flush()
        return
    has_acts = any(value not in (None, False) for value in acts.values())
    done = list(_work(desk, ticket_id, agent_of(conf, name), acts)) if has_acts else []
    if done and not as_json:
        click.echo("\n".join(done))
        return
    view = desk.tickets.view(ticket_id)
    if as_json:
        print_json(_as_json(view))
    else:
        _print(view, desk.config.calendar.zone, desk.clock())


def _check(acts: dict[str, Any]) -> None:
    if (acts["how"] or acts["clock"]) and not acts["handled"]:
        raise click.UsageError("--how and --clock go with --handled AT.")
    if acts["assign"] and acts["unassign"]:
        raise click.UsageError("Choose one of --assign and --unassign.")


def _work(desk: Desk, ticket_id: int, by: str, acts: dict[str, Any]) -> Iterator[str]:
    tickets, about = desk.tickets, f"Ticket {ticket_id}"
    if acts["answered"]:
        tickets.state_answered_elsewhere(ticket_id, at=acts["answered"], by=by)
        yield f"{about}: answered elsewhere, recorded."
    if acts["handled"]:
        tickets.state_handled(
            ticket_id, at=acts["handled"], how=acts["how"] or "", clock=acts["clock"], by=by
        )
        yield f"{about}: handled, recorded."
    if acts["assign"] or acts["unassign"]:
        tickets.assign(ticket_id, acts["assign"], by=by)
        yield f"{about}: assigned to {acts['assign'] or 'no one'}."
    if acts["note"] is not None:
        tickets.note(ticket_id, acts["note"], by=by)
        yield f"{about}: note added."
    if acts["move"]:
        tickets.move(ticket_id, acts["move"], by=by)
        yield f"{about}: moved to queue {acts['move']}."
    if acts["bind_order"]:
        tickets.bind_order(ticket_id, acts["bind_order"], by=by)
        yield f"{about}: order {acts['bind_order']} bound."
    if acts["release_order"]:
        tickets.release_order(ticket_id, acts["release_order"], by=by)
        yield f"{about}: order {acts['release_order']} released."
    if acts["close"]:
        tickets.close(ticket_id, by=by)
        yield f"{about}: closed."
    if acts["reopen"]:
        tickets.reopen(ticket_id, by=by)
        yield f"{about}: reopened."


def _as_json(view: WholeTicket) -> dict[str, Any]:
    return {
        **asdict(view.ticket),
        "clocks": [asdict(clock) for clock in view.clocks],
        "numbers": [asdict(number) for number in view.numbers],
        "links": [linked.id for linked in view.linked],
        "messages": [{**asdict(message.row), "text": message.text} for message in view.messages],
        "events": [{"id": number, **_event(event)} for number, event in view.events],
        "answers": [asdict(answer) for answer in view.answers],
        "drafts": [asdict(draft) for draft in view.drafts],
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "ticket_id": event.ticket_id,
        "at": event.at,
        "what": event.what,
        "actor": event.actor,
        "data": event.data,
    }


def _print(view: WholeTicket, zone: ZoneInfo, now: datetime) -> None:
    row = view.ticket
    state = row.state + (", escalated" if row.escalated else "") + ("" if row.verified else ", UNVERIFIED")
    click.echo(
        f"Ticket {row.id}  {row.kind} in queue {row.queue}, {state}, assigned to {row.assignee or 'no one'}"
    )
    click.echo(f"  {row.subject}")
    click.echo(f"  from {row.username or row.sender}, answer to {row.relay_address or '(no relay address)'}")
    for number in view.numbers:
        click.echo(f"  {number.what} {number.value}: {number.how.replace('_', ' ')} {number.label}".rstrip())
    if view.linked:
        click.echo(f"  see also tickets {', '.join(str(linked.id) for linked in view.linked)}")
    for clock in view.clocks:
        _print_clock(clock, zone, now)
    _print_messages(view, zone)
    for place, event in view.events:
        shown = (event.data[key] for key in SHOWN if event.data.get(key))
        facts = ", ".join("; ".join(fact) if isinstance(fact, list) else str(fact) for fact in shown)
        line = f"{event.what} by {event.actor}" + (f": {facts}" if facts else "")
        click.echo(f"  {place:>6}  {local(event.at, zone)}  {line}")
    for answer in view.answers:
        _print_answer(answer, zone)
    for draft in view.drafts:
        click.echo(f"  draft of {draft.author}: {len(draft.text)} characters")
    click.echo(f"  latest event: {view.events[-1][0]}")


def _print_clock(clock: DeadlineRow, zone: ZoneInfo, now: datetime) -> None:
    if clock.stopped_at:
        state = f"stopped {local(clock.stopped_at, zone)} ({clock.stopped_how})"
    else:
        state = "undecided" if clock.undecided_at else left(clock.due_at, now)
    click.echo(f"  {clock.clock} clock {clock.round}: due {local(clock.due_at, zone)}, {state}")
    for line in clock.explanation:
        click.echo(f"      {line}")


def _print_messages(view: WholeTicket, zone: ZoneInfo) -> None:
    for message in view.messages:
        row = message.row
        click.echo(f"  message {row.id}, {local(row.received_at, zone)}, {row.size} bytes")
        for why in row.reasons:
            click.echo(f"      {why.code}: {why.text}")
        for part in row.attachments:
            click.echo(f"      attachment {part.name or '(no name)'}, {part.sniffed_type}, {part.size} bytes")


def _print_answer(answer: OutboxRow, zone: ZoneInfo) -> None:
    state = f"{answer.state} {local(answer.sent_at, zone)}" if answer.sent_at else answer.state
    about = f"about order {answer.order_id}" if answer.order_id else "about no order"
    click.echo(
        f"  {answer.purpose} {answer.id} by {answer.author} to message {answer.message_id}, {about}: {state}"
    )
    if answer.last_text and answer.state != "sent":
        click.echo(f"      last reply of the next hop: {answer.last_text}")
