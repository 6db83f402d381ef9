"""The gateway: answers that the shop's own help desk hands in, made fit for the relay and queued.

The recipient must be the relay address of a ticket we know, so this is never an open relay. 250 is said
after the commit, and a submission that comes again is stored once. An answer goes out at once: undo is the
help desk's own matter.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

from relaydesk.events import AnswerSwallowed, Event, NoOrderConfirmed
from relaydesk.gateway.credentials import NOBODY, matches
from relaydesk.gateway.rewrite import OrderNumbers, Submitted, rewritten, submitted
from relaydesk.logs import domain_of, log, log_exception
from relaydesk.outbound import AnswerRefused, answer_subject, check_outgoing, names_order, question_of
from relaydesk.policy import Admission
from relaydesk.reasons import reason
from relaydesk.store import (
    Conflict,
    StoreUnavailable,
    casework,
    events,
    gateway_clients,
    orders,
    outbox,
    ticket_orders,
    tickets,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.gateway.rules import GatewayRules
    from relaydesk.message import Envelope, Origin
    from relaydesk.outbound import AttachedFile, Question, Sender
    from relaydesk.reasons import Reason
    from relaydesk.store import Store, TicketRow

T = TypeVar("T")
TRIES = 8
ACCEPTED = Admission("accepted")
HASHING = 2  # passwords looked at side by side; each takes 16 MiB for a moment


class Throttle:
    """Failed logins by peer, in this process: after ``FREE`` of them each one doubles the wait."""

    FREE, LONGEST, REMEMBERED = 5, timedelta(minutes=15), 10_000

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def blocked(self, peer: str, now: datetime) -> bool:
        """Whether this peer has to wait still."""
        count, last = self._failures.get(peer, (0, now))
        return count >= self.FREE and now < last + self._wait(count)

    def failed(self, peer: str, now: datetime) -> None:
        count, last = self._failures.pop(peer, (0, now))
        self._failures[peer] = (1 if now > last + 2 * self.LONGEST else count + 1, now)
        if len(self._failures) > self.REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, peer: str) -> None:
        self._failures.pop(peer, None)

    def _wait(self, count: int) -> timedelta:
        return min(timedelta(seconds=2 ** min(count - self.FREE, 20)), self.LONGEST)


@dataclass(slots=True)
class Gateway:
    """The work behind the submission listener: who may hand in, for whom, and what becomes of it.

    ``letterhead``, ``rules`` and ``swallow`` (whether automatic answers are dropped) are asked anew for each
    message, so that a reload takes effect. ``enclose`` decides on files. ``clock`` gives aware UTC;
    ``workers`` runs parsing and the store's work, never on the event loop.
    """

    store: Store
    letterhead: Callable[[], Sender]
    rules: Callable[[], GatewayRules]
    swallow: Callable[[], bool]
    enclose: Callable[[Iterable[tuple[str, bytes]]], Sequence[AttachedFile]]
    clock: Callable[[], datetime]
    workers: Executor
    throttle: Throttle = field(default_factory=Throttle)
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHING))

    async def authenticate(self, ip: str, name: str, password: str) -> Literal["right", "wrong", "later"]:
        """Whether a client may come in. What was said is never logged, except a known client's name."""
        if self.throttle.blocked(ip, self.clock()):
            return "later"
        try:
            stored = await self._work(self._secret_of, name)
        except StoreUnavailable as error:
            log("store_unavailable", level="error", problem=str(error))
            return "later"
        async with self.hashing:
            right = await asyncio.to_thread(matches, password, stored or NOBODY)
        if right and stored is not None:
            self.throttle.succeeded(ip)
            return "right"
        self.throttle.failed(ip, self.clock())
        log("gateway_login_failed", level="warning", ip=ip, client=name if stored else None)
        return "wrong"

    async def admit(self, origin: Origin, helo: str, mail_from: str, rcpt: str) -> Admission:
        """Whether this recipient is the relay address of a ticket we know."""
        try:
            ticket = await self._work(self._ticket_of, rcpt)
        except StoreUnavailable as error:
            log("store_unavailable", level="error", problem=str(error))
            return _deferred("store_unavailable")
        if ticket is None:
            log("gateway_rcpt", outcome="refused", code="not_relay_address", to=domain_of(rcpt))
            return Admission("refused", reason("not_relay_address", rcpt=rcpt))
        return ACCEPTED

    async def receive(self, envelope: Envelope) -> Admission:
        """Repair, check and queue one answer. Never raises: what goes wrong defers."""
        try:
            admission = await self._work(self._take, envelope)
        except AnswerRefused as refusal:
            admission = Admission("refused", reason("answer_refused", sentence=str(refusal)))
        except StoreUnavailable as error:
            log("store_unavailable", level="error", problem=str(error))
            admission = _deferred("store_unavailable")
        except Exception:
            log_exception("unexpected_error")
            admission = _deferred("internal_error")
        code = admission.reason.code if admission.reason else None
        log("submission", client=envelope.client, outcome=admission.outcome, code=code)
        return admission

    async def turned_away(
        self, origin: Origin, peer: str, mail_from: str, rcpt_to: tuple[str, ...], reason: Reason
    ) -> None:
        """The door refused this by itself."""
        log("turned_away", code=reason.code, ip=peer, sender=domain_of(mail_from))

    async def _work(self, work: Callable[..., T], *given: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.workers, work, *given)

    def _secret_of(self, name: str) -> str | None:
        with self.store.reading() as session:
            return gateway_clients.secret_of(session, name)

    def _ticket_of(self, rcpt: str) -> int | None:
        if rcpt.rpartition("@")[2].lower() not in self.letterhead().sender_domains:
            return None
        with self.store.reading() as session:
            return gateway_clients.ticket_of(session, rcpt)

    def _take(self, envelope: Envelope) -> Admission:
        answer = submitted(envelope.raw, self.rules())
        for _ in range(TRIES):
            try:
                with self.store.transaction() as session:
                    return self._record(session, envelope, answer)
            except Conflict:
                continue
        raise StoreUnavailable(f"{TRIES} conflicts in a row on one submission")

    def _record(self, session: Session, envelope: Envelope, answer: Submitted) -> Admission:
        now, [rcpt] = self.clock(), envelope.rcpt_to
        if not gateway_clients.used(session, envelope.client, now):
            raise AnswerRefused(f"The gateway client {envelope.client} has been revoked.")
        if gateway_clients.handed_in(session, envelope.delivery_key) is not None:
            return ACCEPTED
        number = gateway_clients.ticket_of(session, rcpt)
        ticket = casework.lock(session, number) if number is not None else None
        if ticket is None:
            return Admission("refused", reason("not_relay_address", rcpt=rcpt))
        if answer.automatic and self.swallow():
            swallowed = Event(ticket.id, now, AnswerSwallowed(), _actor(envelope))
            events.append(session, [swallowed], now)
            return ACCEPTED
        self._queue(session, ticket, envelope, answer, now)
        return ACCEPTED

    def _queue(
        self, session: Session, ticket: TicketRow, envelope: Envelope, answer: Submitted, now: datetime
    ) -> None:
        question = answered_question(session, ticket, envelope.rcpt_to[0], answer.thread)
        order = order_of(session, ticket.id, answer)
        letterhead = self.letterhead()

        def build(number: int) -> outbox.Finished:
            return self._finished(question, answer, order, number, now)

        outgoing = outbox.Outgoing(
            purpose="automatic" if answer.automatic else "answer",
            ticket=ticket.id,
            message=question.message,
            author=_actor(envelope),
            recipient=question.relay_address,
            order_id=order.id,
            not_before=now,
            give_up_at=now + letterhead.give_up,
            handed_in=envelope.delivery_key,
        )
        number = outbox.put(session, outgoing, build, now)
        if order.id is None and not answer.automatic:
            confirmed = Event(ticket.id, now, NoOrderConfirmed(number), _actor(envelope))
            events.append(session, [confirmed], now)

    def _finished(
        self, question: Question, answer: Submitted, order: OrderNumbers, number: int, now: datetime
    ) -> outbox.Finished:
        head = self.letterhead()
        message_id = head.message_id(question.ticket, number)
        raw = rewritten(
            question, answer, order, head.shop, message_id=message_id, date=now, enclose=self.enclose
        )
        raw = head.signed(raw, now)
        check_outgoing(raw, head.bound(question.relay_address, order.id, order.merchant_ref))
        subject = answer_subject(answer.subject or question.subject, order.id)
        return outbox.Finished(head.envelope_from(question.ticket, number), message_id, subject, raw)


