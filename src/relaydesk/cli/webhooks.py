"""``relaydesk webhooks``: the addresses that are told of tickets, and what they were told."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from relaydesk.cli.opening import ROW_ID, admin_option, desk_of, operator_of, settings
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.cli.tables import Column, print_table

if TYPE_CHECKING:
    from datetime import datetime

event_option = click.option(
    "--event", "events", multiple=True, metavar="TYPE", help="Tell of this type (default: all); repeatable."
)


@click.group()
def webhooks() -> None:
    """Tell other programs of tickets: opened, warned, breached, answered, bounced, escalated.

    Each is posted as JSON, signed as standardwebhooks.com describes, and tried again for a day.
    """


@webhooks.command("add")
@click.argument("url")
@event_option
@admin_option
@json_option
@click.pass_obj
def add_webhook(
    config: str | None, url: str, events: tuple[str, ...], admin: str | None, as_json: bool
) -> None:
    """Add a webhook that posts to URL, and print its secret, once."""
    hooks = desk_of(settings(config)).webhooks
    by = operator_of(admin)
    number, secret = hooks.add(url, events, by=by) if events else hooks.add(url, by=by)
    if as_json:
        print_json({"id": number, "secret": secret})
        return
    say(f"Webhook {number} has been added.")
    say(f"Secret: {secret}")
    say("The secret is shown only once; the receiver checks the signatures with it.", err=True)


@webhooks.command("change")
@click.argument("webhook_id", metavar="ID", type=ROW_ID)
@click.option("--url", help="Post to this address.")
@event_option
@click.option("--stop/--start", "stop", default=None, help="Stop it, or start it again.")
@click.option("--new-secret", is_flag=True, help="Make another secret and print it.")
@admin_option
@click.pass_obj
def change_webhook(
    config: str | None,
    webhook_id: int,
    url: str | None,
    events: tuple[str, ...],
    stop: bool | None,
    new_secret: bool,
    admin: str | None,
) -> None:
    """Change webhook ID."""
    hooks, by = desk_of(settings(config)).webhooks, operator_of(admin)
    if new_secret:
        say(f"Secret: {hooks.new_secret(webhook_id, by=by)}")
    if url is not None or events or stop is not None or not new_secret:
        active = None if stop is None else not stop
        hooks.change(webhook_id, url=url, events=events or None, active=active, by=by)
        say(f"Webhook {webhook_id} has been changed.")


@webhooks.command("list")
@admin_option
@json_option
@click.pass_obj
def list_webhooks(config: str | None, admin: str | None, as_json: bool) -> None:
    """List the webhooks."""
    everything = desk_of(settings(config)).webhooks.everything(by=operator_of(admin))
    if as_json:
        print_json([asdict(hook) for hook in everything])
        return
    rows = [
        (hook.id, hook.url, " ".join(hook.events), "yes" if hook.active else hook.stopped_because)
        for hook in everything
    ]
    columns = (
        Column("id", right=True),
        Column("address", least=20),
        Column("told of", least=12, rank=1),
        Column("active"),
    )
    print_table(
        "Webhooks", columns, rows, "There are no webhooks yet; add one with `relaydesk webhooks add`."
    )


@webhooks.command("log")
@click.argument("webhook_id", metavar="[ID]", type=ROW_ID, required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Rows at most.")
@admin_option
@json_option
@click.pass_obj
def log_webhooks(
    config: str | None, webhook_id: int | None, limit: int, admin: str | None, as_json: bool
) -> None:
    """Show what was delivered, newest first: of webhook ID, or all, digests by mail too."""
    news = desk_of(settings(config)).webhooks.log(webhook_id, by=operator_of(admin), limit=limit)
    if as_json:
        print_json([asdict(row) for row in news])
        return
    rows = [
        (
            row.id,
            row.webhook_id or row.recipient,
            row.what,
            row.state,
            row.attempts,
            f"{row.last_code or ''} {row.last_text}".strip(),
            _when(row.ended_at or row.next_try_at),
        )
        for row in news
    ]
    columns = (
        Column("id", right=True),
        Column("to", least=6),
        Column("type", least=8),
        Column("state"),
        Column("tries", right=True, rank=2),
        Column("reply", least=12, rank=1),
        Column("ended or next try (UTC)", rank=3),
    )
    print_table("Deliveries", columns, rows, "Nothing has been delivered yet.")


@webhooks.command("test")
@click.argument("webhook_id", metavar="ID", type=ROW_ID)
@admin_option
@click.pass_obj
def try_webhook(config: str | None, webhook_id: int, admin: str | None) -> None:
    """Send webhook ID a test; `webhooks log` tells what it answered."""
    desk_of(settings(config)).webhooks.try_out(webhook_id, by=operator_of(admin))
    say(f"A test waits for webhook {webhook_id}; see `relaydesk webhooks log {webhook_id}`.")


@webhooks.command("again")
@click.argument("delivery_id", metavar="DELIVERY", type=ROW_ID)
@admin_option
@click.pass_obj
def deliver_again(config: str | None, delivery_id: int, admin: str | None) -> None:
    """Send a delivery that has ended once more."""
    desk_of(settings(config)).webhooks.again(delivery_id, by=operator_of(admin))
    say(f"Delivery {delivery_id} will be sent again.")


def _when(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}"
