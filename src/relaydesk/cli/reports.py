"""Reports on the command line: how well the shop answers, and what was refused or deferred."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from relaydesk.cli.opening import desk_of, moment, settings
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.cli.tables import Column, print_table
from relaydesk.reasons import general

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from relaydesk.report import ReportFormat
    from relaydesk.store import RefusalCount


@contextmanager
def _target(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with output.open("w", encoding="utf-8", newline="") as file:
        yield file


@click.group()
def report() -> None:
    """Report how well the shop answers."""


@report.command()
@click.option(
    "--from", "since", default="", metavar="DAY", help="First day, or an ISO time (default: 30 days)."
)
@click.option("--to", "until", default="", metavar="DAY", help="Last day, or an ISO time (default: now).")
@click.option("--queue", help="Only this queue.")
@click.option("--agent", help="Only this agent; '' for unassigned tickets.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv", "html"]), default="table")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file.")
@json_option
@click.pass_obj
def sla(
    config: str | None,
    since: str,
    until: str,
    queue: str | None,
    agent: str | None,
    form: ReportFormat,
    output: Path | None,
    as_json: bool,
) -> None:
    """The SLA report: attainment, response times, breaches, ageing, claims, refusals."""
    reports = desk_of(settings(config)).reports
    try:
        scope = reports.scope(since, until, queue=queue, agent=agent)
    except ValueError as error:
        sentence = f"{error}."
        raise click.UsageError(sentence[0].upper() + sentence[1:]) from None
    with _target(output) as target:
        reports.sla(scope, target, "json" if as_json else form)


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

    TEXT narrows it to a reason code, a From domain, an address or its network.
    """
    tallies = desk_of(settings(config)).refusals.search(text, since=since, until=until, limit=limit)
    if as_json:
        print_json([{**asdict(tally), "text": _why(tally)} for tally in tallies])
        return
    rows = [
        (
            tally.day,
            tally.count,
            tally.code,
            tally.network or "-",
            tally.from_domain or "-",
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


def _why(tally: RefusalCount) -> str:
    return general(tally.code, ip=tally.network, domain=tally.from_domain, from_domain=tally.from_domain)
