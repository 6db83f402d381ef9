"""What commands begin with: the settings, the desk over their store, and who is acting.

Imported inside functions, so that ``--help`` waits for none of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from relaydesk.config import Settings
    from relaydesk.desk import Desk

as_option = click.option(
    "--as", "name", metavar="AGENT", help="Who does it (default: the setting agent, RELAYDESK_AGENT)."
)


def settings(config: str | None) -> Settings:
    """The effective settings; ``config`` is the file named on the command line."""
    from relaydesk.config import load_settings

    return load_settings(Path(config) if config else None)


def desk_of(conf: Settings, *, upgrade: bool = False) -> Desk:
    """The desk over the store of the settings."""
    from relaydesk.config import open_desk

    return open_desk(conf, upgrade=upgrade)


def agent_of(conf: Settings, name: str | None) -> str:
    """Who acts on a ticket: ``--as``, else the setting. It is never the login name of this machine."""
    from relaydesk.desk import agent_actor

    agent = name or conf.agent
    if not agent:
        raise click.UsageError(
            "Say which agent you are with --as NAME, or set agent in relaydesk.yaml or RELAYDESK_AGENT."
        )
    return agent_actor(agent)


def operator_of(name: str | None) -> str:
    """Who manages: the agent of ``--as``, else the operator at this console."""
    from relaydesk.desk import CONSOLE, agent_actor

    return agent_actor(name) if name else CONSOLE
