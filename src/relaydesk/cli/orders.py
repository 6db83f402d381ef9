"""The local order directory on the command line."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from relaydesk.cli.opening import desk_of, operator_of, settings
from relaydesk.cli.output import json_option, print_json, print_table

SHOWN = 20  # bad rows told by number on a screen; --json tells them all


@click.group()
def orders() -> None:
    """The local order directory."""


@orders.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--as", "admin", metavar="AGENT", help="The admin who does it (default: the operator of this console)."
)
@json_option
@click.pass_obj
def import_orders(config: str | None, file: Path, admin: str | None, as_json: bool) -> None:
    """Import the orders of FILE (CSV, JSON or JSON lines); a later import updates them.

    Columns: order_id, merchant_ref, state, amount, currency, created_at, ship_by, relay_address,
    marketing_opt_in, items. Bad rows are named and left out; the rest goes in.
    """
    desk = desk_of(settings(config), upgrade=True)
    quiet = as_json or not sys.stderr.isatty()
    with click.progressbar(length=1000, label="Importing", file=sys.stderr, hidden=quiet) as bar:
        imported = desk.orders.import_file(
            file,
            by=operator_of(admin),
            progress=lambda read, size: bar.update(1000 * read // max(1, size) - bar.pos),
        )
    if as_json:
        print_json(asdict(imported))
        return
    for rejected in imported.rejected[:SHOWN]:
        click.echo(f"Row {rejected.row} is left out: {rejected.why}", err=True)
    if imported.left_out > SHOWN:
        click.echo(f"… and {imported.left_out - SHOWN} more; --json names them.", err=True)
    if imported.ignored:
        click.echo(f"Unknown columns were ignored: {', '.join(imported.ignored)}.", err=True)
    counts = f"{imported.added} added, {imported.updated} updated, {imported.unchanged} unchanged"
    click.echo(f"{counts}, {imported.left_out} left out.")


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
        columns = ("order", "seller's ref", "state", "amount", "date", "relay address", "items")
        print_table("Orders", columns, rows, f"No order is known by {text!r}.")
    sys.exit(0 if matching else 1)
