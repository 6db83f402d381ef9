"""Commands that run relaydesk or look at how it is set up."""

from __future__ import annotations

import sys

import click

from relaydesk import server
from relaydesk.cli.opening import settings
from relaydesk.cli.output import json_option, print_json
from relaydesk.config import open_store, public_settings
from relaydesk.server import ALL_ROLES


@click.command()
@click.option(
    "--role",
    "roles",
    type=click.Choice(ALL_ROLES),
    multiple=True,
    help="Run only this part, as on one of several machines; may be given twice. Default: all.",
)
@click.pass_obj
def serve(config: str | None, roles: tuple[str, ...]) -> None:
    """Receive mail and keep the clock: the whole of relaydesk.

    SIGTERM or Ctrl-C drains and stops; SIGHUP reloads the lists, the rules and the certificate.
    """
    sys.exit(server.serve(settings(config), config, roles or ALL_ROLES))


@click.command("run-door", hidden=True)
@click.option("--share", type=click.IntRange(1), default=1)
@click.pass_obj
def run_door(config: str | None, share: int) -> None:
    """One listener process; started by `serve`."""
    sys.exit(server.run_door(settings(config), share))


@click.command("run-office", hidden=True)
@click.pass_obj
def run_office(config: str | None) -> None:
    """The office process; started by `serve`."""
    sys.exit(server.run_office(settings(config)))


@click.command()
@click.option("--once", is_flag=True, help="Stop after the samples instead of serving on.")
@click.option("--port", type=click.IntRange(0, 65535), help="SMTP port on 127.0.0.1 (default: a free one).")
def demo(once: bool, port: int | None) -> None:
    """Show it all on sample mail, on this machine alone: no account, no outside service."""
    from relaydesk.demo import run

    sys.exit(run(once=once, port=port))


@click.group()
def config() -> None:
    """The effective settings."""


@config.command("show")
@json_option
@click.pass_obj
def show_config(config_file: str | None, as_json: bool) -> None:
    """Print the effective settings, without secrets."""
    shown = public_settings(settings(config_file))
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        if isinstance(value, dict) and value:
            click.echo(f"{name}:")
            for key, inner in value.items():
                click.echo(f"  {key}: {inner}")
        else:
            click.echo(f"{name}: {value}")


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@click.pass_obj
def upgrade(config_file: str | None) -> None:
    """Bring the database's schema up to date. `serve` does it by itself at its start."""
    open_store(settings(config_file), upgrade=True).close()
    click.echo("The database is up to date.")
