"""What ``relaydesk ticket ID`` does: each option is one act of the desk, in the order of the help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relaydesk.cli.opening import ROW_ID, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from relaydesk.desk import Desk

MOST_READ = 16_000_001  # bytes of a file; the desk says that more is too much
DONE = "What was done"  # the item of a file that goes with --handled
STANDS = ("there", "missing", "not_needed")
KINDS = ("case", "claim", "chargeback", "notice")
OPTIONS = (
    click.option(
        "--answered-outside", "answered", callback=moment, metavar="AT", help="Answered elsewhere at AT."
    ),
    click.option("--handled", callback=moment, metavar="AT", help="Handled at AT; describe it with --how."),
    click.option("--how", help="What was done, with --handled."),
    click.option("--clock", type=click.Choice(["handling", "evidence"]), help="Which clock --handled stops."),
    click.option("--take", is_flag=True, help="Take it for yourself."),
    click.option("--assign", metavar="AGENT", help="Assign it to an agent."),
    click.option("--unassign", is_flag=True, help="Remove the assignee."),
    click.option("--note", metavar="TEXT", help="Add an internal note."),
    click.option("--sort-as", metavar="KIND", type=click.Choice(KINDS), help="Say of which kind it is."),
    click.option("--move", metavar="QUEUE", help="Move it to another queue."),
    click.option("--why", metavar="TEXT", help="The reason for --move or --reopen."),
    click.option("--bind-order", metavar="ORDER", help="Bind an order of the directory to it."),
    click.option("--release-order", metavar="ORDER", help="Release an order from it."),
    click.option("--no-order", is_flag=True, help="State that none of its numbers is the customer's order."),
    click.option("--link", metavar="OTHER", type=ROW_ID, help="Link it with another ticket."),
    click.option("--unlink", metavar="OTHER", type=ROW_ID, help="Take that link away."),
    click.option(
        "--merge-into", metavar="OTHER", type=ROW_ID, help="Show it in the thread of another ticket."
    ),
    click.option("--unmerge", is_flag=True, help="Take that merge back."),
    click.option("--looked-at", is_flag=True, help="State that you have looked at what needed a look."),
    click.option("--snooze", metavar="AT", callback=moment, help="Hide it from your own lists until AT."),
    click.option("--wake", is_flag=True, help="Show it in your own lists again."),
    click.option("--junk", is_flag=True, help="Mark it as junk, which closes it."),
    click.option("--not-junk", is_flag=True, help="It is no junk: reopen it."),
    click.option("--close", is_flag=True, help="Close it; running clocks count as undecided."),
    click.option(
        "--evidence", metavar="ITEM", help="Say how an item of evidence stands, with --file or --is."
    ),
    click.option(
        "--file",
        "files",
        multiple=True,
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Keep this file as --evidence, or with --handled.",
    ),
    click.option("--is", "stands", type=click.Choice(STANDS), help="How --evidence stands without a file."),
    click.option("--undo", is_flag=True, help="Undo what you did on it a moment ago (10 seconds)."),
    click.option("--reopen", is_flag=True, help="Reopen it; its clocks run on from their start."),
)
"""Click lists them in this order; decorators are applied from the last."""


def act_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of all acts."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def check_acts(acts: dict[str, Any]) -> None:
    """A usage error for options that do not go together."""
    if (acts["how"] or acts["clock"]) and not acts["handled"]:
        raise click.UsageError("--how and --clock go with --handled AT.")
    if acts["why"] and not (acts["move"] or acts["reopen"]):
        raise click.UsageError("--why goes with --move QUEUE or --reopen.")
    _check_evidence(acts)
    for chosen in (("take", "assign", "unassign"), ("snooze", "wake"), ("junk", "not_junk")):
        named = [f"--{name.replace('_', '-')}" for name in chosen if acts[name]]
        if len(named) > 1:
            raise click.UsageError(f"Choose one of {' and '.join(named)}.")


def _check_evidence(acts: dict[str, Any]) -> None:
    if acts["files"] and not (acts["evidence"] or acts["handled"]):
        raise click.UsageError("--file goes with --evidence ITEM or --handled AT.")
    without_either = acts["evidence"] and not (acts["files"] or acts["stands"])
    if without_either or (acts["stands"] and (acts["files"] or not acts["evidence"])):
        raise click.UsageError("--evidence ITEM goes with one of --file FILE and --is STATE.")


def work(desk: Desk, ticket_id: int, by: str, acts: dict[str, Any]) -> Iterator[str]:
    """Does what was asked, one act after the other; a sentence for each."""
    about = f"Ticket {ticket_id}"
    for part in (_proving, _answering, _giving, _sorting, _ordering, _joining, _ending):
        for sentence in part(desk, ticket_id, by, acts):
            yield f"{about}: {sentence}"


def _answering(desk: Desk, number: int, by: str, acts: dict[str, Any]) -> Iterator[str]:
    tickets = desk.tickets
    if acts["answered"]:
        tickets.state_answered_elsewhere(number, at=acts["answered"], by=by)
        yield "answered elsewhere, recorded."
    if acts["handled"]:
        tickets.state_handled(number, at=acts["handled"], how=acts["how"] or "", clock=acts["clock"], by=by)
        yield "handled, recorded."


def _proving(desk: Desk, number: int, by: str, acts: dict[str, Any]) -> Iterator[str]:
    item = acts["evidence"] or (DONE if acts["files"] else "")
    for file in acts["files"]:
        with file.open("rb") as content:
            desk.evidence.add(number, item, file.name, content.read(MOST_READ), by=by)
        yield f"{file.name} kept as evidence: {item}."
    if item and not acts["files"]:
        desk.evidence.mark(number, item, acts["stands"], by=by)
        yield f"{item}: {acts['stands'].replace('_', ' ')}, recorded."


def _giving(desk: Desk, number: int, by: str, acts: dict[str, Any]) -> Iterator[str]:
    tickets = desk.tickets
    if acts["take"]:
        tickets.take(number, by=by)
        yield "taken."
    if acts["assign"] or acts["unassign"]:
        tickets.assign(number, acts["assign"], by=by)
        yield f"assigned to {acts['assign'] or 'no one'}."
    if acts["note"] is not None:
        tickets.note(number, acts["note"], by=by)
        yield "note added."


def _sorting(desk: Desk, number: int, by: str, acts: dict[str, Any]) -> Iterator[str]:
    tickets = desk.tickets
    if acts["sort_as"]:
        tickets.sort(number, acts["sort_as"], by=by)
        yield f"a {acts['sort_as']} from now on."
    if acts["move"]:
        tickets.move(number, acts["move"], by=by, why=acts["why"] or "")
        yield f"moved to queue {acts['move']}."


def _ordering(desk: Desk, number: int, by: str, acts: dict[str, Any]) -> Iterator[str]:
    tickets = desk.tickets
    if acts["bind_order"]:
        tickets.bind_order(number, acts["bind_order"], by=by)
        yield f"order {acts['bind_order']} bound."
    if acts["release_order"]:
        tickets.release_order(number, acts["release_order"], by=by)
        yield f"order {acts['release_order']} released."
    if acts["no_order"]:
        tickets.state_no_order(number, by=by)
        yield "no number of it is the customer's order, recorded."


def _joining(desk: Desk, number: int, by: str, acts: dict[str, Any]) -> Iterator[str]:
    tickets = desk.tickets
    if acts["link"] is not None:
        tickets.link(number, acts["link"], by=by)
        yield f"linked with ticket {acts['link']}."
    if acts["unlink"] is not None:
        tickets.unlink(number, acts["unlink"], by=by)
        yield f"no longer linked with ticket {acts['unlink']}."
    if acts["unmerge"]:
        tickets.unmerge(number, by=by)
        yield "stands for itself again."
    if acts["merge_into"] is not None:
        tickets.merge(number, acts["merge_into"], by=by)
        yield f"merged into ticket {acts['merge_into']}, where its clocks run on."


def _ending(desk: Desk, number: int, by: str, acts: dict[str, Any]) -> Iterator[str]:
    tickets = desk.tickets
    if acts["looked_at"]:
        tickets.mark_looked_at(number, by=by)
        yield "looked at, recorded."
    if acts["snooze"]:
        tickets.snooze(number, acts["snooze"], by=by)
        yield f"hidden from your lists until {acts['snooze']:%Y-%m-%d %H:%M} UTC, or until something happens."
    if acts["wake"]:
        tickets.wake(number, by=by)
        yield "in your lists again."
    if acts["junk"]:
        tickets.mark_junk(number, by=by)
        yield "closed as junk."
    if acts["not_junk"]:
        tickets.unmark_junk(number, by=by)
        yield "no junk, and open again."
    if acts["close"]:
        tickets.close(number, by=by)
        yield "closed."
    if acts["undo"]:
        own = [
            event for event, entry in tickets.view(number, most=0).events if entry.actor.lower() == by.lower()
        ]
        tickets.undo(own[-1] if own else 0, by=by, of=number)
        yield "undone; it is as it was."
    if acts["reopen"]:
        tickets.reopen(number, by=by, why=acts["why"] or "")
        yield "reopened."
