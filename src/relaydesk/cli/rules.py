"""``relaydesk rules``: sorting rules that agents propose from a mail."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from relaydesk.cli.opening import ROW_ID, agent_of, as_option, desk_of, settings
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.cli.tables import Column, print_table
from relaydesk.cli.ticket_acts import KINDS

if TYPE_CHECKING:
    from relaydesk.desk import RuleTrial
    from relaydesk.events import Kind


@click.group()
def rules() -> None:
    """Propose sorting rules from a mail, and see what is proposed."""


@rules.command("proposals")
@click.option("--all", "settled", is_flag=True, help="Those that were settled, too; newest first.")
@json_option
@click.pass_obj
def proposals(config: str | None, *, settled: bool, as_json: bool) -> None:
    """List the rules that are proposed; exit code 1 when there are none."""
    rows = desk_of(settings(config)).rules.proposals(settled=settled)
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        columns = (
            Column("no."),
            Column("kind"),
            Column("from", least=16),
            Column("subject", least=16),
            Column("ticket"),
            Column("by", rank=2),
            Column("state", rank=1),
        )
        lines = [
            (
                row.id,
                row.kind,
                row.sender,
                row.subject,
                row.ticket_id,
                row.proposed_by.removeprefix("agent:"),
                row.state,
            )
            for row in rows
        ]
        print_table("Proposed rules", columns, lines, "No rule is proposed.")
    sys.exit(0 if rows else 1)


@rules.command("show")
@click.argument("number", type=ROW_ID)
@json_option
@click.pass_obj
def show(config: str | None, number: int, *, as_json: bool) -> None:
    """Show one proposal: the text of its rule, as it goes into the file of the setting rules."""
    row = desk_of(settings(config)).rules.proposal(number)
    print_json(asdict(row)) if as_json else say(row.rule.rstrip("\n"))


@rules.command("propose")
@click.argument("ticket_id", metavar="TICKET", type=ROW_ID)
@click.option("--kind", required=True, type=click.Choice(KINDS), help="What such mail is.")
@click.option("--message", type=ROW_ID, metavar="MESSAGE", help="From this message (default: the latest).")
@click.option("--from", "sender", metavar="ADDRESS", help="Its From; * before the @ is anything.")
@click.option("--subject", metavar="WORDS", help="What its Subject has; … is anything.")
@click.option("--dry-run", is_flag=True, help="Only show which stored mail it would have matched.")
@as_option
@json_option
@click.pass_obj
def propose(
    config: str | None,
    ticket_id: int,
    *,
    kind: Kind,
    message: int | None,
    sender: str | None,
    subject: str | None,
    dry_run: bool,
    name: str | None,
    as_json: bool,
) -> None:
    """Propose a rule from a mail of TICKET; a lead or an admin puts it in force."""
    from relaydesk.desk import RuleWords

    conf = settings(config)
    desk = desk_of(conf)
    draft = desk.rules.draft(ticket_id, message)
    words = RuleWords(
        draft.sender if sender is None else sender, draft.subject if subject is None else subject
    )
    trial = desk.rules.try_on(words, kind)
    number = None
    if not dry_run:
        number = desk.rules.propose(ticket_id, message, words, kind, by=agent_of(conf, name))
    if as_json:
        print_json({
            "proposal": number, **asdict(words), "kind": kind, "looked_at": trial.looked_at,
            "listed": trial.listed, "matched": [mail._asdict() for mail in trial.matched],
        })  # fmt: skip
        return
    say(_tried(trial))
    if number is not None:
        say(f"Rule {number} is proposed.")


def _tried(trial: RuleTrial) -> str:
    count, elsewhere = len(trial.matched), len(trial.elsewhere)
    tickets = sorted({mail.ticket_id for mail in trial.matched if mail.ticket_id is not None})
    where = f" (tickets {', '.join(map(str, tickets[:10]))}{', …' if len(tickets) > 10 else ''})"  # noqa: PLR2004
    text = f"It fits {count} of the last {trial.looked_at} stored messages{where if tickets else ''}"
    text += f"; {elsewhere} of them a rule sorts today." if elsewhere else "."
    return text if trial.listed else f"{text} Its domain is in no list of senders, so no rule sorts its mail."


@rules.command("withdraw")
@click.argument("number", type=ROW_ID)
@as_option
@click.pass_obj
def withdraw(config: str | None, number: int, *, name: str | None) -> None:
    """Take a proposal back; another agent's needs a lead."""
    conf = settings(config)
    desk_of(conf).rules.withdraw(number, by=agent_of(conf, name))
    say(f"Proposal {number} withdrawn.")


@rules.command("settle")
@click.argument("number", type=ROW_ID)
@click.option("--accepted", "how", flag_value="accepted", help="It is in force now.")
@click.option("--declined", "how", flag_value="declined", help="It will not be.")
@click.option("--note", default="", metavar="TEXT", help="Why, for who proposed it.")
@as_option
@click.pass_obj
def settle(config: str | None, number: int, *, how: str | None, note: str, name: str | None) -> None:
    """State what became of a proposal; a lead or an admin does."""
    if how is None:
        raise click.UsageError("Choose one of --accepted and --declined.")
    conf = settings(config)
    desk = desk_of(conf)
    desk.rules.settle(
        number, "accepted" if how == "accepted" else "declined", by=agent_of(conf, name), note=note
    )
    say(f"Proposal {number} {how}.")
