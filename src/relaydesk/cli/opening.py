"""What commands begin with: options that several share, the settings, the desk, and who is acting.

Rooms are imported inside functions, so that ``--help`` waits for none of them.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from relaydesk.cli.output import say

if TYPE_CHECKING:
    from relaydesk.config import Settings
    from relaydesk.desk import Desk

LARGEST_ID = 2**63 - 1  # what a database can number
DIGITS = len(str(LARGEST_ID))
admin_option = click.option(
    "--as", "admin", metavar="AGENT", help="Act as this admin (default: the console operator)."
)
as_option = click.option(
    "--as", "name", metavar="AGENT", help="Act as this agent (default: the setting agent, RELAYDESK_AGENT)."
)


class RowId(click.ParamType[int]):
    """The number of a ticket, a message or an answer."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        if not (text.isascii() and text.isdigit()):
            self.fail(f"{text!r} is not a number; use one that a list shows, such as 12.", param, ctx)
        if not 1 <= (number := int(text[:DIGITS])) <= LARGEST_ID or len(text) > DIGITS:
            self.fail(f"Nothing has the number {text[:DIGITS]}{'…' * (len(text) > DIGITS)}.", param, ctx)
        return number


ROW_ID = RowId()


def settings(config: str | None) -> Settings:
    """The effective settings; ``config`` is the file named on the command line."""
    from relaydesk.config import load_settings

    return load_settings(Path(config) if config else None)


def settings_in_force(config: str | None) -> Settings:
    """The settings with what admins have stored in the desk under them; what is left out of that is said."""
    from relaydesk.store import StoreError

    of_files = settings(config)
    try:
        return stored_over(of_files)
    except StoreError as error:
        say(f"relaydesk: {error} What is stored in the desk is left out.", err=True)
    return of_files


def stored_over(of_files: Settings) -> Settings:
    """The same. StoreError when what is stored cannot be read."""
    from relaydesk.config import with_stored

    in_force, problems = with_stored(of_files)
    for problem in problems:
        say(f"relaydesk: A stored setting is left out. {problem}", err=True)
    return in_force


def desk_of(conf: Settings, *, upgrade: bool = False) -> Desk:
    """The desk over the store of the settings."""
    from relaydesk.config import open_desk

    return open_desk(conf, upgrade=upgrade)


def agent_of(conf: Settings, name: str | None) -> str:
    """Who acts on a ticket: ``--as``, else the setting. It is never the login name of this machine."""
    from relaydesk.desk import agent_actor

    agent = conf.agent if name is None else name
    if not agent:
        raise click.UsageError(
            "No agent is named; use --as NAME, or set agent in relaydesk.yaml or RELAYDESK_AGENT."
        )
    return agent_actor(agent)


def operator_of(name: str | None) -> str:
    """Who manages: the agent of ``--as``, else the operator at this console."""
    from relaydesk.desk import CONSOLE, agent_actor

    return agent_actor(name) if name else CONSOLE


def standard_input() -> IO[bytes]:
    """Standard input as bytes. A usage error when this process was started without one."""
    if sys.stdin is None:
        raise click.UsageError("Standard input is closed; name a file instead of -.")
    return sys.stdin.buffer


def moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """An ISO 8601 time with its zone, as aware UTC; ``now`` is this moment."""
    if text is None:
        return None
    if text == "now":
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a time; use a form such as 2026-11-23T09:30:00Z, or now"
        ) from None
    if instant.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no time zone; add Z for UTC or an offset such as -08:00")
    return instant.astimezone(UTC)


def address(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """An IP address in canonical text."""
    if text is None:
        return None
    from relaydesk.message import canonical_ip

    ip = canonical_ip(text)
    if ip is None:
        raise click.BadParameter(
            f"{text!r} is not an IP address; use one such as 66.220.144.130 or 2001:db8::1"
        )
    return str(ip)


def variables(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """``--set tracking.number=…`` as a mapping."""
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE; use a form such as tracking.number=1Z999")
    return {name.strip(): value for name, _, value in (pair.partition("=") for pair in pairs)}


set_option = click.option(
    "--set",
    "values",
    multiple=True,
    callback=variables,
    metavar="NAME=VALUE",
    help="Set a template variable.",
)
