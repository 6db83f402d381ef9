"""The golden cases run two ways, through ``explain`` and through a real SMTP port, with like answers."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from relaydesk.config.load import load_settings
from relaydesk.config.snapshot import read_snapshot
from relaydesk.data import data_path
from relaydesk.dns.resolver import Resolver
from relaydesk.dns.zone import ZoneSource, parse_zone
from relaydesk.dns.zone_server import ZoneServer
from relaydesk.intake.explain import envelope_of_file, explain, explanation
from relaydesk.intake.receive import Intake
from relaydesk.message.auth_results import UNASKED
from relaydesk.orders.directory import import_file
from relaydesk.samples.case import load_case, shared_zone
from relaydesk.samples.compose import compose_case, composed_mail
from relaydesk.samples.delivery import send_composed
from relaydesk.smtpd.data_reader import read_flaw
from relaydesk.smtpd.endpoint import Endpoint
from relaydesk.smtpd.listener import open_listener
from relaydesk.smtpd.replies import reply_for
from relaydesk.smtpd.server import Server
from relaydesk.store.lists import TicketFilter
from relaydesk_testkit.smtp import Holder
from tests.support.desk import ALICE, desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from relaydesk.config.settings import Settings
    from relaydesk.config.snapshot import Snapshot
    from relaydesk.desk.ticket_view import WholeTicket
    from relaydesk.intake.record import IntakeConfig
    from relaydesk.message.envelope import Envelope, Origin
    from relaydesk.policy.decision import Admission, Decision, Gathered
    from relaydesk.reasons import Reason
    from relaydesk.samples.case import Case, Step
    from relaydesk.store.engine import Store
    from relaydesk.store.tickets import MessageRow

FIXTURES = data_path("fixtures")
KEYS = FIXTURES / "keys"
# Seconds until a silent name server counts as a time-out: short only where the case is about silence, so that
# a busy machine makes no time-outs of its own.
SILENCE, PATIENCE = 0.5, 20.0


@cache
def golden(name: str) -> Case:
    return load_case(FIXTURES, name, _zone())


@cache
def _zone() -> dict[str, Any]:
    return shared_zone(FIXTURES)


@cache
def settings() -> Settings:
    """The demo shop's, with the lists of the fixtures."""
    conf = load_settings(FIXTURES / "relaydesk.yaml", {})
    return conf.model_copy(update={"allowlist": FIXTURES / "allowlist.yaml"})


@cache
def snapshot() -> Snapshot:
    return read_snapshot(settings(), secret=b"", hostname="mx.shop.example")


async def explained(case: Case) -> dict[str, Any]:
    """What ``relaydesk explain`` says of the case's message."""
    step = case.last
    mail = composed_mail(step, case.received_at, KEYS, secret=settings().secret)
    envelope = envelope_of_file(
        compose_case(step, case.received_at, KEYS, as_file=True),
        peer="127.0.0.1" if step.via == "direct" else step.peer,
        helo=step.helo,
        mail_from=step.mail_from,
        rcpt=mail.rcpt,
        policy=snapshot().policy,
        now=case.received_at + step.delay,
    )
    resolver = Resolver(ZoneSource(parse_zone(case.zone)))
    flaw = read_flaw(envelope.raw, settings().limits)
    gathered, decision = await explain(envelope, resolver, snapshot().policy, snapshot().rules, flaw)
    return explanation(envelope, gathered, decision, reply_for(decision).line())


