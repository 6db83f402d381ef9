"""Reports on the command line."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from relaydesk.cli.output import json_option
from relaydesk.config import parts
from relaydesk.data import data_path
from relaydesk.report import ReportFormat, ReportScope, publish_report, report_period
from relaydesk.server import open_store, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _target(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with output.open("w", encoding="utf-8", newline="") as file:
        yield file


@click.group()
def report() -> None:
    """How well the shop answers."""


@report.command()
@click.option(
    "--from", "since", default="", metavar="DAY", help="First day, or an ISO time (default: 30 days)."
)
@click.option("--to", "until", default="", metavar="DAY", help="Last day, or an ISO time (default: now).")
@click.option("--queue", help="Only this queue.")
@click.option("--agent", help="Only this agent; '' is what nobody had.")
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
    conf = parts.settings(config)
    calendar, now = parts.calendar(conf), utc_now()
    if queue is not None and queue not in conf.all_queues:
        raise click.BadParameter(f"there is no queue {queue}; there are {', '.join(conf.all_queues)}")
    try:
        begin, end = report_period(since, until, calendar.zone, now)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    store = open_store(conf)
    with _target(output) as target:
        publish_report(
            store,
            ReportScope(begin, end, queue, agent),
            target,
            form="json" if as_json else form,
            calendar=calendar,
            now=now,
            templates=data_path("templates"),
        )
