"""Commands for the key that signs our answers."""

from __future__ import annotations

import os
from pathlib import Path

import click

from relaydesk.cli.opening import settings
from relaydesk.cli.output import json_option, print_json
from relaydesk.config import parts
from relaydesk.mailauth import dkim_key_record, new_dkim_key
from relaydesk.message import domain_name, domain_of

TXT_STRING = 255  # bytes of one character-string (RFC 1035 §3.3)


@click.group()
def dkim() -> None:
    """The key that signs our answers."""


@dkim.command()
@click.option("--domain", help="The domain that signs (default: that of the support contact).")
@click.option("--selector", default="relaydesk", show_default=True, help="The name of this key.")
@click.option(
    "--out", "path", type=click.Path(dir_okay=False), help="Where the key goes (default: SELECTOR.pem)."
)
@click.option(
    "--bits", type=click.Choice(["1024", "2048", "4096"]), default="2048", show_default=True, help="RSA."
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
        raise click.BadParameter(f"{text!r} is no domain name; write one such as shop.example")
    if domain_name(f"{selector}.example") is None:
        raise click.BadParameter(f"{selector!r} is no selector; write one such as relaydesk or 2026-11")
    pem = new_dkim_key(int(bits))
    _write(file, pem)
    name, record = f"{selector}._domainkey.{signs}", dkim_key_record(pem)
    if as_json:
        print_json({"name": name, "type": "TXT", "record": record, "key": str(file)})
        return
    strings = " ".join(f'"{record[at : at + TXT_STRING]}"' for at in range(0, len(record), TXT_STRING))
    click.echo(f"The key is in {file}. Publish this record:\n\n{name}. IN TXT {strings}\n")
    click.echo("Then set, in relaydesk.yaml:\n")
    click.echo(f"answer_dkim: {{domain: {signs}, selector: {selector}, key: {file.absolute()}}}")


def _write(file: Path, pem: bytes) -> None:
    """For its owner's eyes only, from the first byte on."""
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise click.BadParameter(
            f"{file} is there already; name another with --out", param_hint="--out"
        ) from None
    except OSError as error:
        raise click.BadParameter(f"{file} cannot be written: {error.strerror}", param_hint="--out") from None
    with os.fdopen(handle, "wb") as out:
        out.write(pem)
