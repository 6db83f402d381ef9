"""Options that several commands share, read into values with an error that names the mend."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime

import click

from relaydesk.message import canonical_ip

ROW_ID = click.IntRange(1, 2**63 - 1)  # what a database can number


def moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """An ISO 8601 time with its zone, as aware UTC; ``now`` is this moment."""
    if text is None:
        return None
    if text == "now":
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write it as 2026-11-23T09:30:00Z, or now") from None
    if found.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no zone; add Z for UTC or an offset such as -08:00")
    return found.astimezone(UTC)


def address(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """An IP address in canonical text."""
    if text is None:
        return None
    found = canonical_ip(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no IP address; write it as 66.220.144.130 or 2001:db8::1")
    return str(found)


def person() -> str:
    """Who works at this terminal, where no --as says otherwise."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
