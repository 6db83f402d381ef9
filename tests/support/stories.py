"""Ticket stories in a few words, for the report's tests. Hours count from Monday 2026-11-16 09:00 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from relaydesk.store.events import read_event

if TYPE_CHECKING:
    from relaydesk.events import Event

START = datetime(2026, 11, 16, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def event(ticket: int, hours: float, what: str, actor: str = "relaydesk", **data: Any) -> Event:
    return read_event(ticket, at(hours), what, actor, data)


def opened(ticket: int, hours: float = 0, **facts: Any) -> list[Event]:
    """A case that came, with its response clock due 48 hours later."""
    kind = facts.get("kind", "case")
    reasons = [facts.get("code", "aligned_dkim")]
    opening = event(
        ticket, hours, "opened", "mail", kind=kind, queue=facts.get("queue", kind), reasons=reasons
    )
    return [opening, started(ticket, hours, clock=facts.get("clock", "response"))]


def started(ticket: int, hours: float, *, clock: str = "response", round_: int = 1, due: float = 48) -> Event:
    return event(
        ticket,
        hours,
        "clock_started",
        clock=clock,
        round=round_,
        due=at(hours + due).isoformat(),
        reading="elapsed",
        target="2 business days",
        queue="case",
        warn_at=None,
    )


def stopped(ticket: int, hours: float, *, actor: str = "agent:alice", **facts: Any) -> Event:
    clock, round_, how = facts.get("clock", "response"), facts.get("round_", 1), facts.get("how", "answered")
    return event(ticket, hours, "clock_stopped", actor, clock=clock, round=round_, how=how)
