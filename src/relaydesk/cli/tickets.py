"""``relaydesk ticket``: one ticket, and what people do with it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relaydesk.cli.files import save_file
from relaydesk.cli.opening import ROW_ID, agent_of, as_option, desk_of, moment, operator_of, settings
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.cli.thread import Shown, print_message, print_ticket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.desk import Desk, ReadMessage, WholeTicket
    from relaydesk.events import Event

READ = 50  # of a long ticket's messages, the latest


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
@click.option("--looked-at", is_flag=True, help="State that you have looked at what needed a look.")
@click.option("--close", is_flag=True, help="Close it; running clocks count as undecided.")
@click.option("--reopen", is_flag=True, help="Reopen it; its clocks run on from their start.")
@click.option(
    "--original", metavar="MESSAGE", type=ROW_ID, help="Write a message's exact bytes; it goes on record."
)
@click.option("--read", metavar="MESSAGE", type=ROW_ID, help="Show this message alone, in full length.")
@click.option(
    "--save-files",
    "--save-attachments",
    "directory",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the attachments into this directory; exit code 1 when there are none.",
)
@click.option("--message", type=ROW_ID, metavar="MESSAGE", help="With --save-files: only of this message.")
@click.option("--quotes", is_flag=True, help="Show what the messages quote, too.")
@click.option("--history", is_flag=True, help="Show every event, and why each deadline is when it is.")
@click.option("--all", "everything", is_flag=True, help=f"Read all messages, not just the latest {READ}.")
@as_option
@json_option
@click.pass_obj
def ticket(
    config: str | None,
    /,
    ticket_id: int,
    *,
    original: int | None,
    read: int | None,
    directory: Path | None,
    message: int | None,
    quotes: bool,
    history: bool,
    everything: bool,
    name: str | None,
    as_json: bool,
    **acts: Any,
) -> None:
    """Show ticket ID as it was written, or work on it; AT is an ISO 8601 time with its zone, or now.

    Several actions may be given; they are done in the order of this list, and each is recorded.
    """
    has_acts = any(value not in (None, False) for value in acts.values())
    _check(acts)
    if message is not None and directory is None:
        raise click.UsageError("--message goes with --save-files DIR.")
    if has_acts + sum(choice is not None for choice in (original, read, directory)) > 1:
        raise click.UsageError("Choose one of --original, --read, --save-files and the actions.")
    conf = settings(config)
    desk = desk_of(conf)
    if original is not None:
        by = operator_of(name or conf.agent or None)
        sys.stdout.buffer.write(desk.tickets.original(ticket_id, original, by=by))
        sys.stdout.buffer.flush()
        return
    if directory is not None:
        _save(desk, ticket_id, message, directory, as_json=as_json)
        return
    shown = Shown(desk.config.calendar.zone, desk.clock(), quotes, history, whole=read is not None)
    if read is not None:
        one_message = desk.tickets.message(ticket_id, read)
        print_json(_message(one_message)) if as_json else print_message(one_message, shown)
        return
    done = list(_work(desk, ticket_id, agent_of(conf, name), acts)) if has_acts else []
    if done and not as_json:
        say("\n".join(done))
        return
    view = desk.tickets.view(ticket_id, most=None if everything else READ)
    if as_json:
        print_json(_as_json(view))
    else:
        print_ticket(view, shown)


def _check(acts: dict[str, Any]) -> None:
    if (acts["how"] or acts["clock"]) and not acts["handled"]:
        raise click.UsageError("--how and --clock go with --handled AT.")
    if acts["assign"] and acts["unassign"]:
        raise click.UsageError("Choose one of --assign and --unassign.")


def _save(desk: Desk, ticket_id: int, message_id: int | None, directory: Path, *, as_json: bool) -> None:
    saved: list[dict[str, Any]] = []
    for message, place, attachment in desk.tickets.attachments(ticket_id, message_id):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = save_file(directory, attachment, place)
        if not as_json:
            say(str(path))
        saved.append({
            "path": str(path),
            "message": message,
            "number": place,
            "name": attachment.name,
            "size": attachment.size,
            "sha256": attachment.sha256,
        })  # fmt: skip
    if as_json:
        print_json(saved)
    elif not saved:
        of = f"ticket {ticket_id}" if message_id is None else f"message {message_id} of ticket {ticket_id}"
        say(f"relaydesk: There are no attachments in {of}.", err=True)
    click.get_current_context().exit(0 if saved else 1)


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
    if acts["looked_at"]:
        tickets.mark_looked_at(ticket_id, by=by)
        yield f"{about}: looked at, recorded."
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
        "messages": [_message(message) for message in view.messages],
        "events": [{"id": number, **_event(event)} for number, event in view.events],
        "answers": [{**asdict(answer.row), "text": answer.text} for answer in view.answers],
        "drafts": [asdict(draft) for draft in view.drafts],
    }


def _message(message: ReadMessage) -> dict[str, Any]:
    files = message.attachments if message.was_read else message.row.attachments
    return {
        **asdict(message.row),
        "attachments": [{"number": place, **asdict(part)} for place, part in enumerate(files, 1)],
        "text": message.text,
        "quoted": message.quoted,
        "defects": list(message.defects),
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "ticket_id": event.ticket_id,
        "at": event.at,
        "what": event.what,
        "actor": event.actor,
        "data": event.data,
    }
