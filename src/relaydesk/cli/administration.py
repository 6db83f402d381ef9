"""Commands for what admins look after: the help desks that submit answers, the order directory."""

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

LONGEST_INPUT = 2_000_000_000  # bytes; a million orders take some 200 MB
CHUNK = 1 << 20
SHOWN = 20  # bad rows listed on a screen; --json lists them all


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
