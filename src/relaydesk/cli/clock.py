"""``relaydesk due``: the clock, asked by hand."""

from __future__ import annotations

from pathlib import Path

import click

from relaydesk.business_time import READINGS, Target, explain_due
from relaydesk.cli.opening import settings
from relaydesk.cli.output import json_option, print_json
from relaydesk.config import parts


@click.command()
@click.option("--received", required=True, metavar="ISO", help="When the message came, with its zone.")
@click.option("--target", default="2 business days", show_default=True, help="Such as '16 business hours'.")
@click.option("--reading", type=click.Choice(READINGS), default="elapsed", show_default=True)
@click.option("--calendar", "calendar_file", type=click.Path(path_type=Path), help="Calendar file, YAML.")
@json_option
@click.pass_obj
def due(
    config: str | None, received: str, target: str, reading: str, calendar_file: Path | None, as_json: bool
) -> None:
    """Say when an answer would be due, and why then.

    Without --calendar the calendar of the settings counts.
    """
    if calendar_file is not None:
        calendar = parts.calendar_file(calendar_file)
    else:
        calendar = parts.calendar(settings(config))
    for warning in calendar.warnings:
        click.echo(f"relaydesk: {warning}", err=True)
    try:
        Target.parse(target)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--target") from None
    try:
        answer = explain_due(received, target, reading, calendar)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--received") from None
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['due']}  ({answer['reading']})")
    for line in answer["explanation"]:  # type: ignore[attr-defined]
        click.echo(f"  {line}")
