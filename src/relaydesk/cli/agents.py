"""Commands for the people at the desk: who they are, and how they are let in."""

from __future__ import annotations

import socket
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from relaydesk.cli.opening import admin_option, desk_of, operator_of, settings
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.cli.tables import Column, print_table

if TYPE_CHECKING:
    from relaydesk.config import Settings
    from relaydesk.desk import Desk
    from relaydesk.store import AgentRole

EVERYWHERE = ("0.0.0.0", "[::]")  # noqa: S104 - what is replaced by a name
display_option = click.option("--display-name", default="", help="Name that signs the agent's answers.")
email_option = click.option("--email", default="", help="Email address.")
role_option = click.option("--role", type=click.Choice(["agent", "lead", "admin"]), help="Role of the agent.")


@click.group()
def agents() -> None:
    """Manage the agents, and let them in."""


@agents.command("add")
@click.argument("name")
@display_option
@email_option
@role_option
@admin_option
@click.pass_obj
def add_agent(
    config: str | None,
    name: str,
    display_name: str,
    email: str,
    role: AgentRole | None,
    admin: str | None,
) -> None:
    """Add agent NAME (role agent, unless --role says otherwise), or reactivate a former one.

    Prints a link by which the agent chooses a password, once, within 24 hours.
    """
    conf = settings(config)
    desk = desk_of(conf)
    desk.agents.add(name, display_name=display_name, email=email, role=role, by=operator_of(admin))
    say(f"Agent {name} has been added.")
    if conf.web:
        _print_link(conf, desk, name, admin)
    else:
        say(
            "The desk in a browser is off. To use it, set web, such as web: ['127.0.0.1:8080'], start "
            f"relaydesk again, and run `relaydesk agents link {name}`.",
            err=True,
        )


@agents.command("change")
@click.argument("name")
@display_option
@email_option
@role_option
@admin_option
@click.pass_obj
def change_agent(
    config: str | None,
    name: str,
    display_name: str,
    email: str,
    role: AgentRole | None,
    admin: str | None,
) -> None:
    """Change the display name, email address or role of agent NAME."""
    desk = desk_of(settings(config))
    desk.agents.change(name, display_name=display_name, email=email, role=role, by=operator_of(admin))
    say(f"Agent {name} has been changed.")


@agents.command("deactivate")
@click.argument("name")
@admin_option
@click.pass_obj
def deactivate(config: str | None, name: str, admin: str | None) -> None:
    """Deactivate agent NAME, who is out at once; their tickets and figures are kept."""
    desk_of(settings(config)).agents.deactivate(name, by=operator_of(admin))
    say(f"Agent {name} is no longer active.")


@agents.command("link")
@click.argument("name")
@click.option("--reset-authenticator", is_flag=True, help="Ask for no code until they set up a new one.")
@json_option
@admin_option
@click.pass_obj
def link_agent(
    config: str | None, name: str, admin: str | None, *, reset_authenticator: bool, as_json: bool
) -> None:
    """Print a link by which agent NAME chooses a password, once, within 24 hours.

    A former link is void then; a former password is good until the new one is chosen.
    """
    conf = settings(config)
    desk = desk_of(conf)
    if reset_authenticator:
        desk.credentials.reset_authenticator(name, by=operator_of(admin))
    _print_link(conf, desk, name, admin, as_json=as_json)


def _print_link(conf: Settings, desk: Desk, name: str, admin: str | None, *, as_json: bool = False) -> None:
    path = f"/enter/{desk.accounts.link(name, by=operator_of(admin))}"
    address = _address(conf)
    if as_json:
        print_json({"agent": name, "link": f"{address}{path}", "address_known": bool(address)})
        return
    say(f"{address}{path}")
    if not address:
        say(
            "The address of the desk is not known here: put the one that `relaydesk serve` prints before it, "
            "or set web_address.",
            err=True,
        )
    say("The link works once, within 24 hours; give it to nobody else.", err=True)


def _address(conf: Settings) -> str:
    """How browsers reach the desk; "" where the settings do not say."""
    if conf.web_address or not conf.web:
        return conf.web_address
    host, _, port = conf.web[0].rpartition(":")
    if port == "0":
        return ""
    scheme = "https" if conf.web_tls else "http"
    return f"{scheme}://{socket.gethostname() if host in EVERYWHERE else host}:{port}"


@agents.command("sessions")
@click.argument("name")
@click.option("--end", is_flag=True, help="Sign the agent out everywhere.")
@json_option
@admin_option
@click.pass_obj
def sessions(config: str | None, name: str, admin: str | None, *, end: bool, as_json: bool) -> None:
    """List the browsers in which agent NAME is signed in, or end these sessions."""
    desk = desk_of(settings(config))
    if end:
        count = desk.accounts.sign_agent_out(name, by=operator_of(admin))
        if as_json:
            print_json({"agent": name, "ended": count})
        else:
            say(f"{count} session{'' if count == 1 else 's'} ended.")
        return
    rows = desk.accounts.sessions(name)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    cells = [
        (f"{row.begun_at:%Y-%m-%d %H:%M}", row.way, f"{row.seen_at:%Y-%m-%d %H:%M}", row.address, row.browser)
        for row in rows
    ]
    columns = (
        Column("signed in (UTC)"),
        Column("by", least=8),
        Column("last seen"),
        Column("address", least=10, rank=2),
        Column("browser", least=16, rank=1),
    )
    print_table("Sessions", columns, cells, f"Agent {name} is signed in nowhere.")


@agents.command("list")
@json_option
@click.pass_obj
def list_agents(config: str | None, as_json: bool) -> None:
    """List the agents, and how each signs in."""
    desk = desk_of(settings(config))
    everybody, ways = desk.agents.everybody(), desk.accounts.ways()
    if as_json:
        print_json(
            [
                {**asdict(agent), "signs_in": ways[agent.name].way, "seen_at": ways[agent.name].seen_at}
                for agent in everybody
            ]
        )
        return
    rows = [
        (
            agent.name,
            agent.display_name,
            agent.role,
            agent.email,
            "yes" if agent.active else "no",
            ways[agent.name].way if agent.active else "-",
            agent.added_at.date(),
        )
        for agent in everybody
    ]
    columns = (
        Column("name", least=8),
        Column("display name", least=10),
        Column("role"),
        Column("email", least=12, rank=1),
        Column("active"),
        Column("signs in by", least=12, rank=3),
        Column("since", rank=2),
    )
    print_table("Agents", columns, rows, "There are no agents yet; add one with `relaydesk agents add NAME`.")
