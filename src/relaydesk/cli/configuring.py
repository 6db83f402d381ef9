"""``relaydesk config``: what is in force and where it comes from; ``relaydesk audit``: who did what."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from relaydesk.cli.opening import (
    admin_option,
    desk_of,
    operator_of,
    settings,
    settings_in_force,
    standard_input,
)
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.cli.tables import Column, print_table
from relaydesk.config import public_settings, settings_shown
from relaydesk.data import read_text_file

LONGEST_VALUE = 500_000


@click.group()
def config() -> None:
    """Show the effective settings, and store those that the desk can change."""


@config.command("show")
@click.option("--where", is_flag=True, help="Show where each comes from: file, environment, desk or default.")
@json_option
@click.pass_obj
def show_config(config_file: str | None, where: bool, as_json: bool) -> None:
    """Print the effective settings, without secrets: of file, environment and desk together."""
    in_force = settings_in_force(config_file)
    if where:
        shown = [asdict(each) for each in settings_shown(in_force)]
        if as_json:
            print_json(shown)
            return
        columns = (Column("setting"), Column("value", least=12), Column("from"))
        print_table("Settings", columns, [(s["name"], str(s["value"]), s["place"]) for s in shown], "")
        return
    values = public_settings(in_force)
    if as_json:
        print_json(values)
        return
    for name, value in values.items():
        if isinstance(value, dict) and value:
            say(f"{name}:")
            for key, inner in value.items():
                say(f"  {key}: {inner}")
        else:
            say(f"{name}: {value}")


@config.command("set")
@click.argument("name")
@click.argument("value", required=False)
@click.option(
    "--file", "path", type=click.Path(path_type=Path, allow_dash=True), help="Take its text instead."
)
@click.option("--default", "back", is_flag=True, help="Take back what is stored.")
@click.option("--version", type=click.IntRange(1), help="Put this earlier version in force again.")
@click.option("--why", default="", help="Why, for those who look at it later.")
@admin_option
@click.pass_obj
def set_value(
    config_file: str | None,
    name: str,
    value: str | None,
    path: Path | None,
    back: bool,
    version: int | None,
    why: str,
    admin: str | None,
) -> None:
    """Store setting NAME in the desk, as VALUE or the text of a file; every process takes it at once.

    A value that file or environment set wins over it and cannot be stored.
    """
    if sum((value is not None, path is not None, back, version is not None)) != 1:
        raise click.UsageError("Give one of VALUE, --file, --default and --version.")
    desk, by = desk_of(settings(config_file), upgrade=True), operator_of(admin)
    if version is not None:
        number = desk.settings.put_back(name, version, by=by)
    else:
        text = None if back else value if path is None else _text(path)
        number = desk.settings.store_value(name, text, by=by, why=why)
    say(f"{name} is stored as version {number}.")


def _text(path: Path) -> str:
    if str(path) == "-":
        return standard_input().read(LONGEST_VALUE).decode("utf-8", "replace")
    return read_text_file(path, LONGEST_VALUE)


@config.command("history")
@click.argument("name")
@admin_option
@json_option
@click.pass_obj
def history(config_file: str | None, name: str, admin: str | None, as_json: bool) -> None:
    """Show every stored version of setting NAME, newest first. Exit code 1 when there is none."""
    rows = desk_of(settings(config_file)).settings.history(name, by=operator_of(admin))
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        columns = (Column("version"), Column("when (UTC)"), Column("who"), Column("why", least=8))
        lines = [
            (row.version, f"{row.at:%Y-%m-%d %H:%M}", row.actor.removeprefix("agent:"), row.why)
            for row in rows
        ]
        print_table(f"Versions of {name}", columns, lines, f"Nothing is stored of {name}.")
    sys.exit(0 if rows else 1)


@click.command()
@click.option("--actor", default="", help="Only what this agent did.")
@click.option("--what", default="", help="Only lines of this word, such as setting_stored.")
@click.option("--before", type=click.IntRange(1), help="Only lines before this one.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@admin_option
@json_option
@click.pass_obj
def audit(
    config_file: str | None,
    actor: str,
    what: str,
    before: int | None,
    limit: int,
    admin: str | None,
    as_json: bool,
) -> None:
    """Show the audit log: what people did or read that no ticket tells, newest first."""
    lines = desk_of(settings(config_file)).audit_log.page(
        by=operator_of(admin), before=before, actor=actor, what=what, limit=limit
    )
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    columns = (Column("line"), Column("when (UTC)"), Column("who"), Column("what"), Column("facts", least=12))
    rows = [
        (
            line.id,
            f"{line.at:%Y-%m-%d %H:%M}",
            line.actor.removeprefix("agent:"),
            line.what,
            ", ".join(f"{key} {value}" for key, value in line.facts.items()),
        )
        for line in lines
    ]
    print_table("Audit log", columns, rows, "Nothing is on record.")
