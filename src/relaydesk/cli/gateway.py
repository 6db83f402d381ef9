"""The clients of the gateway on the command line."""

from __future__ import annotations

import secrets

import click

from relaydesk.cli.output import json_option, print_json, print_table
from relaydesk.config import parts
from relaydesk.desk import add_client, revoke_client
from relaydesk.server import open_store, utc_now
from relaydesk.store import gateway_clients as store_gateway


@click.group("gateway")
def gateway() -> None:
    """The other help desks that may hand in their answers."""


@gateway.command("add")
@click.argument("name")
@json_option
@click.pass_obj
def add(config: str | None, name: str, as_json: bool) -> None:
    """Add the client NAME and print its password, once."""
    store = open_store(parts.settings(config), upgrade=True)
    made = add_client(store, name, password=secrets.token_urlsafe, salt=secrets.token_bytes, now=utc_now())
    if as_json:
        print_json({"name": name, "password": made})
        return
    click.echo(f"User name: {name}")
    click.echo(f"Password:  {made}")
    click.echo("The password is shown only now; write it into the help desk's SMTP settings.", err=True)


@gateway.command("list")
@json_option
@click.pass_obj
def list_clients(config: str | None, as_json: bool) -> None:
    """List the clients, revoked ones too."""
    with open_store(parts.settings(config)).reading() as session:
        found = store_gateway.clients(session)
    if as_json:
        print_json(
            [
                {
                    "name": one.name,
                    "created_at": one.created_at,
                    "revoked_at": one.revoked_at,
                    "last_used_at": one.last_used_at,
                }
                for one in found
            ]
        )
        return
    rows = [
        (one.name, f"{one.created_at:%Y-%m-%d %H:%M}", _when(one.last_used_at), _when(one.revoked_at))
        for one in found
    ]
    empty = "No help desk may hand in answers yet; `relaydesk gateway add NAME` makes a client."
    print_table("Gateway clients", ("name", "added (UTC)", "last used", "revoked"), rows, empty)


@gateway.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke(config: str | None, name: str) -> None:
    """Refuse the client NAME from now on."""
    revoke_client(open_store(parts.settings(config)), name, now=utc_now())
    click.echo(f"{name} is refused from now on.")


def _when(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else "-"
