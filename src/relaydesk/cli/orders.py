"""The local order directory on the command line."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from relaydesk.cli.output import json_option, print_json, print_table
from relaydesk.config import parts
from relaydesk.orders import find_orders, import_file
from relaydesk.server import open_store, utc_now

SHOWN = 20  # bad rows told by number on a screen; --json tells them all


@click.group()
def orders() -> None:
    """The local order directory."""


@orders.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def import_orders(config: str | None, file: Path, as_json: bool) -> None:
    """Import the orders of FILE (CSV, JSON or JSON lines); a later import updates them.

    Columns: order_id, merchant_ref, state, amount, currency, created_at, ship_by, relay_address,
    marketing_opt_in, items. Bad rows are named and left out; the rest goes in.
    """
    store = open_store(parts.settings(config), upgrade=True)
    quiet = as_json or not sys.stderr.isatty()
    with click.progressbar(length=1000, label="Importing", file=sys.stderr, hidden=quiet) as bar:
        done = import_file(
            store,
            file,
            now=utc_now(),
            progress=lambda read, size: bar.update(1000 * read // max(1, size) - bar.pos),
        )
    if as_json:
        print_json(asdict(done))
        return
    for bad in done.rejected[:SHOWN]:
        click.echo(f"Row {bad.row} is left out: {bad.why}", err=True)
    if done.left_out > SHOWN:
        click.echo(f"… and {done.left_out - SHOWN} more; --json names them.", err=True)
    if done.ignored:
        click.echo(f"Unknown columns were ignored: {', '.join(done.ignored)}.", err=True)
    told = f"{done.added} added, {done.updated} updated, {done.unchanged} unchanged"
    click.echo(f"{told}, {done.left_out} left out.")


@orders.command("find")
@click.argument("text")
@json_option
@click.pass_obj
def find(config: str | None, text: str, as_json: bool) -> None:
    """Find orders by Facebook order id, seller's reference or the buyer's relay address."""
    found = find_orders(open_store(parts.settings(config)), text)
    if as_json:
        print_json([asdict(order) for order in found])
    else:
        rows = [
            (
                o.id,
                o.merchant_ref,
                o.state,
                f"{o.amount} {o.currency}".strip(),
                o.created_at.date() if o.created_at else "-",
                o.relay_address,
                ", ".join(f"{i.quantity} x {i.retailer_id or i.name or i.id}" for i in o.items),
            )
            for o in found
        ]
        columns = ("order", "seller's ref", "state", "amount", "date", "relay address", "items")
        print_table("Orders", columns, rows, f"No order is known by {text!r}.")
    sys.exit(0 if found else 1)
