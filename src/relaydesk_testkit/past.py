"""Months of tickets behind a desk, written straight into its tables: for reports, pictures and benchmarks.

Buyers write as they do, mostly by day; agents answer within hours, some too late, some never. The same seed
gives the same past.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from relaydesk.store.tables import (
    DeadlineTable,
    RefusalTable,
    TicketEventTable,
    TicketOrderTable,
    TicketTable,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from relaydesk.store import Store

AGENTS = ("day.agent", "late.agent", "claims.agent", "returns.agent")
QUEUES = ("case",) * 8 + ("claim", "unsorted")
HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 8, 9, 9, 8, 7, 6, 6, 6, 6, 7, 8, 9, 9, 7, 4, 2)  # by local hour, roughly
BATCH = 1000
TARGET = timedelta(hours=48)
CLOCK = {"clock": "response", "round": 1}
Rows = dict[Any, list[dict[str, Any]]]


def fill(store: Store, tickets: int, *, since: datetime, until: datetime, first: int = 1) -> None:
    """So many tickets, numbered from ``first``, whose mail came between two moments."""
    dice = Random(7)
    for start in range(0, tickets, BATCH):
        rows: Rows = {model: [] for model in (TicketTable, TicketEventTable, DeadlineTable, TicketOrderTable)}
        for number in range(start, min(start + BATCH, tickets)):
            at = since + (until - since) * (number / tickets)
            hour = dice.choices(range(24), HOURS)[0]
            Story(rows, first + number, min(at.replace(hour=hour), until), until, dice).tell()
        _write(store, rows)


def turned_away(store: Store, days: Sequence[datetime]) -> None:
    """Refusals of every sort on these days, some for a network that the allowlist lacks."""
    rows = [
        {"day": day.date().isoformat(), "code": code, "network": network, "from_domain": domain,
         "count": count, "first_at": day, "last_at": day}
        for day in days
        for code, network, domain, count in (
            ("no_role", "192.0.2.0/24", "", 40),
            ("forged", "198.51.100.0/24", "support.facebook.com", 1),
            ("unauthenticated", "203.0.113.0/24", "mail.example", 2),
            ("drift", "66.220.155.0/24", "support.facebook.com", 1),
        )
    ]  # fmt: skip
    _write(store, {RefusalTable: rows})


def _write(store: Store, rows: Rows) -> None:
    with store.transaction() as session:
        for model, values in rows.items():
            if values:
                session.connection().execute(insert(table(model)), values)


class Story:
    """What happened to one ticket."""

    def __init__(self, rows: Rows, number: int, at: datetime, now: datetime, dice: Random) -> None:
        self.rows, self.number, self.at, self.now, self.dice = rows, number, at, now, dice
        self.queue, self.agent = dice.choice(QUEUES), dice.choice(AGENTS)
        self.due = at + TARGET

    def tell(self) -> None:
        answered = self.at + timedelta(hours=self.dice.expovariate(1 / 11))
        done = answered < self.now and self.dice.random() < 0.995
        terms = {"due": self.due.isoformat(), "warn_at": None, "reading": "elapsed", "queue": self.queue}
        self.event(self.at, "opened", "mail", message=self.number, reasons=["aligned_dkim"], kind=self.queue,
                   queue=self.queue)  # fmt: skip
        self.event(self.at, "clock_started", "relaydesk", **CLOCK, target="2 business days", **terms)
        if done:
            self.answer(answered)
        if self.queue == "case" and self.dice.random() < 0.01:
            self.event(min(self.due, self.now), "escalated", "mail", by=self.number + 1)
        self.ticket(done=done)

    def answer(self, answered: datetime) -> None:
        by, number = f"agent:{self.agent}", self.number
        written = answered - timedelta(minutes=1)
        if self.dice.random() < 0.03:
            written = self.at + (answered - self.at) / 3
        self.event(self.at + (written - self.at) / 2, "assigned", by, agent=self.agent)
        of = {"answer": number, "message": number, "purpose": "answer"}
        self.event(written, "answer_queued", by, **of, order=None, not_before=written.isoformat())
        self.event(answered, "answer_sent", by, **of, hop="mx")
        self.event(answered, "clock_stopped", by, **CLOCK, how="answered")
        if self.dice.random() < 0.005:
            self.event(answered, "answer_bounced", "mail", answer=number, purpose="answer", hard=False,
                       status="4.2.2", message=number)  # fmt: skip
        self.event(answered, "closed", by, undecided=[])

    def event(self, at: datetime, what: str, actor: str, **data: Any) -> None:
        row = {"ticket_id": self.number, "at": at, "noted_at": at, "what": what, "actor": actor, "data": data}
        self.rows[TicketEventTable].append(row)

    def ticket(self, *, done: bool) -> None:
        self.rows[TicketTable].append(
            {"id": self.number, "kind": self.queue, "queue": self.queue, "state": ("open", "closed")[done],
             "username": f"buyer.{self.number}", "opened_at": self.at, "last_message_at": self.at,
             "assignee": self.agent if done else None, "relay_address": f"case++{self.number}@x.example",
             "case_token": "", "case_number": "", "sender": "",
             "subject": f"Message from buyer.{self.number}",
             "contact_reason": "", "escalated": False, "verified": True, "message_count": 1,
             "next_due": None if done else self.due}
        )  # fmt: skip
        self.rows[TicketOrderTable].append(
            {"ticket_id": self.number, "what": "order", "value": str(3 * 10**14 + self.number),
             "how": "bound", "label": "Order number", "place": "text"}
        )  # fmt: skip
        if not done:
            self.rows[DeadlineTable].append(
                {"ticket_id": self.number, "queue": self.queue, "clock": "response", "round": 1,
                 "started_at": self.at, "due_at": self.due, "reading": "elapsed", "target": "2 business days",
                 "explanation": [], "stopped_how": ""}
            )  # fmt: skip
