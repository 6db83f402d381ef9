"""Commands about mail at the door: what would happen, who may come, whether all is set up."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relaydesk import intake
from relaydesk.cli.opening import settings
from relaydesk.cli.options import address, moment
from relaydesk.cli.output import json_option, print_json, print_table
from relaydesk.config import parts, utc_now
from relaydesk.dns import Resolver, ZoneSource, parse_zone
from relaydesk.doctor import Finding, audit_networks, check_domain, examine, examine_domain
from relaydesk.message import domain_of
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
@click.option("--peer", required=True, callback=address, help="Address of the host that would hand it in.")
@click.option("--helo", help="Name it would say (default: its address literal).")
@click.option("--mail-from", help="Reverse-path; '' is the null sender (default: Return-Path, else From).")
@click.option("--rcpt", multiple=True, help="Recipient, may be repeated (default: a mailbox of ours).")
@click.option("--zone", type=click.Path(path_type=Path), help="Answer DNS from this file, ask no server.")
@click.option("--now", "at", callback=moment, help="Moment of receipt, ISO 8601 (default: now).")
@click.option("--allowlist", "list_file", type=click.Path(path_type=Path), help="Lists of networks to use.")
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
    """Say what would happen to MESSAGE (a file, or - for standard input), and why.

    Runs the whole line on an empty store and keeps nothing.
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


@click.group()
def allowlist() -> None:
    """Check the lists of networks, or audit them against DNS."""


@allowlist.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@click.pass_obj
def check(config: str | None, file: Path | None, as_json: bool) -> None:
    """Say whether the lists can be used; every bad line is named with its number."""
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
        click.echo(f"{lists.source} is good: {sizes}.")


@allowlist.command("audit")
@click.option(
    "--sender", "extra", multiple=True, help="A further domain whose SPF to read, such as facebook.com."
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
        print_table("Published, not listed", ("network", "published by"), rows, "The list lacks nothing.")
        idle = [(str(network),) for network in differences.unpublished]
        print_table("Listed, not published", ("network",), idle, "Every listed network is published.")
        for remark in differences.remarks:
            click.echo(remark, err=True)
    sys.exit(1 if differences.lacking or differences.unpublished or differences.remarks else 0)


@click.command()
@click.option(
    "--domain", "domains", multiple=True, help="The shop's mail domain (default: of the mailboxes)."
)
@json_option
@click.pass_obj
def doctor(config: str | None, domains: tuple[str, ...], as_json: bool) -> None:
    """Check this installation, and the shop's own mail domain: would Meta take our replies?

    Exit code 1 when something must be mended.
    """
    conf = settings(config)
    findings = [*examine(conf, utc_now())]
    if signing := asyncio.run(examine_domain(conf, parts.resolver(conf))):
        findings.append(signing)
    own = {domain_of(box) for box in conf.mailboxes} | {conf.bounce_domain} - {""}
    for domain in domains or sorted(own):
        try:
            checked = check_domain(domain, conf.nameservers, conf.dns_timeout)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--domain") from None
        findings += [Finding(f"{domain} {check.check}", check.level, check.text) for check in checked]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{finding.level:>9}  {finding.check}: {finding.text}")
    sys.exit(1 if any(finding.level == "fail" for finding in findings) else 0)
