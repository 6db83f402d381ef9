"""``relaydesk send-test``: prove an installation with one sample message."""

from __future__ import annotations

import asyncio
import secrets
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from relaydesk.cli.opening import desk_of, settings
from relaydesk.cli.options import address
from relaydesk.cli.output import json_option, print_json
from relaydesk.config import parts, utc_now
from relaydesk.samples import (
    Destination,
    SampleKind,
    SendTestError,
    Signer,
    filed_sample,
    key_published,
    make_sample,
    send_test,
    server_address,
)
from relaydesk.store import StoreError

if TYPE_CHECKING:
    from relaydesk.config import Settings
    from relaydesk.samples import Filed, Sample


@click.command("send-test")
@click.option("--to", "door", metavar="HOST:PORT", help="The door (default: where the settings listen).")
@click.option(
    "--kind", type=click.Choice(get_args(SampleKind)), default="case", show_default=True, help="The sample."
)
@click.option("--rcpt", help="The mailbox it is for (default: the first of the settings).")
@click.option("--proxy", metavar="IP", callback=address, help="Say by PROXY that it comes from this address.")
@click.option("--xclient", metavar="IP", callback=address, help="The same by XCLIENT.")
@click.option("--tls", is_flag=True, help="Use STARTTLS.")
@click.option("--domain", help="Sign as this domain, with --selector and --key.")
@click.option("--selector", help="The name before ._domainkey of that domain.")
@click.option("--key", type=click.Path(path_type=Path), help="Its private key, PEM.")
@json_option
@click.pass_obj
def send(
    config: str | None,
    door: str | None,
    kind: SampleKind,
    rcpt: str | None,
    proxy: str | None,
    xclient: str | None,
    tls: bool,
    domain: str | None,
    selector: str | None,
    key: Path | None,
    as_json: bool,
) -> None:
    """Send a signed sample through a door and explain what its answer proves.

    From any host it shows that strangers are turned away; with --proxy or --xclient, from a host that the
    door lists as a proxy, what becomes of mail that claims to be Meta's. Exit code 1 when something is
    wrong with the door.
    """
    if proxy and xclient:
        raise click.UsageError("Choose one of --proxy and --xclient.")
    conf = settings(config)
    to = rcpt or next(iter(conf.mailboxes), None)
    if to is None:
        raise click.UsageError("No mailbox is set; name one with --rcpt.")
    try:
        host, port = server_address(door or conf.listen[0])
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--to") from None
    via: Literal["direct", "proxy", "xclient"] = "proxy" if proxy else "xclient" if xclient else "direct"
    signer = _signer(domain, selector, key)
    sample = make_sample(kind, to, now=utc_now(), token=secrets.randbelow(10**13), signer=signer)
    published = asyncio.run(key_published(signer, parts.resolver(conf))) if signer else None
    server = Destination(host, port, via, proxy or xclient or "", tls)
    result = send_test(server, sample, published=published)
    filed = _filed(conf, sample) if result.reply.startswith("250") else None
    if as_json:
        print_json({**asdict(result), "filed": filed._asdict() if filed else None})
    else:
        for line in result.told:
            click.echo(line)
        if filed is not None:
            state = "genuine" if filed.genuine else "unverified"
            click.echo(f"It is ticket {filed.ticket} in queue {filed.queue}, {state}:")
            for why in filed.reasons:
                click.echo(f"  {why}")
    sys.exit(1 if result.good is False else 0)


def _signer(domain: str | None, selector: str | None, key: Path | None) -> Signer | None:
    if domain is None and selector is None and key is None:
        return None
    if domain is None or selector is None or key is None:
        raise click.UsageError("--domain, --selector and --key go together.")
    try:
        return Signer.of(domain, selector, key.read_bytes())
    except OSError as error:
        raise SendTestError(f"{key} cannot be read: {error.strerror}.") from None


def _filed(conf: Settings, sample: Sample) -> Filed | None:
    """What became of it, when the door's store is the one of these settings."""
    try:
        return filed_sample(desk_of(conf), sample)
    except StoreError:
        return None
