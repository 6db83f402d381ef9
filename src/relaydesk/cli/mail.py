"""Commands about arriving mail: when an answer to it would be due, and which networks are listed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from relaydesk.business_time import READINGS, Target, explain_due
from relaydesk.cli.opening import settings_in_force
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.cli.tables import Column, print_table
from relaydesk.config import parts
from relaydesk.doctor import audit_networks
from relaydesk.policy import LISTS, AllowlistError


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
        calendar = parts.calendar(settings_in_force(config))
    for warning in calendar.warnings:
        say(f"relaydesk: {warning}", err=True)
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
    say(f"{answer['due']}  ({answer['reading']})")
    for line in answer["explanation"]:  # type: ignore[attr-defined]
        say(f"  {line}")


@click.group()
def allowlist() -> None:
    """Check the allowlist, or compare it with DNS."""


@allowlist.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@click.pass_obj
def check(config: str | None, file: Path | None, as_json: bool) -> None:
    """Check the allowlist; every bad line is reported with its number."""
    conf = settings_in_force(config)
    if file is not None:
        conf = conf.model_copy(update={"allowlist": file})
    try:
        lists = parts.allowlist(conf)
    except AllowlistError as error:
        if as_json:
            print_json({"ok": False, "problems": [{"line": p.line, "text": p.text} for p in error.problems]})
        else:
            say(str(error), err=True)
        sys.exit(1)
    counts = {name: len(getattr(lists, name)) for name in LISTS}
    if as_json:
        print_json({"ok": True, "source": lists.source, **counts})
    else:
        sizes = ", ".join(f"{count} {name}" for name, count in counts.items())
        say(f"{lists.source} is valid: {sizes}.")


@allowlist.command("audit")
@click.option(
    "--sender", "extra", multiple=True, help="Another domain whose SPF record is read, such as facebook.com."
)
@json_option
@click.pass_obj
def audit(config: str | None, extra: tuple[str, ...], as_json: bool) -> None:
    """Compare the listed networks with what the senders publish in SPF. Exit code 1 when they differ."""
    conf = settings_in_force(config)
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
            "Published, not listed",
            (Column("network"), Column("published by", least=16)),
            rows,
            "Every published network is listed.",
        )
        idle = [(str(network),) for network in differences.unpublished]
        print_table("Listed, not published", ("network",), idle, "Every listed network is published.")
        for remark in differences.remarks:
            say(remark, err=True)
    sys.exit(1 if differences.lacking or differences.unpublished or differences.remarks else 0)
