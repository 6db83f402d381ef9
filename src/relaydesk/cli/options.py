"""Options that several commands share, read into values with an error that names the remedy."""

from __future__ import annotations

from datetime import UTC, datetime

import click

ROW_ID = click.IntRange(1, 2**63 - 1)  # what a database can number


def moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """An ISO 8601 time with its zone, as aware UTC; ``now`` is this moment."""
    if text is None:
        return None
    if text == "now":
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write it as 2026-11-23T09:30:00Z, or now") from None
    if instant.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no zone; add Z for UTC or an offset such as -08:00")
    return instant.astimezone(UTC)


def address(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """An IP address in canonical text."""
    if text is None:
        return None
    from relaydesk.message import canonical_ip

    ip = canonical_ip(text)
    if ip is None:
        raise click.BadParameter(f"{text!r} is no IP address; write it as 66.220.144.130 or 2001:db8::1")
    return str(ip)


def variables(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """``--set tracking.number=…`` as a mapping."""
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} sets nothing; write it as tracking.number=1Z999")
    return {name.strip(): value for name, _, value in (pair.partition("=") for pair in pairs)}
