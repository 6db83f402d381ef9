"""Commands for answers: writing one, and the outbox."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

import click

from relaydesk.cli.opening import (
    ROW_ID,
    agent_of,
    as_option,
    desk_of,
    set_option,
    settings,
    standard_input,
)
from relaydesk.cli.output import Alarm, json_option, print_json, say
from relaydesk.cli.tables import Column, print_table
from relaydesk.cli.times import local
from relaydesk.data import read_file

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from relaydesk.desk import Desk, Queued, Written
    from relaydesk.store import OutboxRow

LONGEST_TEXT = 1_000_000  # bytes; an answer of a novel's length is a wrong file
LONGEST_FILE = 32_000_000  # bytes read of an attachment; which are allowed, the settings say
LOST = ("refused", "failed", "bounced")  # states in which the buyer has no answer
OUTBOX = (
    Column("id"),
    Column("ticket"),
    Column("state"),
    Column("to", least=14),
    Column("order", rank=1),
    Column("sent or next try", rank=2),
    Column("tries", rank=4),
    Column("purpose", rank=5),
    Column("last reply", least=16, rank=3),
)
READABLE = click.Path(exists=True, dir_okay=False, allow_dash=True)


@click.command()
@click.argument("ticket_id", metavar="TICKET", type=ROW_ID)
@click.option("--template", metavar="NAME", help="Use this reply template (see `relaydesk templates list`).")
@click.option(
    "--text",
    "text_file",
    type=READABLE,
    metavar="FILE",
    help="Use the text of this file; - is standard input.",
)
@click.option("--draft", "from_draft", is_flag=True, help="Use your draft on this ticket, with its files.")
@set_option
@click.option(
    "--attach", "files", multiple=True, type=click.Path(exists=True, dir_okay=False), metavar="FILE",
    help="Attach this file.",
)  # fmt: skip
@click.option("--order", metavar="ORDER", help="Order that the answer is about, one of the ticket's numbers.")
@click.option("--no-order", is_flag=True, help="State that no order number exists; this is recorded.")
@click.option("--message", type=ROW_ID, metavar="ID", help="Answer this message (default: the latest).")
@click.option(
    "--seen", type=int, metavar="EVENT", help="Latest event of the ticket that you have seen (default: all)."
)
@as_option
@click.option("--save-draft", is_flag=True, help="Keep it as your draft, with its files; send nothing.")
@click.option("--dry-run", is_flag=True, help="Print the exact message; store and send nothing.")
@json_option
@click.pass_obj
def answer(config: str | None, /, ticket_id: int, *, dry_run: bool, as_json: bool, **chosen: Any) -> None:
    """Answer ticket TICKET: to the buyer's relay address, about the order, once.

    The answer is sent after its undo time; the response clock stops when the next hop has accepted it.
    """
    _check(chosen)
    conf = settings(config)
    desk, by = desk_of(conf), agent_of(conf, chosen["name"])
    # The latest event before the text is written: two agents must not answer past each other.
    seen = chosen["seen"] if chosen["seen"] is not None else desk.tickets.latest_event(ticket_id)
    if chosen["save_draft"]:
        _save(desk, ticket_id, by, chosen)
        return
    written = _written(desk, ticket_id, by, chosen)
    queued = desk.answers.write(ticket_id, written, seen=seen, by=by, dry_run=dry_run)
    _print(queued, desk.config.calendar.zone, ticket_id, dry_run=dry_run, as_json=as_json)


def _check(chosen: dict[str, Any]) -> None:
    sources = [name for name in ("template", "text_file", "from_draft") if chosen[name]]
    if len(sources) != 1:
        raise click.UsageError("Choose one of --template NAME, --text FILE and --draft.")
    if chosen["save_draft"] and chosen["from_draft"]:
        raise click.UsageError("Choose one of --draft and --save-draft.")
    if chosen["values"] and not chosen["template"]:
        raise click.UsageError("--set goes with --template.")


def _written(desk: Desk, ticket_id: int, by: str, chosen: dict[str, Any]) -> Written:
    from relaydesk.desk import Written

    order, none, files = chosen["order"], chosen["no_order"], desk.answers.enclosed(_files(chosen))
    if not chosen["from_draft"]:
        return Written(_text(desk, ticket_id, by, chosen), order, none, files, chosen["message"])
    draft = desk.answers.draft(ticket_id, by=by)
    files = (*desk.drafts.enclosed(ticket_id, by=by), *files)
    order, none = order or (None if none else draft.order_id), none or (draft.no_order and not order)
    # It goes as from a page: its files become the answer's, and come back if that is taken back.
    return Written(draft.text, order, none, files, chosen["message"], token=token_urlsafe(16))


def _text(desk: Desk, ticket_id: int, by: str, chosen: dict[str, Any]) -> str:
    if chosen["template"]:
        return desk.answers.filled(
            ticket_id, chosen["template"], chosen["values"], by=by, order=chosen["order"]
        )
    return _read(chosen["text_file"])


def _files(chosen: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(Path(name).name, read_file(Path(name), LONGEST_FILE)) for name in chosen["files"]]


def _save(desk: Desk, ticket_id: int, by: str, chosen: dict[str, Any]) -> None:
    """Keeps it as the draft that the pages show too."""
    text = _text(desk, ticket_id, by, chosen)
    desk.drafts.save(ticket_id, text, by=by, order=chosen["order"], no_order=chosen["no_order"])
    desk.drafts.attach(ticket_id, _files(chosen), by=by)
    say(f"Draft saved on ticket {ticket_id}; send it with `relaydesk answer {ticket_id} --draft`.")


def _read(name: str) -> str:
    raw = standard_input().read(LONGEST_TEXT + 1) if name == "-" else read_file(Path(name), LONGEST_TEXT)
    if len(raw) > LONGEST_TEXT:
        raise click.BadParameter(f"the text is larger than {LONGEST_TEXT:,} bytes", param_hint="--text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.BadParameter(f"{name} is not UTF-8 text; save it as UTF-8", param_hint="--text") from None


def _print(queued: Queued, zone: ZoneInfo, ticket_id: int, *, dry_run: bool, as_json: bool) -> None:
    for remark in queued.remarks:
        say(f"Note: {remark}", err=True)
    if as_json:
        from relaydesk.desk import queued_value

        print_json(queued_value(ticket_id, queued, dry_run=dry_run))
    elif dry_run:
        sys.stdout.buffer.write(queued.raw)
        sys.stdout.buffer.flush()
    else:
        about = f"about order {queued.order_id}" if queued.order_id else "about no order"
        leaves = local(queued.leaves_at, zone)
        say(f"Answer {queued.answer} to {queued.recipient}, {about}, will be sent {leaves}.")
        say(f"Until then, cancel it with `relaydesk outbox cancel {queued.answer}`.")


@click.group("outbox", invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Also answers that were sent, cancelled or failed.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=200, show_default=True)
@json_option
@click.pass_context
def outbox_(ctx: click.Context, everything: bool, limit: int, as_json: bool) -> None:
    """Show what waits to be sent, and first what a person must look at; --all shows what became of it."""
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
            Alarm(outcome_of(row)) if row.state in LOST or row.returned else row.state,
            row.recipient,
            row.order_id or "-",
            local(row.sent_at or (row.next_try_at if row.undecided else None), zone),
            row.attempts,
            row.purpose,
            row.last_text or "-",
        )
        for row in rows
    ]
    print_table("Outbox", OUTBOX, lines, "Nothing waits to be sent.")


def outcome_of(row: OutboxRow) -> str:
    """The state of a message in the outbox, with what a bounce of a sent one was about."""
    if row.state == "sent" and row.returned:
        return f"sent, {row.returned.replace('_', ' ')} bounce"
    return row.state


@outbox_.command("cancel")
@click.argument("answer_id", metavar="ID", type=ROW_ID)
@as_option
@click.pass_obj
def cancel(config: str | None, answer_id: int, name: str | None) -> None:
    """Cancel answer ID before it is sent; another agent's answer needs the role lead."""
    conf = settings(config)
    desk_of(conf).answers.cancel(answer_id, by=agent_of(conf, name))
    say(f"Answer {answer_id} has been cancelled.")


@outbox_.command("retry")
@click.argument("answer_id", metavar="ID", type=ROW_ID)
@as_option
@click.pass_obj
def retry(config: str | None, answer_id: int, name: str | None) -> None:
    """Retry a deferred, refused or failed answer at once; the message is unchanged."""
    conf = settings(config)
    desk_of(conf).answers.retry(answer_id, by=agent_of(conf, name))
    say(f"Answer {answer_id} will be tried again.")