class Watched(Intake):
    """The real intake, which also tells the test what it found."""

    seen: list[tuple[Envelope, Gathered, Decision]]
    turned: list[tuple[str, Reason, Origin]]

    def _account(  # noqa: PLR0917 - as of the intake
        self,
        config: IntakeConfig,
        envelope: Envelope,
        gathered: Gathered | None,
        decision: Decision,
        ids: dict[str, Any],
        started: float,
    ) -> None:
        super()._account(config, envelope, gathered, decision, ids, started)
        if gathered is not None:
            self.seen.append((envelope, gathered, decision))

    async def admit(
        self, config: Snapshot, origin: Origin, helo: str, mail_from: str, rcpt: str
    ) -> Admission:
        admission = await super().admit(config, origin, helo, mail_from, rcpt)
        if admission.reason is not None:
            self.turned.append((reply_for(admission).line(), admission.reason, origin))
        return admission

    async def turned_away(
        self, origin: Origin, peer: str, mail_from: str, rcpt_to: tuple[str, ...], reason: Reason
    ) -> None:
        await super().turned_away(origin, peer, mail_from, rcpt_to, reason)
        self.turned.append((reply_for(reason.code).line(), reason, origin))


@dataclass
class Room:
    """An open listener over a store, a name server with the case's zone, and a clock that stands still."""

    case: Case
    store: Store
    now: datetime
    intake: Watched = field(init=False)
    port: int = field(init=False)

    async def step(self, step: Step) -> dict[str, Any]:
        """Do one step at the moment it tells."""
        self.now = self.case.received_at + step.delay
        if step.act == "close":
            desk(self.store, self.now).tickets.close(self.latest(), by=ALICE)
            return {}
        return await self.hand_in(step)

    async def hand_in(self, step: Step) -> dict[str, Any]:
        self.intake.seen, self.intake.turned = [], []
        asked = any("{bounce}" in address for address in step.rcpt)
        ticket = self.latest() if asked else 0
        mail = composed_mail(step, self.case.received_at, KEYS, secret=settings().secret, ticket=ticket)
        reply = await send_composed(mail, "127.0.0.1", self.port, seconds=20)
        if not self.intake.seen:
            ((line, why, origin),) = self.intake.turned
            assert line == reply
            outcome = "deferred" if reply.startswith("4") else "refused"
            return {
                "outcome": outcome, "reply": reply, "kind": None, "queue": None, "deadlines": [],
                "reasons": [{"code": why.code, "text": why.text}],
                "origin": {name: getattr(origin, name) for name in ("ip", "role", "allowlisted", "how")},
            }  # fmt: skip
        ((envelope, gathered, decision),) = self.intake.seen
        assert envelope.raw == mail.raw
        answer = explanation(envelope, gathered, decision, reply)
        if gathered.auth is UNASKED:  # explain asks all the same
            del answer["auth"]
        return answer

    def latest(self) -> int:
        """The ticket of the newest message, 0 for none."""
        return max(((row.id, ticket) for ticket, row in messages_of(self.tickets())), default=(0, 0))[1]

    def tickets(self) -> list[WholeTicket]:
        """All tickets as people see them, by number."""
        at_desk = desk(self.store, self.now)
        pages = [at_desk.queues.page(TicketFilter(state=state), limit=1000) for state in ("open", "closed")]
        return [
            at_desk.tickets.view(number)
            for number in sorted(row.id for page in pages for row in page.tickets)
        ]

    def at_the_desk(self, answer: dict[str, Any]) -> dict[str, Any]:
        """What people find afterwards, for ``desk:`` in expected.yaml."""
        tickets = self.tickets()
        messages = messages_of(tickets)
        numbers = tickets[-1].numbers if tickets else ()
        return {
            "tickets": len(tickets),
            "open": sum(view.ticket.open for view in tickets),
            "messages": len(messages),
            "needs_look": [view.ticket.id for view in tickets if view.ticket.needs_look],
            "escalated": [view.ticket.id for view in tickets if view.ticket.escalated],
            "orders": [number.value for number in numbers if (number.what, number.how) == ("order", "bound")],
            "subject": messages[-1][1].subject if messages else None,
            "ticket": messages[-1][0] if messages else None,
            "reasons": [why["code"] for why in answer.get("reasons", [])],
        }


