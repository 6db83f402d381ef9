"""Commands about arriving mail: what would happen to it, when it would be due, which networks are listed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relaydesk import intake
from relaydesk.business_time import READINGS, Target, explain_due
from relaydesk.cli.opening import address, moment, settings
from relaydesk.cli.output import json_option, print_json, print_table
from relaydesk.config import parts, utc_now
from relaydesk.dns import Resolver, ZoneSource, parse_zone
from relaydesk.doctor import audit_networks
from relaydesk.policy import LISTS, AllowlistError
from relaydesk.smtpd import read_flaw, reply_for

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.config import Settings

EXPLAINED = (
    ("outcome", "outcome"),
    ("reply", "reply"),
    ("kind", "kind"),
    ("queue", "queue"),
    ("relay_address", "relay address"),
    ("order_ids", "orders"),
    ("merchant_refs", "seller's references"),
)


@click.command()
@click.argument("message", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--peer", required=True, callback=address, help="Address of the client host.")
@click.option("--helo", help="HELO name of the client (default: its address literal).")
@click.option("--mail-from", help="Reverse-path, '' for the null sender (default: Return-Path, else From).")
@click.option(
    "--rcpt", multiple=True, help="Recipient, may be repeated (default: the first mailbox of the settings)."
)
@click.option(
    "--zone",
    type=click.Path(path_type=Path),
    help="Answer DNS queries from this zone file instead of the network.",
)
@click.option("--now", "at", callback=moment, help="Time of receipt, ISO 8601 (default: now).")
@click.option("--allowlist", "list_file", type=click.Path(path_type=Path), help="Allowlist file to use.")
@json_option
@click.pass_obj
def explain(
    config: str | None,
    message: Path,
    peer: str,
    helo: str | None,
    mail_from: str | None,
    rcpt: tuple[str, ...],
    zone: Path | None,
    at: datetime | None,
    list_file: Path | None,
    as_json: bool,
) -> None:
    """Explain what would happen to MESSAGE (a file, or - for standard input).

    Runs authentication and sorting against an empty store; nothing is stored.
    """
    conf = settings(config)
    if list_file is not None:
        conf = conf.model_copy(update={"allowlist": list_file})
    raw = sys.stdin.buffer.read() if str(message) == "-" else message.read_bytes()
    answer = asyncio.run(_explained(conf, raw, peer, helo, mail_from, rcpt, zone, at or utc_now()))
    if as_json:
        print_json(answer)
    else:
        _tell(answer)


async def _explained(
    conf: Settings,
    raw: bytes,
    peer: str,
    helo: str | None,
    mail_from: str | None,
    rcpt: tuple[str, ...],
    zone: Path | None,
    at: datetime,
) -> dict[str, Any]:
    # Without any mailbox in the settings, what is asked about is taken for one.
    mailboxes = conf.mailboxes or tuple(address.lower() for address in rcpt) or ("help@shop.example",)
    policy = parts.policy(conf, parts.allowlist(conf), mailboxes=mailboxes)
    resolver = parts.resolver(conf)
    if zone is not None:
        resolver = Resolver(ZoneSource(parse_zone(parts.read_yaml(zone) or {})))
    envelope = intake.envelope_of_file(
        raw, peer=peer, helo=helo, mail_from=mail_from, rcpt=rcpt or mailboxes[:1], policy=policy, now=at
    )
    flaw = read_flaw(envelope.raw, conf.limits)
    gathered, decision = await intake.explain(envelope, resolver, policy, parts.rules(conf), flaw)
    return intake.explanation(envelope, gathered, decision, reply_for(decision).line())


def _tell(answer: dict[str, Any]) -> None:
    for key, title in EXPLAINED:
        value = answer[key]
        if value:
            click.echo(f"{title:>20}  {', '.join(value) if isinstance(value, list) else value}")
    origin, auth = answer["origin"], answer["auth"]
    click.echo(f"{'origin':>20}  {origin['ip'] or 'unknown'} ({origin['role']}, by {origin['how']})")
    for name, result in (
        ("SPF", auth["spf"]),
        *(("DKIM", signature) for signature in auth["dkim"]),
        ("DMARC", auth["dmarc"]),
    ):
        click.echo(f"{name:>20}  {result['result']} {result['domain'] or ''} {result['reason']}".rstrip())
    for clock in answer["deadlines"]:
        click.echo(f"{clock['clock'] + ' due':>20}  {clock['due']}  ({clock['target']}, {clock['reading']})")
        for line in clock["explanation"]:
            click.echo(f"{'':>20}    {line}")
    for near in answer["rule"]["near"]:
        click.echo(f"{'nearly':>20}  rule {near['rule']}: {near['lacked']}")
    for why in answer["reasons"]:
        click.echo(f"{why['code']:>20}  {why['text']}")


@click.command()
@click.option("--received", required=True, metavar="ISO", help="When the message came, with its zone.")
@click.option("--target", default="2 business days", show_default=True, help="Such as '16 business hours'.")
@click.option("--reading", type=click.Choice(READINGS), default="elapsed", show_default=True)
@click.option("--calendar", "calendar_file", type=click.Path(path_type=Path), help="Calendar file, YAML.")
@json_option
@click.pass_obj
def due(
    config: str | None, received: str, target: str, reading: str, calendar_file: Path | None, as_json: bool
) -> None:
    """Say when an answer would be due, and why.

    Without --calendar the calendar of the settings counts.
    """
    if calendar_file is not None:
        calendar = parts.calendar_file(calendar_file)
    else:
        calendar = parts.calendar(settings(config))
    for warning in calendar.warnings:
        click.echo(f"relaydesk: {warning}", err=True)
    try:
        Target.parse(target)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--target") from None
    try:
        answer = explain_due(received, target, reading, calendar)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--received") from None
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['due']}  ({answer['reading']})")
    for line in answer["explanation"]:  # type: ignore[attr-defined]
        click.echo(f"  {line}")


@click.group()
def allowlist() -> None:
    """Check the allowlist, or compare it with DNS."""


@allowlist.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@click.pass_obj
def check(config: str | None, file: Path | None, as_json: bool) -> None:
    """Check the allowlist; every bad line is reported with its number."""
    conf = settings(config)
    if file is not None:
        conf = conf.model_copy(update={"allowlist": file})
    try:
        lists = parts.allowlist(conf)
    except AllowlistError as error:
        if as_json:
            print_json({"ok": False, "problems": [{"line": p.line, "text": p.text} for p in error.problems]})
        else:
            click.echo(str(error), err=True)
        sys.exit(1)
    counts = {name: len(getattr(lists, name)) for name in LISTS}
    if as_json:
        print_json({"ok": True, "source": lists.source, **counts})
    else:
        sizes = ", ".join(f"{count} {name}" for name, count in counts.items())
        click.echo(f"{lists.source} is valid: {sizes}.")


@allowlist.command("audit")
@click.option(
    "--sender", "extra", multiple=True, help="Another domain whose SPF record is read, such as facebook.com."
)
@json_option
@click.pass_obj
def audit(config: str | None, extra: tuple[str, ...], as_json: bool) -> None:
    """Compare the listed networks with what the senders publish in SPF. Exit code 1 when they differ."""
    conf = settings(config)
    lists = parts.allowlist(conf)
    differences = audit_networks(
        [*lists.senders, *extra],
        [entry.network for entry in lists.networks],
        conf.nameservers,
        conf.dns_timeout,
    )
    if as_json:
        print_json(
            {
                "lacking": [
                    {"network": str(net), "published_by": list(by)} for net, by in differences.lacking
                ],
                "unpublished": [str(network) for network in differences.unpublished],
                "remarks": list(differences.remarks),
            }
        )
    else:
        rows = [(str(network), ", ".join(by)) for network, by in differences.lacking]
        print_table(
            "Published, not listed", ("network", "published by"), rows, "Every published network is listed."
        )
        idle = [(str(network),) for network in differences.unpublished]
        print_table("Listed, not published", ("network",), idle, "Every listed network is published.")
        for remark in differences.remarks:
            click.echo(remark, err=True)
    sys.exit(1 if differences.lacking or differences.unpublished or differences.remarks else 0)
