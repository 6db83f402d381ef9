"""Commands that run relaydesk or look at how it is set up."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from relaydesk import server
from relaydesk.cli.opening import settings
from relaydesk.cli.output import say
from relaydesk.server import ALL_ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _loading() -> Iterator[None]:
    """What a server loads at its start stays till its end, so nobody looks for garbage in it, then or later.

    To look takes a tenth of the start, and later a moment again and again in which no mail is read.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@click.command()
@click.option(
    "--role",
    "roles",
    type=click.Choice(ALL_ROLES),
    multiple=True,
    help="Run only this role, for one of several machines; may be repeated (default: all).",
)
@click.pass_obj
def serve(config: str | None, roles: tuple[str, ...]) -> None:
    """Run the server: receive mail, track deadlines, send answers.

    SIGTERM or Ctrl-C drains and stops; SIGHUP reloads the lists, the rules and the certificate.
    """
    with _loading():
        run, conf = server.serve, settings(config)
    sys.exit(run(conf, config, roles or ALL_ROLES))


@click.command("run-door", hidden=True)
@click.option("--share", type=click.IntRange(1), default=1)
@click.pass_obj
def run_door(config: str | None, share: int) -> None:
    """One listener process; started by `serve`."""
    with _loading():
        run, conf = server.run_door, settings(config)
    sys.exit(run(conf, share))


@click.command("run-office", hidden=True)
@click.pass_obj
def run_office(config: str | None) -> None:
    """The office process; started by `serve`."""
    with _loading():
        run, conf = server.run_office, settings(config)
    sys.exit(run(conf))


@click.command()
@click.option("--once", is_flag=True, help="Exit after the samples instead of serving until Ctrl-C.")
@click.option("--every", is_flag=True, help="List every sample message with its reply.")
@click.option("--port", type=click.IntRange(0, 65535), help="SMTP port on 127.0.0.1 (default: a free one).")
@click.option("--web-port", type=click.IntRange(0, 65535), help="Port of the desk in a browser (likewise).")
def demo(once: bool, every: bool, port: int | None, web_port: int | None) -> None:
    """Show relaydesk at work on sample mail, on this machine only: no account, no outside service."""
    from relaydesk.demo import run

    sys.exit(run(once=once, port=port, web_port=web_port, every=every))


@click.group()
def db() -> None:
    """Upgrade the database."""


@db.command("upgrade")
@click.pass_obj
def upgrade(config_file: str | None) -> None:
    """Upgrade the database schema. `serve` does this when it starts."""
    from relaydesk.config import open_store

    open_store(settings(config_file), upgrade=True).close()
    say("The database is up to date.")
