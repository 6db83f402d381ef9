"""Commands about mail at the door: what would happen, who may come, what was turned away."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relaydesk import app, setup
from relaydesk import explain as explaining
from relaydesk.cli.output import json_option, print_json
from relaydesk.door.networks import canonical
from relaydesk.mailauth.resolver import Resolver
from relaydesk.mailauth.zone import ZoneSource, parse_zone

if TYPE_CHECKING:
    from relaydesk.settings import Settings

EXPLAINED = (
    ("outcome", "outcome"),
    ("reply", "reply"),
    ("kind", "kind"),
    ("queue", "queue"),
    ("relay_address", "relay address"),
    ("order_ids", "orders"),
    ("merchant_refs", "seller's references"),
)


def moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """An option's ISO 8601 time with its zone, as aware UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write it as 2026-11-23T09:30:00Z") from None
    if found.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no zone; add Z for UTC or an offset such as -08:00")
    return found.astimezone(UTC)


def address(_: click.Context, __: click.Parameter, text: str) -> str:
    """An option's IP address in canonical text."""
    found = canonical(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no IP address; write it as 66.220.144.130 or 2001:db8::1")
    return str(found)


@click.command()
@click.argument("message", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--peer", required=True, callback=address, help="Address of the host that would hand it in.")
@click.option("--helo", help="Name it would say (default: its address literal).")
@click.option("--mail-from", help="Reverse-path; '' is the null sender (default: Return-Path, else From).")
@click.option("--rcpt", multiple=True, help="Recipient, may be repeated (default: a mailbox of ours).")
@click.option("--zone", type=click.Path(path_type=Path), help="Answer DNS from this file, ask no server.")
@click.option("--now", "at", callback=moment, help="Moment of receipt, ISO 8601 (default: now).")
@click.option("--allowlist", "lists", type=click.Path(path_type=Path), help="Lists of networks to use.")
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
    lists: Path | None,
    as_json: bool,
) -> None:
    """Say what would happen to MESSAGE (a file, or - for standard input), and why.

    Runs the whole line on an empty store and keeps nothing.
    """
    conf = setup.settings(config)
    if lists is not None:
        conf = conf.model_copy(update={"allowlist": lists})
    raw = sys.stdin.buffer.read() if str(message) == "-" else message.read_bytes()
    answer = asyncio.run(_explained(conf, raw, peer, helo, mail_from, rcpt, zone, at or app.now()))
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
    mailboxes = conf.mailboxes or tuple(one.lower() for one in rcpt) or ("help@shop.example",)
    policy = setup.policy(conf, setup.allowlist(conf), mailboxes=mailboxes)
    resolver = app.open_resolver(conf)
    if zone is not None:
        resolver = Resolver(ZoneSource(parse_zone(setup.read_yaml(zone) or {})))
    envelope = explaining.envelope_of(
        raw, peer=peer, helo=helo, mail_from=mail_from, rcpt=rcpt or mailboxes[:1], policy=policy, now=at
    )
    gathered, decision = await explaining.explain(envelope, resolver, policy, setup.rules(conf))
    return explaining.as_object(envelope, gathered, decision)


def _tell(answer: dict[str, Any]) -> None:
    for key, title in EXPLAINED:
        value = answer[key]
        if value:
            click.echo(f"{title:>20}  {', '.join(value) if isinstance(value, list) else value}")
    origin, auth = answer["origin"], answer["auth"]
    click.echo(f"{'origin':>20}  {origin['ip'] or 'unknown'} ({origin['role']}, by {origin['how']})")
    for name, found in (
        ("SPF", auth["spf"]),
        *(("DKIM", one) for one in auth["dkim"]),
        ("DMARC", auth["dmarc"]),
    ):
        click.echo(f"{name:>20}  {found['result']} {found['domain'] or ''} {found['reason']}".rstrip())
    for clock in answer["deadlines"]:
        click.echo(f"{clock['clock'] + ' due':>20}  {clock['due']}  ({clock['target']}, {clock['reading']})")
        for line in clock["explanation"]:
            click.echo(f"{'':>20}    {line}")
    for near in answer["rule"]["near"]:
        click.echo(f"{'nearly':>20}  rule {near['rule']}: {near['lacked']}")
    for why in answer["reasons"]:
        click.echo(f"{why['code']:>20}  {why['text']}")


@click.group()
def allowlist() -> None:
    """Check the lists of networks, or audit them against DNS."""


@allowlist.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@click.pass_obj
def check(config: str | None, file: Path | None, as_json: bool) -> None:
    """Say whether the lists can be used; every bad line is named with its number."""
    conf = setup.settings(config)
    if file is not None:
        conf = conf.model_copy(update={"allowlist": file})
    try:
        found = setup.allowlist(conf)
    except setup.lists.AllowlistError as error:
        if as_json:
            print_json({"ok": False, "problems": [{"line": p.line, "text": p.text} for p in error.problems]})
        else:
            click.echo(str(error), err=True)
        sys.exit(1)
    counts = {name: len(getattr(found, name)) for name in setup.lists.LISTS}
    if as_json:
        print_json({"ok": True, "source": found.source, **counts})
    else:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        click.echo(f"{found.source} is good: {told}.")
