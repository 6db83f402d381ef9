"""Commands for who works here: agents, and other help desks that hand in their answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from relaydesk.cli.opening import desk_of, operator_of, settings
from relaydesk.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from relaydesk.store import AgentRole

admin_option = click.option(
    "--as", "admin", metavar="AGENT", help="The admin who does it (default: the operator of this console)."
)
display_option = click.option("--display-name", default="", help="How the agent signs answers.")
email_option = click.option("--email", default="", help="Where to reach them.")
role_option = click.option("--role", type=click.Choice(["agent", "lead", "admin"]), help="What they may do.")


@click.group()
def agents() -> None:
    """Who works in the queues."""


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
    """Add agent NAME (role agent, unless --role says otherwise), or take a former one back."""
    desk = desk_of(settings(config))
    desk.agents.add(name, display_name=display_name, email=email, role=role, by=operator_of(admin))
    click.echo(f"Agent {name} is added.")


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
    """Change how agent NAME signs, is reached, or what they may do."""
    desk = desk_of(settings(config))
    desk.agents.change(name, display_name=display_name, email=email, role=role, by=operator_of(admin))
    click.echo(f"Agent {name} is changed.")


@agents.command("deactivate")
@click.argument("name")
@admin_option
@click.pass_obj
def deactivate(config: str | None, name: str, admin: str | None) -> None:
    """Take agent NAME out of service; their tickets and figures stay."""
    desk_of(settings(config)).agents.deactivate(name, by=operator_of(admin))
    click.echo(f"Agent {name} is no longer active.")


@agents.command("list")
@json_option
@click.pass_obj
def list_agents(config: str | None, as_json: bool) -> None:
    """List the agents."""
    everybody = desk_of(settings(config)).agents.everybody()
    if as_json:
        print_json([asdict(agent) for agent in everybody])
        return
    rows = [
        (agent.name, agent.display_name, agent.role, agent.email, _yes(agent.active), agent.added_at.date())
        for agent in everybody
    ]
    columns = ("name", "display name", "role", "email", "active", "since")
    print_table("Agents", columns, rows, "There are no agents yet; add one with `relaydesk agents add NAME`.")


def _yes(active: bool) -> str:
    return "yes" if active else "no"


@click.group("gateway")
def gateway() -> None:
    """The other help desks that may hand in their answers."""


@gateway.command("add")
@click.argument("name")
@admin_option
@json_option
@click.pass_obj
def add_client(config: str | None, name: str, admin: str | None, as_json: bool) -> None:
    """Add the client NAME and print its password, once."""
    password = desk_of(settings(config), upgrade=True).gateway_clients.add(name, by=operator_of(admin))
    if as_json:
        print_json({"name": name, "password": password})
        return
    click.echo(f"User name: {name}")
    click.echo(f"Password:  {password}")
    click.echo("The password is shown only now; write it into the help desk's SMTP settings.", err=True)


@gateway.command("list")
@json_option
@click.pass_obj
def list_clients(config: str | None, as_json: bool) -> None:
    """List the clients, revoked ones too."""
    clients = desk_of(settings(config)).gateway_clients.everybody()
    if as_json:
        print_json([asdict(client) for client in clients])
        return
    rows = [
        (client.name, _when(client.created_at), _when(client.last_used_at), _when(client.revoked_at))
        for client in clients
    ]
    empty = "No help desk may hand in answers yet; `relaydesk gateway add NAME` makes a client."
    print_table("Gateway clients", ("name", "added (UTC)", "last used", "revoked"), rows, empty)


@gateway.command("revoke")
@click.argument("name")
@admin_option
@click.pass_obj
def revoke_client(config: str | None, name: str, admin: str | None) -> None:
    """Refuse the client NAME from now on."""
    desk_of(settings(config)).gateway_clients.revoke(name, by=operator_of(admin))
    click.echo(f"{name} is refused from now on.")


def _when(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else "-"
