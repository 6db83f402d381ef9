"""Ticket stories in a few words, for the report's tests. Hours count from Monday 2026-11-16 09:00 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
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


def assigned(ticket: int, hours: float, agent: str | None) -> Event:
    return event(ticket, hours, "assigned", f"agent:{agent or 'bob'}", agent=agent)


def written(ticket: int, hours: float, *, answer: int | None = None, by: str = "alice") -> Event:
    """An answer of a person's was put into the outbox; it is numbered as its ticket unless told otherwise."""
    of = {"message": 1, "purpose": "answer", "order": None, "not_before": at(hours).isoformat()}
    return event(ticket, hours, "answer_queued", f"agent:{by}", answer=answer or ticket, **of)


def left(ticket: int, hours: float, *, answer: int | None = None) -> list[Event]:
    """It left, and the clock stopped."""
    sent = event(
        ticket,
        hours,
        "answer_sent",
        "agent:alice",
        answer=answer or ticket,
        message=1,
        purpose="answer",
        hop="mx",
    )
    return [sent, stopped(ticket, hours)]


def bounced(ticket: int, hours: float, *, hard: bool | None = True) -> Event:
    of = {"purpose": "answer", "hard": hard, "status": "5.1.1", "message": 2}
    return event(ticket, hours, "answer_bounced", "mail", answer=ticket, **of)


def random_stories(seed: int, tickets: int = 30) -> list[Event]:
    """Stories of every sort, some of which make little sense: the report must add up all the same."""
    dice = Random(seed)
    events: list[Event] = []
    for ticket in range(1, tickets + 1):
        come = dice.uniform(-200, 160)
        kind = dice.choice(["case", "case", "claim", "unsorted"])
        story = opened(ticket, come, kind=kind, code=dice.choice(["aligned_dkim", "unverified"]))
        hours = come
        for _ in range(dice.randrange(6)):
            hours += dice.expovariate(1 / 15)
            story += _happening(dice, ticket, hours)
        events += story
    return events


def _happening(dice: Random, ticket: int, hours: float) -> list[Event]:
    agent = dice.choice(["alice", "bob"])
    return dice.choice(
        [
            [assigned(ticket, hours, agent)],
            [assigned(ticket, hours, None)],
            [written(ticket, hours, by=agent), *left(ticket, hours + dice.uniform(0, 40))],
            [stopped(ticket, hours, actor=f"agent:{agent}", how="answered_outside")],
            [event(ticket, hours, "closed", f"agent:{agent}", undecided=[])],
            [event(ticket, hours, "reopened", why="mail")],
            [event(ticket, hours, "moved", f"agent:{agent}", **{"from": "case", "to": "claim"})],
            [event(ticket, hours, "escalated", "mail", by=ticket + 1)],
            [event(ticket, hours, "breach_withdrawn", clock="response", round=1)],
            [written(ticket, hours, by=agent), *left(ticket, hours + 1), bounced(ticket, hours + 2)],
            [started(ticket, hours, round_=2)],
        ]
    )
