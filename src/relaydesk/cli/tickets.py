"""``relaydesk ticket``: one ticket, and what people do with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relaydesk.cli.files import save_file
from relaydesk.cli.opening import ROW_ID, agent_of, as_option, desk_of, operator_of, settings
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.cli.thread import Shown, print_message, print_ticket
from relaydesk.cli.ticket_acts import act_options, check_acts, work

if TYPE_CHECKING:
    from relaydesk.desk import Desk

READ = 50  # of a long ticket's messages, the latest


@click.command()
@click.argument("ticket_id", metavar="ID", type=ROW_ID)
@act_options
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
    has_acts = any(value not in (None, False, ()) for value in acts.values())
    check_acts(acts)
    _check_choices(
        message, directory, has_acts + sum(choice is not None for choice in (original, read, directory))
    )
    conf = settings(config)
    desk = desk_of(conf)
    if original is not None:
        by = operator_of(name or conf.agent or None)
        sys.stdout.buffer.write(desk.tickets.original(ticket_id, original, by=by))
        return
    if directory is not None:
        _save(desk, ticket_id, message, directory, as_json=as_json)
        return
    from relaydesk.desk import message_value, ticket_value

    shown = Shown(desk.config.calendar.zone, desk.clock(), quotes, history, whole=read is not None)
    if read is not None:
        one_message = desk.tickets.message(ticket_id, read)
        print_json(message_value(one_message)) if as_json else print_message(one_message, shown)
        return
    done = list(work(desk, ticket_id, agent_of(conf, name), acts)) if has_acts else []
    if done and not as_json:
        say("\n".join(done))
        return
    view = desk.tickets.view(ticket_id, most=None if everything else READ)
    if as_json:
        print_json(ticket_value(view))
    else:
        print_ticket(view, shown)


def _check_choices(message: int | None, directory: Path | None, chosen: int) -> None:
    if message is not None and directory is None:
        raise click.UsageError("--message goes with --save-files DIR.")
    if chosen > 1:
        raise click.UsageError("Choose one of --original, --read, --save-files and the actions.")


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
