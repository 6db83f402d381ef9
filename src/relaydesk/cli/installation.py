"""Commands that set up and prove an installation: its checks, the signing key, a sample message."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from relaydesk.cli.opening import address, desk_of, settings
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.config import parts, utc_now, with_stored
from relaydesk.data import UnusableFileError, read_file
from relaydesk.doctor import Finding, check_domain, examine, examine_domain
from relaydesk.mailauth import dkim_key_record, new_dkim_key
from relaydesk.message import domain_name, domain_of
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

TXT_STRING = 255  # bytes of one character-string (RFC 1035 §3.3)


@click.command()
@click.option(
    "--domain", "domains", multiple=True, help="The shop's mail domain (default: of the mailboxes)."
)
@json_option
@click.pass_obj
def doctor(config: str | None, domains: tuple[str, ...], as_json: bool) -> None:
    """Check this installation, and the shop's own mail domain: would Meta take our replies?

    Exit code 1 when a check fails.
    """
    conf, left_out = settings(config), tuple[str, ...]()
    try:
        conf, left_out = with_stored(conf)
    except StoreError as error:
        left_out = (f"{error} What is stored in the desk is left out.",)
    findings = [Finding("stored settings", "fail", problem) for problem in left_out]
    findings += examine(conf, utc_now())
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
            say(f"{finding.level:>9}  {finding.check}: {finding.text}")
    sys.exit(1 if any(finding.level == "fail" for finding in findings) else 0)


@click.group()
def dkim() -> None:
    """Make the key that signs the answers."""


@dkim.command()
@click.option("--domain", help="Signing domain (default: that of the support contact).")
@click.option("--selector", default="relaydesk", show_default=True, help="Selector of the key.")
@click.option(
    "--out", "path", type=click.Path(dir_okay=False), help="File for the private key (default: SELECTOR.pem)."
)
@click.option(
    "--bits",
    type=click.Choice(["1024", "2048", "4096"]),
    default="2048",
    show_default=True,
    help="RSA key size.",
)
@json_option
@click.pass_obj
def new(
    config: str | None, domain: str | None, selector: str, path: str | None, bits: str, as_json: bool
) -> None:
    """Make a key and print the DNS record to publish. An existing file is never overwritten."""
    text = domain or domain_of(parts.shop(settings(config)).contact)
    signs, file = domain_name(text), Path(path or f"{selector}.pem")
    if signs is None:
        raise click.BadParameter(f"{text!r} is not a domain name; use one such as shop.example")
    if domain_name(f"{selector}.example") is None:
        raise click.BadParameter(f"{selector!r} is not a selector; use one such as relaydesk or 2026-11")
    pem = new_dkim_key(int(bits))
    _write(file, pem)
    name, record = f"{selector}._domainkey.{signs}", dkim_key_record(pem)
    if as_json:
        print_json({"name": name, "type": "TXT", "record": record, "key": str(file)})
        return
    strings = " ".join(f'"{record[at : at + TXT_STRING]}"' for at in range(0, len(record), TXT_STRING))
    say(f"The key is in {file}. Publish this record:\n\n{name}. IN TXT {strings}\n")
    say("Then set, in relaydesk.yaml:\n")
    say(f"answer_dkim: {{domain: {signs}, selector: {selector}, key: {file.absolute()}}}")


def _write(file: Path, pem: bytes) -> None:
    """Readable by its owner only, from the first byte on."""
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise click.BadParameter(
            f"{file} already exists; choose another file with --out", param_hint="--out"
        ) from None
    except OSError as error:
        raise click.BadParameter(f"{file} cannot be written: {error.strerror}", param_hint="--out") from None
    with os.fdopen(handle, "wb") as out:
        out.write(pem)


@click.command("send-test")
@click.option(
    "--to",
    "target",
    metavar="HOST:PORT",
    help="Server to test (default: the first listen address of the settings).",
)
@click.option(
    "--kind",
    type=click.Choice(get_args(SampleKind)),
    default="case",
    show_default=True,
    help="Kind of the sample.",
)
@click.option("--rcpt", help="Recipient (default: the first mailbox of the settings).")
@click.option("--proxy", metavar="IP", callback=address, help="Name this client address with PROXY.")
@click.option("--xclient", metavar="IP", callback=address, help="Name this client address with XCLIENT.")
@click.option("--tls", is_flag=True, help="Use STARTTLS.")
@click.option("--domain", help="Sign as this domain, with --selector and --key.")
@click.option("--selector", help="Selector of the key (the name before ._domainkey).")
@click.option("--key", type=click.Path(path_type=Path), help="Private key, PEM.")
@json_option
@click.pass_obj
def send(
    config: str | None,
    target: str | None,
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
    """Send a signed sample to a server and explain what its reply proves.

    From any host it shows that strangers are refused; with --proxy or --xclient, from a host that the
    server lists as a proxy, what becomes of mail that claims to be Meta's. Exit code 1 when something is
    wrong with the server.
    """
    if proxy and xclient:
        raise click.UsageError("Choose one of --proxy and --xclient.")
    conf = settings(config)
    to = rcpt or next(iter(conf.mailboxes), None)
    if to is None:
        raise click.UsageError("No mailbox is set; set mailboxes or use --rcpt.")
    try:
        host, port = server_address(target or conf.listen[0])
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
            say(line)
        if filed is not None:
            state = "genuine" if filed.genuine else "unverified"
            say(f"It is ticket {filed.ticket} in queue {filed.queue}, {state}:")
            for why in filed.reasons:
                say(f"  {why}")
    sys.exit(1 if result.good is False else 0)


def _signer(domain: str | None, selector: str | None, key: Path | None) -> Signer | None:
    if domain is None and selector is None and key is None:
        return None
    if domain is None or selector is None or key is None:
        raise click.UsageError("--domain, --selector and --key go together.")
    try:
        return Signer.of(domain, selector, read_file(key))
    except UnusableFileError as error:
        raise SendTestError(str(error)) from None


def _filed(conf: Settings, sample: Sample) -> Filed | None:
    """What became of it, when the server's store is the one of these settings."""
    try:
        return filed_sample(desk_of(conf), sample)
    except StoreError:
        return None
