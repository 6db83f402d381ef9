"""Commands for what admins look after: agents, the help desks that submit answers, the order directory."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relaydesk.characters import one_line
from relaydesk.cli.opening import admin_option, desk_of, operator_of, settings, standard_input
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.cli.tables import Column, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from relaydesk.orders import Imported
    from relaydesk.store import AgentRole

LONGEST_INPUT = 2_000_000_000  # bytes; a million orders take some 200 MB
CHUNK = 1 << 20
SHOWN = 20  # bad rows listed on a screen; --json lists them all
display_option = click.option("--display-name", default="", help="Name that signs the agent's answers.")
email_option = click.option("--email", default="", help="Email address.")
role_option = click.option("--role", type=click.Choice(["agent", "lead", "admin"]), help="Role of the agent.")


@click.group()
def agents() -> None:
    """Manage the agents."""


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
    """Add agent NAME (role agent, unless --role says otherwise), or reactivate a former one."""
    desk = desk_of(settings(config))
    desk.agents.add(name, display_name=display_name, email=email, role=role, by=operator_of(admin))
    say(f"Agent {name} has been added.")


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
    """Deactivate agent NAME; their tickets and figures are kept."""
    desk_of(settings(config)).agents.deactivate(name, by=operator_of(admin))
    say(f"Agent {name} is no longer active.")


@agents.command("link")
@click.argument("name")
@admin_option
@click.pass_obj
def link_agent(config: str | None, name: str, admin: str | None) -> None:
    """Print a link that lets agent NAME into the desk in a browser, once, within 24 hours."""
    conf = settings(config)
    token = desk_of(conf).accounts.link(name, by=operator_of(admin))
    address = conf.web_address or (f"http://{conf.web[0]}" if conf.web else "")
    say(f"{address.rstrip('/')}/enter/{token}")


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
    columns = (
        Column("name", least=8),
        Column("display name", least=10),
        Column("role"),
        Column("email", least=12, rank=1),
        Column("active"),
        Column("since", rank=2),
    )
    print_table("Agents", columns, rows, "There are no agents yet; add one with `relaydesk agents add NAME`.")


def _yes(active: bool) -> str:
    return "yes" if active else "no"


@click.group("gateway")
def gateway() -> None:
    """Manage the help desks that submit their answers."""


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
    say(f"User name: {name}")
    say(f"Password:  {password}")
    say("The password is shown only once; enter it in the help desk's SMTP settings.", err=True)


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
    empty = "There are no gateway clients yet; add one with `relaydesk gateway add NAME`."
    columns = (
        Column("name", least=8),
        Column("added (UTC)", rank=1),
        Column("last used"),
        Column("revoked"),
    )
    print_table("Gateway clients", columns, rows, empty)


@gateway.command("revoke")
@click.argument("name")
@admin_option
@click.pass_obj
def revoke_client(config: str | None, name: str, admin: str | None) -> None:
    """Refuse the client NAME from now on."""
    desk_of(settings(config)).gateway_clients.revoke(name, by=operator_of(admin))
    say(f"{name} is refused from now on.")


def _when(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else "-"


@click.group()
def orders() -> None:
    """Import or find orders of the local directory."""


@orders.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--as", "admin", metavar="AGENT", help="Act as this admin (default: the console operator).")
@json_option
@click.pass_obj
def import_orders(config: str | None, file: Path, admin: str | None, as_json: bool) -> None:
    """Import the orders of FILE (CSV, JSON or JSON lines; - is standard input); a later import updates them.

    Columns: order_id, merchant_ref, state, amount, currency, created_at, ship_by, relay_address,
    marketing_opt_in, items. What the Graph API returns for orders can be imported as it is. A bad cell is
    reported and left out; a row without a good order_id is skipped as a whole, and the exit status is 1.
    """
    desk = desk_of(settings(config), upgrade=True)
    quiet = as_json or not sys.stderr.isatty()
    with (
        _seekable(file) as source,
        click.progressbar(length=1000, label="Importing", file=sys.stderr, hidden=quiet) as bar,
    ):
        imported = desk.orders.import_file(
            source,
            by=operator_of(admin),
            progress=lambda read, size: bar.update(1000 * read // max(1, size) - bar.pos),
        )
    if as_json:
        print_json(asdict(imported))
    else:
        _print_imported(imported)
    sys.exit(1 if imported.left_out else 0)


@contextmanager
def _seekable(file: Path) -> Iterator[Path | BinaryIO]:
    """The file; for ``-`` what comes on standard input, which is read to its end first."""
    if str(file) != "-":
        yield file
        return
    with tempfile.TemporaryFile() as held:
        stream, left = standard_input(), LONGEST_INPUT
        while left > 0 and (chunk := stream.read(min(left, CHUNK))):
            left -= held.write(chunk)
        if not left:
            raise click.UsageError(
                f"Standard input holds more than {LONGEST_INPUT:,} bytes; import a file, or several."
            )
        held.seek(0)
        yield held


def _print_imported(imported: Imported) -> None:
    for cell in imported.cells[:SHOWN]:
        say(f"Row {cell.row} without its {cell.column}: {cell.why}", err=True)
    for rejected in imported.rejected[:SHOWN]:
        say(f"Row {rejected.row} is skipped: {rejected.why}", err=True)
    if max(imported.left_out, imported.left_out_cells) > SHOWN:
        say(f"Only the first {SHOWN} of each are shown; use --json to see all.", err=True)
    if imported.ignored:
        say(f"Ignored unknown columns: {', '.join(imported.ignored)}.", err=True)
    if imported.encoding == "cp1252":
        say("The file is not UTF-8; it was read as windows-1252.", err=True)
    counts = f"{imported.added} added, {imported.updated} updated, {imported.unchanged} unchanged"
    count = imported.left_out_cells
    cells = f", {count} cell{'s' * (count > 1)} left out" if count else ""
    tied = f"{imported.tied} ticket{'' if imported.tied == 1 else 's'} tied"
    say(f"{counts}, {imported.left_out} skipped{cells}, {tied}.")


@orders.command("find")
@click.argument("text")
@json_option
@click.pass_obj
def find(config: str | None, text: str, as_json: bool) -> None:
    """Find orders by Facebook order id, seller's reference or the buyer's relay address."""
    matching = desk_of(settings(config)).orders.find(text)
    if as_json:
        print_json([asdict(order) for order in matching])
    else:
        rows = [
            (
                order.id,
                order.merchant_ref,
                order.state,
                f"{order.amount} {order.currency}".strip(),
                order.created_at.date() if order.created_at else "-",
                order.relay_address,
                ", ".join(
                    f"{item.quantity} x {item.retailer_id or item.name or item.id}" for item in order.items
                ),
            )
            for order in matching
        ]
        columns = (
            Column("order"),
            Column("seller's ref", least=8, rank=1),
            Column("state", rank=3),
            Column("amount", rank=2),
            Column("date", rank=5),
            Column("relay address", least=12),
            Column("items", least=16, rank=4),
        )
        print_table("Orders", columns, rows, f"No order matches {one_line(text)!r}.")
    sys.exit(0 if matching else 1)
