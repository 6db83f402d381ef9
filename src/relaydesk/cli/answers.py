"""Commands that answer a ticket and look after what is on its way out."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relaydesk import desk
from relaydesk.cli.desk import local
from relaydesk.cli.options import ROW_ID, person
from relaydesk.cli.output import json_option, print_json, print_table
from relaydesk.cli.templates import given, load
from relaydesk.config import parts, store_secret
from relaydesk.desk import DeskError, Written
from relaydesk.outbound import AnswerRefused, attach_files, template_context, template_variables
from relaydesk.server import open_store, utc_now
from relaydesk.store import UNDECIDED, drafts, outbox, tickets

if TYPE_CHECKING:
    from relaydesk.config import Settings
    from relaydesk.desk import Queued
    from relaydesk.outbound import Sender
    from relaydesk.store import Store

READABLE = click.Path(exists=True, dir_okay=False, allow_dash=True)


@click.command()
@click.argument("ticket_id", metavar="TICKET", type=ROW_ID)
@click.option("--template", metavar="NAME", help="Use this reply template (see `relaydesk templates list`).")
@click.option("--text", "text_file", type=READABLE, metavar="FILE", help="Use this text; - reads it here.")
@click.option("--draft", "from_draft", is_flag=True, help="Use the text that was kept when it was refused.")
@click.option("--set", "values", multiple=True, callback=given, metavar="NAME=VALUE", help="Fill a variable.")
@click.option(
    "--attach", "files", multiple=True, type=click.Path(exists=True, dir_okay=False), metavar="FILE",
    help="Enclose this file.",
)  # fmt: skip
@click.option("--order", metavar="ORDER", help="The answer is about this one of the ticket's numbers.")
@click.option("--no-order", is_flag=True, help="State that no order number exists; that is put on record.")
@click.option("--message", type=ROW_ID, metavar="ID", help="Answer this message (default: the latest).")
@click.option("--seen", type=int, metavar="EVENT", help="You saw the ticket up to this event (default: all).")
@click.option("--as", "name", metavar="AGENT", help="Who answers (default: the login name).")
@click.option("--dry-run", is_flag=True, help="Print the exact message, keep and send nothing.")
@json_option
@click.pass_obj
def answer(config: str | None, /, ticket_id: int, *, dry_run: bool, as_json: bool, **chosen: Any) -> None:
    """Answer ticket TICKET: to the buyer's relay address, about the order, once.

    The answer waits for its undo time, then it leaves; the clock stops when the next hop has taken it.
    """
    conf = parts.settings(config)
    store = open_store(conf)
    agent = chosen["name"] or person()
    seen = chosen["seen"] if chosen["seen"] is not None else _latest(store, ticket_id)
    letterhead = parts.sender(conf, parts.allowlist(conf), secret=store_secret(store))
    made = desk.answer(
        store,
        ticket_id,
        _written(conf, store, letterhead, ticket_id, agent, chosen),
        letterhead,
        seen=seen,
        actor=f"agent:{agent}",
        now=utc_now(),
        dry_run=dry_run,
    )
    _tell(made, conf, ticket_id, dry_run=dry_run, as_json=as_json)


def _latest(store: Store, ticket_id: int) -> int:
    """The event that is the latest before the text is written: two agents must not answer past each other."""
    with store.reading() as session:
        found = tickets.events(session, ticket_id)
    if not found:
        raise DeskError(f"There is no ticket {ticket_id}.")
    return found[-1][0]


def _written(
    conf: Settings, store: Store, letterhead: Sender, ticket_id: int, agent: str, chosen: dict[str, Any]
) -> Written:
    sources = [name for name in ("template", "text_file", "from_draft") if chosen[name]]
    if len(sources) != 1:
        raise click.UsageError("Choose one of --template NAME, --text FILE and --draft.")
    if chosen["values"] and not chosen["template"]:
        raise click.UsageError("--set goes with --template.")
    with store.reading() as session:
        if chosen["template"]:
            about = template_context(
                session, ticket_id, agent=agent, shop=letterhead.shop, order_id=chosen["order"]
            )
            if about is None:
                raise DeskError(f"There is no ticket {ticket_id}.")
            text = load(conf).render(chosen["template"], template_variables(about, chosen["values"]))
        elif chosen["from_draft"]:
            text = drafts.read(session, ticket_id, f"agent:{agent}") or ""
            if not text:
                raise AnswerRefused(f"No draft of {agent} is kept on ticket {ticket_id}.")
        else:
            text = _read(chosen["text_file"])
    files = [(Path(name).name, Path(name).read_bytes()) for name in chosen["files"]]
    enclosed = attach_files(files, types=conf.attachment_types, each_bytes=conf.attachment_bytes)
    return Written(text, chosen["order"], chosen["no_order"], enclosed, chosen["message"])


def _read(name: str) -> str:
    raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.BadParameter(f"{name} is not UTF-8 text; save it as UTF-8", param_hint="--text") from None


def _tell(made: Queued, conf: Settings, ticket_id: int, *, dry_run: bool, as_json: bool) -> None:
    for remark in made.remarks:
        click.echo(f"Note: {remark}", err=True)
    if as_json:
        told = {name: value for name, value in asdict(made).items() if name != "raw"}
        raw = {"raw": made.raw.decode("utf-8", "replace")} if dry_run else {}
        print_json({"ticket": ticket_id, **told, **raw, "dry_run": dry_run})
    elif dry_run:
        sys.stdout.buffer.write(made.raw)
        sys.stdout.buffer.flush()
    else:
        about = f"about order {made.order_id}" if made.order_id else "about no order"
        leaves = local(made.leaves_at, parts.calendar(conf).zone)
        click.echo(f"Answer {made.answer} to {made.recipient}, {about}, leaves {leaves}.")
        click.echo(f"Until then `relaydesk outbox cancel {made.answer}` takes it back.")


@click.group("outbox", invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Also what was sent or ended otherwise.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=200, show_default=True)
@json_option
@click.pass_context
def outbox_(ctx: click.Context, everything: bool, limit: int, as_json: bool) -> None:
    """What waits to be sent, and what became of it."""
    if ctx.invoked_subcommand is not None:
        return
    conf = parts.settings(ctx.obj)
    with open_store(conf).reading() as session:
        rows = outbox.newest(session, limit) if everything else outbox.waiting(session, limit)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    zone = parts.calendar(conf).zone
    lines = [
        (
            row.id,
            row.ticket_id,
            row.purpose,
            row.state,
            row.recipient,
            row.order_id or "-",
            row.attempts,
            local(row.sent_at or (row.next_try_at if row.state in UNDECIDED else None), zone),
            row.last_text or "-",
        )
        for row in rows
    ]
    columns = ("id", "ticket", "purpose", "state", "to", "order", "tries", "sent or next try", "the hop said")
    print_table("Outbox", columns, lines, "Nothing waits to be sent.")


@outbox_.command("cancel")
@click.argument("answer_id", metavar="ID", type=ROW_ID)
@click.option("--as", "name", metavar="AGENT", help="Who does it (default: the login name).")
@click.pass_obj
def cancel(config: str | None, answer_id: int, name: str | None) -> None:
    """Take answer ID back before it leaves."""
    store = open_store(parts.settings(config))
    desk.cancel(store, answer_id, actor=f"agent:{name or person()}", now=utc_now())
    click.echo(f"Answer {answer_id} is taken back.")


@outbox_.command("retry")
@click.argument("answer_id", metavar="ID", type=ROW_ID)
@click.option("--as", "name", metavar="AGENT", help="Who does it (default: the login name).")
@click.pass_obj
def retry(config: str | None, answer_id: int, name: str | None) -> None:
    """Try a deferred, refused or failed answer again at once: the same message, unchanged."""
    conf = parts.settings(config)
    give_up = timedelta(hours=conf.give_up_hours)
    actor = f"agent:{name or person()}"
    desk.retry(open_store(conf), answer_id, give_up, actor=actor, now=utc_now())
    click.echo(f"Answer {answer_id} is tried again.")