def _actor(envelope: Envelope) -> str:
    return f"gateway:{envelope.client}"


def answered_question(session: Session, ticket: TicketRow, rcpt: str, thread: Sequence[str]) -> Question:
    """The message of the ticket that the desk answers: the one its thread names first, else the latest.

    Only messages that came from ``rcpt`` are looked at. AnswerRefused when there is none.
    """
    mine = [
        one
        for one in tickets.messages(session, ticket.id)
        if one.findings.relay_address.lower() == rcpt.lower()
        and one.duplicate_of is None
        and one.kind != "bounce"
    ]
    if not mine:
        raise AnswerRefused(f"Ticket {ticket.id} holds no message from {rcpt} that can be answered.")
    named = [one.id for wanted in thread for one in mine if one.message_id == wanted]
    return question_of(session, ticket, named[0] if named else mine[-1].id)


def order_of(session: Session, ticket_id: int, answer: Submitted) -> OrderNumbers:
    """The order that the answer must name: one the desk names, else the one bound to the ticket.

    Where none is known, a person must name one of the ticket's numbers in the answer, or state by a line
    ``#no-order`` that there is none; AnswerRefused says so. An automatic answer then goes without.
    """
    mine = [
        one
        for one in ticket_orders.of_tickets(session, [ticket_id])
        if one.what == "order" and one.how != "released"
    ]
    seen = "\n".join((answer.subject, *answer.texts, *answer.htmls))
    bound = [one.value for one in mine if one.how == "bound"]
    said = [value for value in (*bound, *(one.value for one in mine)) if names_order(value, seen)]
    likely = bound or [one.value for one in mine if one.how == "not_found"]
    chosen = said[0] if said else likely[0] if len(likely) == 1 else None
    if chosen is None and likely and not answer.no_order and not answer.automatic:
        raise AnswerRefused(f"Write in the answer which order it is about: {', '.join(likely)}.")
    if chosen is None:
        if not answer.no_order and not answer.automatic:
            raise AnswerRefused(
                "No order is known for this conversation: write its order number in the answer after binding "
                f"it to ticket {ticket_id}, or a line #no-order if there is none."
            )
        return OrderNumbers()
    known = [one for one in orders.find(session, chosen) if one.id == chosen]
    return OrderNumbers(chosen, known[0].merchant_ref if known else "")


def _deferred(code: str) -> Admission:
    return Admission("deferred", reason(code))