def messages_of(tickets: Sequence[WholeTicket]) -> list[tuple[int, MessageRow]]:
    """All messages with their tickets' numbers, oldest first."""
    numbered = [(view.ticket.id, message.row) for view in tickets for message in view.messages]
    return sorted(numbered, key=lambda pair: pair[1].id)


@asynccontextmanager
async def opened(case: Case, store: Store) -> AsyncIterator[Room]:
    """The whole line for one case, on free ports of loopback."""
    room = Room(case, store, case.received_at)
    import_file(store, FIXTURES / "orders.csv", now=case.received_at)
    with ThreadPoolExecutor(2) as workers, socket.create_server(("127.0.0.1", 0)) as sock:
        timeout = SILENCE if "TIMEOUT" in str(case.zone) else PATIENCE
        async with ZoneServer(parse_zone(case.zone)) as names:
            room.intake = Watched(
                store=store,
                resolver=Resolver.over_network([names.address], timeout=timeout),
                clock=lambda: room.now,
                workers=workers,
            )
            endpoint = Endpoint(
                hostname="mx.shop.example",
                limits=settings().limits,
                receiver=room.intake,
                configuration=Holder(snapshot()),
                now=lambda: room.now,
            )
            listener = await open_listener(sock, Server(endpoint))
            room.port = listener.address[1]
            yield room
            await listener.close(0.5)


def differences(expected: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """Where an answer is not as expected; what ``expected`` does not say is free."""
    answered = _flat(answer)
    wrong = []
    for key, value in expected.items():
        if key in ("desk", "demo"):
            continue
        actual = answered.get("order_ids" if key == "not_orders" else key)
        if not _fits(key, value, actual):
            wrong.append(f"{key}: expected {value!r}, found {actual!r}")
    return wrong


def _fits(key: str, expected: Any, actual: Any) -> bool:
    if key == "reply":
        return str(actual).startswith(str(expected))
    if key == "reasons":
        return set(expected) <= set(actual)
    if key == "not_orders":
        return not set(expected) & set(actual)
    if isinstance(expected, dict) and key != "deadlines":
        return actual is not None and all(actual.get(name) == value for name, value in expected.items())
    if key == "attachments":
        return len(expected) == len(actual) and all(
            part.items() <= facts.items() for part, facts in zip(expected, actual, strict=True)
        )
    return bool(expected == actual)


def _flat(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer in the short form that expected.yaml has."""
    flat = dict(answer)
    flat["reasons"] = [why["code"] for why in answer["reasons"]]
    flat["deadlines"] = {clock["clock"]: clock["due"] for clock in answer["deadlines"]}
    if "rule" in answer:
        flat["rule"] = answer["rule"]["matched"]
    if auth := answer.get("auth"):
        dkim = [signature["result"] for signature in auth["dkim"]]
        flat["auth"] = {"spf": auth["spf"]["result"], "dkim": dkim, "dmarc": auth["dmarc"]["result"]}
    return flat


_OF_REFUSED = ("outcome", "reply", "origin", "auth", "kind", "queue", "deadlines", "reasons")


def common_part(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What both ways must tell alike.

    Apart stay how the peer's address came to the door, whether the shop's directory holds an order
    (``explain`` with a zone asks none), which it binds, and that a file had bare line feeds.
    """
    flat = _flat(answer)
    flat.pop("placement", None)
    if flat["outcome"] == "refused":  # the port does not read what it refuses; explain shows it all the same
        flat = {name: flat[name] for name in _OF_REFUSED if name in flat}
        flat["reasons"] = flat["reasons"][:1]
    own = {"order_confirmed", "order_not_found", "lf_read_as_crlf"}
    flat["reasons"] = [code for code in flat["reasons"] if code not in own]
    if "origin" in flat and flat["origin"]["how"] in ("proxy", "xclient"):
        flat["origin"] = {**flat["origin"], "how": "peer"}
    return flat
