"""Commands for the people at the desk: queues, tickets, agents."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import click

from relaydesk import desk
from relaydesk.cli.options import ROW_ID, moment, person
from relaydesk.cli.output import json_option, print_json, print_table
from relaydesk.config import parts
from relaydesk.desk import DeskError
from relaydesk.server import open_store, utc_now
from relaydesk.store import drafts, outbox, tickets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from relaydesk.config import Settings
    from relaydesk.events import Event
    from relaydesk.store import OutboxRow, Store, TicketOrder, TicketRow, TicketView


# What an event's data tells a person at the terminal; --json prints all of it.
TOLD = ("agent", "to", "order", "ticket", "clock", "how", "why", "text")


@click.command()
@click.argument("name", required=False)
@click.option("--agent", help="Only the tickets of this agent.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@click.pass_obj
def queue(config: str | None, name: str | None, agent: str | None, limit: int, as_json: bool) -> None:
    """Show the queues, or the open tickets of queue NAME (or "all") by deadline."""
    conf = parts.settings(config)
    store, now, zone = open_store(conf), utc_now(), parts.calendar(conf).zone
    if name is None and agent is None:
        _counts(store, conf, now, zone, as_json=as_json)
        return
    if name not in (None, "all", *conf.all_queues):
        raise click.BadParameter(f"there is no queue {name}; there are {', '.join(conf.all_queues)}")
    wanted = None if name == "all" else name
    with store.reading() as session:
        page = tickets.page(session, wanted, assignee=agent, limit=limit)
    if as_json:
        print_json([_row(ticket, page.numbers) for ticket in page.tickets])
        return
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
        )
        for ticket in page.tickets
    ]
    columns = ("ticket", "left", "due", "kind", "order", "from", "agent", "mail")
    print_table(f"Queue {name or 'all'}", columns, rows, f"Queue {name or 'all'} is empty.")
    if page.after is not None:
        click.echo(f"There are more; see them with --limit {min(1000, limit * 4)}.")


def _counts(store: Store, conf: Settings, now: datetime, zone: ZoneInfo, *, as_json: bool) -> None:
    midnight = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)
    with store.reading() as session:
        found = {count.queue: count for count in tickets.counts(session, now, midnight)}
        first = {name: tickets.page(session, name, limit=1).tickets for name in found}
    rows = []
    for name in dict.fromkeys([*conf.all_queues, *found]):
        count = found.get(name, tickets.QueueCount(name, 0, 0, 0))
        due = first[name][0].next_due if first.get(name) else None
        rows.append((count, due))
    if as_json:
        print_json([{**asdict(count), "next_due": due} for count, due in rows])
        return
    print_table(
        "Queues",
        ("queue", "open", "due today", "breached", "next due", "left"),
        [
            (c.queue, c.open, c.due_today, c.overdue, local(due, zone), left(due, now) if due else "-")
            for c, due in rows
        ],
        "There are no queues.",
    )


def left(due: datetime | None, now: datetime) -> str:
    """What is left until a deadline, at a fixed width: ``1 d 04:20``, ``-0 d 02:05`` once it passed."""
    if due is None:
        return "no clock"
    minutes = int(abs(due - now).total_seconds()) // 60
    return f"{'-' if due < now else ''}{minutes // 1440} d {minutes // 60 % 24:02}:{minutes % 60:02}"


def local(instant: datetime | None, zone: ZoneInfo) -> str:
    """An instant in the desk's zone, with the zone's short name."""
    return instant.astimezone(zone).strftime("%a %d %b %H:%M %Z") if instant is not None else "-"


def _orders(ticket_id: int, numbers: Sequence[TicketOrder]) -> list[str]:
    mark = {"bound": "", "not_found": "?"}
    return [
        n.value + mark[n.how]
        for n in numbers
        if n.ticket_id == ticket_id and n.what == "order" and n.how in mark
    ]


def _row(ticket: TicketRow, numbers: Sequence[TicketOrder]) -> dict[str, Any]:
    named = [asdict(n) for n in numbers if n.ticket_id == ticket.id]
    return {**asdict(ticket), "numbers": named}


@click.command()
@click.argument("ticket_id", metavar="ID", type=ROW_ID)
@click.option(
    "--answered-outside", "answered", callback=moment, metavar="AT", help="Answered elsewhere at AT."
)
@click.option("--handled", callback=moment, metavar="AT", help="Handled at AT; say how with --how.")
@click.option("--how", help="What was done, with --handled.")
@click.option("--clock", type=click.Choice(["handling", "evidence"]), help="Which clock --handled stops.")
@click.option("--assign", metavar="AGENT", help="Give it to an agent.")
@click.option("--unassign", is_flag=True, help="Give it to nobody.")
@click.option("--note", metavar="TEXT", help="Add an internal note.")
@click.option("--move", metavar="QUEUE", help="Move it to another queue.")
@click.option("--bind-order", metavar="ORDER", help="Tie it to an order of the directory.")
@click.option("--release-order", metavar="ORDER", help="Untie it from an order.")
@click.option("--close", is_flag=True, help="Close it; clocks that still run count as undecided.")
@click.option("--reopen", is_flag=True, help="Open it again; its clocks run on from their start.")
@click.option(
    "--original", metavar="MESSAGE", type=ROW_ID, help="Write a message's bytes exactly as received."
)
@click.option("--as", "name", metavar="AGENT", help="Who does it (default: the login name).")
@json_option
@click.pass_obj
def ticket(
    config: str | None, /, ticket_id: int, original: int | None, name: str | None, as_json: bool, **acts: Any
) -> None:
    """Show ticket ID, or work on it; AT is an ISO 8601 time with its zone, or now.

    Several acts may be given; they are done in the order of this list, each on record.
    """
    conf = parts.settings(config)
    store = open_store(conf)
    if original is not None:
        _write_original(store, ticket_id, original)
        return
    told = list(_work(store, conf, ticket_id, f"agent:{name or person()}", acts))
    with store.reading() as session:
        view = tickets.view(session, ticket_id)
        answers = outbox.of_ticket(session, ticket_id)
        kept = drafts.of_ticket(session, ticket_id)
    if view is None:
        raise DeskError(f"There is no ticket {ticket_id}.")
    if as_json:
        print_json(_view(view, answers, kept))
    elif told:
        click.echo("\n".join(told))
    else:
        _tell(view, parts.calendar(conf).zone, utc_now())
        _tell_answers(answers, kept, parts.calendar(conf).zone)
        click.echo(f"  you have seen it up to event {view.events[-1][0]}")


def _work(store: Store, conf: Settings, ticket_id: int, actor: str, acts: dict[str, Any]) -> Iterator[str]:
    who: dict[str, Any] = {"actor": actor, "now": utc_now()}
    if acts["answered"]:
        desk.answered_outside(store, ticket_id, at=acts["answered"], **who)
        yield f"Ticket {ticket_id}: answered elsewhere, on record."
    if acts["handled"]:
        desk.handled(store, ticket_id, at=acts["handled"], how=acts["how"] or "", clock=acts["clock"], **who)
        yield f"Ticket {ticket_id}: handled, on record."
    elif acts["how"] or acts["clock"]:
        raise click.UsageError("--how and --clock go with --handled AT.")
    if acts["assign"] and acts["unassign"]:
        raise click.UsageError("Choose one of --assign and --unassign.")
    if acts["assign"] or acts["unassign"]:
        desk.assign(store, ticket_id, acts["assign"], **who)
        yield f"Ticket {ticket_id}: assigned to {acts['assign'] or 'nobody'}."
    if acts["note"] is not None:
        desk.note(store, ticket_id, acts["note"], **who)
        yield f"Ticket {ticket_id}: note added."
    if acts["move"]:
        yield _moved(store, conf, ticket_id, acts["move"], who)
    if acts["bind_order"]:
        desk.bind_order(store, ticket_id, acts["bind_order"], **who)
        yield f"Ticket {ticket_id}: order {acts['bind_order']} bound."
    if acts["release_order"]:
        desk.release_order(store, ticket_id, acts["release_order"], **who)
        yield f"Ticket {ticket_id}: order {acts['release_order']} released."
    if acts["close"]:
        desk.close(store, ticket_id, **who)
        yield f"Ticket {ticket_id}: closed."
    if acts["reopen"]:
        desk.reopen(store, ticket_id, **who)
        yield f"Ticket {ticket_id}: open again."


def _moved(store: Store, conf: Settings, ticket_id: int, to: str, who: dict[str, Any]) -> str:
    if to not in conf.all_queues:
        raise click.BadParameter(f"there is no queue {to}; there are {', '.join(conf.all_queues)}")
    policy = parts.policy(conf, parts.allowlist(conf))
    desk.move(store, ticket_id, to, plan=policy.plan, **who)
    return f"Ticket {ticket_id}: moved to queue {to}."


def _write_original(store: Store, ticket_id: int, message: int) -> None:
    with store.reading() as session:
        view = tickets.view(session, ticket_id)
        mine = {one.id for one in view.messages} if view is not None else set()
        raw = tickets.raw(session, message) if message in mine else None
    if raw is None:
        known = ", ".join(map(str, sorted(mine))) or "none"
        raise DeskError(f"Ticket {ticket_id} has no message {message} (it has {known}).")
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()


def _view(view: TicketView, answers: Sequence[OutboxRow], kept: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        **asdict(view.ticket),
        "clocks": [asdict(clock) for clock in view.clocks],
        "numbers": [asdict(number) for number in view.numbers],
        "links": list(view.links),
        "messages": [asdict(message) for message in view.messages],
        "events": [{"id": number, **_event(event)} for number, event in view.events],
        "answers": [asdict(answer) for answer in answers],
        "drafts": [{"author": author, "text": text} for author, text in kept],
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "ticket_id": event.ticket_id,
        "at": event.at,
        "what": event.what,
        "actor": event.actor,
        "data": event.data,
    }


def _tell(view: TicketView, zone: ZoneInfo, now: datetime) -> None:
    it = view.ticket
    state = it.state + (", escalated" if it.escalated else "") + ("" if it.verified else ", UNVERIFIED")
    click.echo(f"Ticket {it.id}  {it.kind} in queue {it.queue}, {state}, {it.assignee or 'nobody'} on it")
    click.echo(f"  {it.subject}")
    click.echo(f"  from {it.username or it.sender}, answer to {it.relay_address or '(no relay address)'}")
    for number in view.numbers:
        click.echo(f"  {number.what} {number.value}: {number.how.replace('_', ' ')} {number.label}".rstrip())
    if view.links:
        click.echo(f"  see also tickets {', '.join(map(str, view.links))}")
    for clock in view.clocks:
        state = f"stopped {local(clock.stopped_at, zone)} ({clock.stopped_how})" if clock.stopped_at else ""
        state = state or ("undecided" if clock.undecided_at else left(clock.due_at, now))
        click.echo(f"  {clock.clock} clock {clock.round}: due {local(clock.due_at, zone)}, {state}")
        for line in clock.explanation:
            click.echo(f"      {line}")
    for message in view.messages:
        click.echo(f"  message {message.id}, {local(message.received_at, zone)}, {message.size} bytes")
        for why in message.reasons:
            click.echo(f"      {why.code}: {why.text}")
        for part in message.attachments:
            click.echo(f"      attachment {part.name or '(no name)'}, {part.sniffed_type}, {part.size} bytes")
    for place, event in view.events:
        said = ", ".join(str(event.data[key]) for key in TOLD if event.data.get(key))
        told = f"{event.what} by {event.actor}" + (f": {said}" if said else "")
        click.echo(f"  {place:>6}  {local(event.at, zone)}  {told}")


def _tell_answers(answers: Sequence[OutboxRow], kept: Sequence[tuple[str, str]], zone: ZoneInfo) -> None:
    for one in answers:
        state = f"{one.state} {local(one.sent_at, zone)}" if one.sent_at else one.state
        about = f"about order {one.order_id}" if one.order_id else "about no order"
        click.echo(f"  {one.purpose} {one.id} by {one.author} to message {one.message_id}, {about}: {state}")
        if one.last_text and one.state != "sent":
            click.echo(f"      the next hop said: {one.last_text}")
    for author, text in kept:
        click.echo(f"  draft of {author}: {len(text)} characters")


@click.group()
def agents() -> None:
    """Who works in the queues."""


@agents.command("add")
@click.argument("name")
@click.option("--email", default="", help="Where to reach them.")
@click.pass_obj
def add_agent(config: str | None, name: str, email: str) -> None:
    """Add agent NAME, or take a former one back."""
    desk.add_agent(open_store(parts.settings(config)), name, email, now=utc_now())
    click.echo(f"Agent {name} is added.")


@agents.command("deactivate")
@click.argument("name")
@click.pass_obj
def deactivate(config: str | None, name: str) -> None:
    """Take agent NAME out of service; their tickets and figures stay."""
    desk.deactivate_agent(open_store(parts.settings(config)), name)
    click.echo(f"Agent {name} is no longer active.")


@agents.command("list")
@json_option
@click.pass_obj
def list_agents(config: str | None, as_json: bool) -> None:
    """List the agents."""
    found = desk.agents(open_store(parts.settings(config)))
    if as_json:
        print_json([asdict(agent) for agent in found])
        return
    rows = [(a.name, a.email, "yes" if a.active else "no", a.added_at.date()) for a in found]
    empty = "There are no agents yet; add one with `relaydesk agents add NAME`."
    print_table("Agents", ("name", "email", "active", "since"), rows, empty)
