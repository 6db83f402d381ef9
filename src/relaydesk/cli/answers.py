"""Commands that answer a ticket and look after what is on its way out."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relaydesk.cli.opening import agent_of, as_option, desk_of, settings
from relaydesk.cli.options import ROW_ID, variables
from relaydesk.cli.output import json_option, local, print_json, print_table

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from relaydesk.desk import Desk, Queued, Written

READABLE = click.Path(exists=True, dir_okay=False, allow_dash=True)


@click.command()
@click.argument("ticket_id", metavar="TICKET", type=ROW_ID)
@click.option("--template", metavar="NAME", help="Use this reply template (see `relaydesk templates list`).")
@click.option("--text", "text_file", type=READABLE, metavar="FILE", help="Use this text; - reads it here.")
@click.option("--draft", "from_draft", is_flag=True, help="Use the text that was kept when it was refused.")
@click.option(
    "--set", "values", multiple=True, callback=variables, metavar="NAME=VALUE", help="Fill a variable."
)
@click.option(
    "--attach", "files", multiple=True, type=click.Path(exists=True, dir_okay=False), metavar="FILE",
    help="Enclose this file.",
)  # fmt: skip
@click.option("--order", metavar="ORDER", help="The answer is about this one of the ticket's numbers.")
@click.option("--no-order", is_flag=True, help="State that no order number exists; that is put on record.")
@click.option("--message", type=ROW_ID, metavar="ID", help="Answer this message (default: the latest).")
@click.option("--seen", type=int, metavar="EVENT", help="You saw the ticket up to this event (default: all).")
@as_option
@click.option("--dry-run", is_flag=True, help="Print the exact message, keep and send nothing.")
@json_option
@click.pass_obj
def answer(config: str | None, /, ticket_id: int, *, dry_run: bool, as_json: bool, **chosen: Any) -> None:
    """Answer ticket TICKET: to the buyer's relay address, about the order, once.

    The answer waits for its undo time, then it leaves; the clock stops when the next hop has taken it.
    """
    _check(chosen)
    conf = settings(config)
    desk, by = desk_of(conf), agent_of(conf, chosen["name"])
    # The latest event before the text is written: two agents must not answer past each other.
    seen = chosen["seen"] if chosen["seen"] is not None else desk.tickets.latest_event(ticket_id)
    written = _written(desk, ticket_id, by, chosen)
    queued = desk.answers.write(ticket_id, written, seen=seen, by=by, dry_run=dry_run)
    _print(queued, desk.config.calendar.zone, ticket_id, dry_run=dry_run, as_json=as_json)


def _check(chosen: dict[str, Any]) -> None:
    sources = [name for name in ("template", "text_file", "from_draft") if chosen[name]]
    if len(sources) != 1:
        raise click.UsageError("Choose one of --template NAME, --text FILE and --draft.")
    if chosen["values"] and not chosen["template"]:
        raise click.UsageError("--set goes with --template.")


def _written(desk: Desk, ticket_id: int, by: str, chosen: dict[str, Any]) -> Written:
    from relaydesk.desk import Written

    order = chosen["order"]
    if chosen["template"]:
        text = desk.answers.filled(ticket_id, chosen["template"], chosen["values"], by=by, order=order)
    elif chosen["from_draft"]:
        text = desk.answers.draft(ticket_id, by=by)
    else:
        text = _read(chosen["text_file"])
    files = [(Path(name).name, Path(name).read_bytes()) for name in chosen["files"]]
    return Written(text, order, chosen["no_order"], desk.answers.enclosed(files), chosen["message"])


def _read(name: str) -> str:
    raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.BadParameter(f"{name} is not UTF-8 text; save it as UTF-8", param_hint="--text") from None


def _print(queued: Queued, zone: ZoneInfo, ticket_id: int, *, dry_run: bool, as_json: bool) -> None:
    for remark in queued.remarks:
        click.echo(f"Note: {remark}", err=True)
    if as_json:
        facts = {name: value for name, value in asdict(queued).items() if name != "raw"}
        raw = {"raw": queued.raw.decode("utf-8", "replace")} if dry_run else {}
        print_json({"ticket": ticket_id, **facts, **raw, "dry_run": dry_run})
    elif dry_run:
        sys.stdout.buffer.write(queued.raw)
        sys.stdout.buffer.flush()
    else:
        about = f"about order {queued.order_id}" if queued.order_id else "about no order"
        leaves = local(queued.leaves_at, zone)
        click.echo(f"Answer {queued.answer} to {queued.recipient}, {about}, leaves {leaves}.")
        click.echo(f"Until then `relaydesk outbox cancel {queued.answer}` takes it back.")


@click.group("outbox", invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Also what was sent or ended otherwise.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=200, show_default=True)
@json_option
@click.pass_context
def outbox_(ctx: click.Context, everything: bool, limit: int, as_json: bool) -> None:
    """What waits to be sent, and what became of it."""
    if ctx.invoked_subcommand is not None:
        return
    desk = desk_of(settings(ctx.obj))
    rows = desk.outbox.newest(limit) if everything else desk.outbox.waiting(limit)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    zone = desk.config.calendar.zone
    lines = [
        (
            row.id,
            row.ticket_id,
            row.purpose,
            row.state,
            row.recipient,
            row.order_id or "-",
            row.attempts,
            local(row.sent_at or (row.next_try_at if row.undecided else None), zone),
            row.last_text or "-",
        )
        for row in rows
    ]
    columns = ("id", "ticket", "purpose", "state", "to", "order", "tries", "sent or next try", "the hop said")
    print_table("Outbox", columns, lines, "Nothing waits to be sent.")


@outbox_.command("cancel")
@click.argument("answer_id", metavar="ID", type=ROW_ID)
@as_option
@click.pass_obj
def cancel(config: str | None, answer_id: int, name: str | None) -> None:
    """Take answer ID back before it leaves; another agent's answer takes a lead."""
    conf = settings(config)
    desk_of(conf).answers.cancel(answer_id, by=agent_of(conf, name))
    click.echo(f"Answer {answer_id} is taken back.")


@outbox_.command("retry")
@click.argument("answer_id", metavar="ID", type=ROW_ID)
@as_option
@click.pass_obj
def retry(config: str | None, answer_id: int, name: str | None) -> None:
    """Try a deferred, refused or failed answer again at once: the same message, unchanged."""
    conf = settings(config)
    desk_of(conf).answers.retry(answer_id, by=agent_of(conf, name))
    click.echo(f"Answer {answer_id} is tried again.")
