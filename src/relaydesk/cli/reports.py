"""Reports on the command line: how well the shop answers, and what was refused or deferred."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relaydesk.cli.opening import desk_of, moment, operator_of, settings
from relaydesk.cli.output import is_terminal, json_option, print_json, say
from relaydesk.cli.tables import Column, print_table
from relaydesk.cli.written import demand_no_directory, writable
from relaydesk.reasons import general

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.report import ReportFormat
    from relaydesk.store import RefusalCount

FORMATS = ("table", "json", "csv", "html", "xlsx")
ENDINGS: dict[str, ReportFormat] = {
    ".csv": "csv",
    ".json": "json",
    ".xlsx": "xlsx",
    ".html": "html",
    ".htm": "html",
    ".txt": "table",
}
reader_option = click.option(
    "--as", "reader", metavar="AGENT", help="Read it as this lead or admin (default: the console operator)."
)


@click.group()
def report() -> None:
    """Report how well the shop answers."""


@report.command()
@click.option(
    "--from", "since", default="", metavar="DAY", help="First day, or an ISO time (default: 30 days)."
)
@click.option("--to", "until", default="", metavar="DAY", help="Last day, or an ISO time (default: now).")
@click.option("--month", "of_month", default="", metavar="MONTH", help="A whole month, such as 2026-11.")
@click.option("--last-week", "last_whole_week", is_flag=True, help="The last week from Monday to Sunday.")
@click.option("--days", type=int, help="So many days, today being the last one; 1 is today.")
@click.option("--queue", help="Only this queue.")
@click.option("--agent", help="Only this agent; '' for unassigned tickets.")
@click.option("--compare", is_flag=True, help="Show the period before beside it.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="Default: by the ending of -o, else a table."
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Write to this file, whole or not at all."
)
@reader_option
@json_option
@click.pass_obj
def sla(
    config: str | None,
    /,
    *,
    queue: str | None,
    agent: str | None,
    compare: bool,
    form: ReportFormat | None,
    output: Path | None,
    reader: str | None,
    as_json: bool,
    **period: Any,
) -> None:
    """The SLA report: attainment, response times, breaches, workload, ageing, claims, refusals.

    What is written to a file or as data is noted in the audit log, with who had it.
    """
    chosen = "json" if as_json else form or form_of(output)
    if chosen == "xlsx" and output is None and is_terminal():
        raise click.UsageError("A workbook cannot be shown here; write it to a file with -o report.xlsx.")
    reports = desk_of(settings(config)).reports
    try:
        scope = reports.scope(**period, queue=queue, agent=agent)
    except ValueError as error:
        sentence = f"{error}."
        raise click.UsageError(sentence[0].upper() + sentence[1:]) from None
    with writable(output) as target:
        reports.sla(scope, target, chosen, by=operator_of(reader), compare=compare)


def form_of(output: Path | None) -> ReportFormat:
    """The form that a file's ending names."""
    if output is None:
        return "table"
    demand_no_directory(output)
    form = ENDINGS.get(output.suffix.lower())
    if form is None:
        raise click.UsageError(
            f"The ending of {output.name} names no form; use {', '.join(ENDINGS)}, or say --format."
        )
    return form


@click.command()
@click.argument("text", required=False, default="")
@click.option(
    "--from", "since", callback=moment, metavar="TIME", help="From this time on (default: 30 days)."
)
@click.option("--to", "until", callback=moment, metavar="TIME", help="Until this time (default: now).")
@click.option("--limit", type=click.IntRange(1, 100_000), default=200, show_default=True)
@json_option
@click.pass_obj
def refusals(
    config: str | None,
    text: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show what was refused or deferred, and why: latest first, added up by day, reason and network.

    TEXT narrows it to a reason code, a From domain, an address or its network. What strangers sent under ever
    new names is added up: "other domains" of a network, "others in" a wider one, "other networks".
    """
    tallies = desk_of(settings(config)).refusals.search(text, since=since, until=until, limit=limit)
    if as_json:
        print_json([_refusal_json(tally) for tally in tallies])
        return
    rows = [
        (
            tally.day,
            tally.count,
            tally.code,
            _network(tally),
            "other domains" if tally.added_up else tally.from_domain or "-",
            f"{tally.last_at:%Y-%m-%d %H:%M}",
        )
        for tally in tallies
    ]
    columns = (
        Column("day (UTC)"),
        Column("count", right=True),
        Column("reason"),
        Column("network", least=12, rank=1),
        Column("From domain", least=14),
        Column("last (UTC)", rank=2),
    )
    print_table("Refused or deferred", columns, rows, "Nothing was refused or deferred.")
    if any(tally.code == "drift" for tally in tallies):
        say("Drift: Meta may send from new networks; see `relaydesk allowlist audit`.")


def _network(tally: RefusalCount) -> str:
    if tally.added_up != "networks":
        return tally.network or "-"
    return f"others in {tally.network}" if "/" in tally.network else "other networks"


def _refusal_json(tally: RefusalCount) -> dict[str, Any]:
    """The keys of the tally; null where it stands for several, and ``added_up`` says of what."""
    network = tally.network if tally.added_up != "networks" or "/" in tally.network else None
    domain = None if tally.added_up else tally.from_domain
    text = general(tally.code, ip=network or "", domain=domain or "", from_domain=domain or "")
    return {
        **asdict(tally),
        "network": network,
        "from_domain": domain,
        "added_up": tally.added_up or None,
        "text": text,
    }
