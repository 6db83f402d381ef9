"""The gateway: answers that the shop's own help desk hands in, made fit for the relay and queued.

The recipient must be the relay address of a ticket we know, so this is never an open relay. 250 is said
after the commit, and a submission that comes again is stored once. An answer goes out at once: undo is the
help desk's own matter.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from relaydesk.events import AnswerCleaned, AnswerSwallowed, Event
from relaydesk.gateway.making import Making, Refusal, make_answer, read_answer
from relaydesk.gateway.passwords import Passwords
from relaydesk.logs import log, log_exception
from relaydesk.message import domain_of
from relaydesk.outbound import AnswerRefused, OrderChoice, grounds_of, queue_answer
from relaydesk.policy import Admission
from relaydesk.process_pool import TaskTooHeavy
from relaydesk.reasons import reason
from relaydesk.store import StoreUnavailable, events, gateway_clients, outbox, tickets, until_settled_async

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.gateway.rules import GatewayRules
    from relaydesk.gateway.submission import Submitted
    from relaydesk.message import Envelope, Origin
    from relaydesk.outbound import Grounds, Sender
    from relaydesk.process_pool import ProcessPool
    from relaydesk.reasons import Reason
    from relaydesk.store import Finished, Store, TicketRow

T = TypeVar("T")
ACCEPTED = Admission("accepted")
HELP_DESK = OrderChoice(
    sees_numbers=False,
    how="write the number of the order in the answer",
    how_none="add a line #no-order if there is none",
)
TOO_HEAVY = (
    "The message takes too long to read or too much memory; send it as plain text, or make it smaller."
)


class GatewayConfig(Protocol):
    """What the gateway reads of a snapshot of the configuration.

    ``swallow`` says whether automatic answers are dropped; ``attachment_types`` are the MIME types of files
    that may go, ``attachment_bytes`` the most that one may have.
    """

    @property
    def sender(self) -> Sender: ...
    @property
    def rules(self) -> GatewayRules: ...
    @property
    def swallow(self) -> bool: ...
    @property
    def attachment_types(self) -> Sequence[str]: ...
    @property
    def attachment_bytes(self) -> int: ...


@dataclass(slots=True)
class Gateway:
    """The work behind the submission listener: who may hand in, for whom, and what becomes of it.

    ``admit`` and ``receive`` are given the snapshot of the configuration that their transaction began with.
    ``clock`` gives aware UTC; ``workers`` runs the store's work, never on the event loop; ``pool`` reads and
    makes what a help desk's bytes may make slow.
    """

    store: Store
    clock: Callable[[], datetime]
    workers: Executor
    pool: ProcessPool
    passwords: Passwords = field(default_factory=Passwords)
    laying: asyncio.Lock = field(default_factory=asyncio.Lock)  # 15 MB are 0.2 s; one leaves workers to mail

    async def authenticate(self, ip: str, name: str, password: str) -> Literal["right", "wrong", "later"]:
        """Whether a client may come in. What was said is never logged, except a known client's name."""
        try:
            return await self.passwords.verdict(ip, name, password, self._secret_of)
        except StoreUnavailable as error:
            log("store_unavailable", level="error", limit_by="", problem=str(error))
            return "later"

    async def admit(
        self, config: GatewayConfig, origin: Origin, helo: str, mail_from: str, rcpt: str
    ) -> Admission:
        """Whether this recipient is the relay address of a ticket we know."""
        try:
            ticket = await self._work(self._ticket_of, config, rcpt)
        except StoreUnavailable as error:
            log("store_unavailable", level="error", limit_by="", problem=str(error))
            return _deferred("store_unavailable")
        if ticket is None:
            code, to = "not_relay_address", domain_of(rcpt)
            log("gateway_rcpt", limit_by=origin.ip or "", outcome="refused", code=code, to=to)
            return Admission("refused", reason("not_relay_address", rcpt=rcpt))
        return ACCEPTED

    async def receive(self, config: GatewayConfig, envelope: Envelope) -> Admission:
        """Repair, check and queue one answer. Never raises: what goes wrong defers."""
        try:
            admission = await self._take(config, envelope)
        except _NoTicketError:
            admission = Admission("refused", reason("not_relay_address", rcpt=envelope.rcpt_to[0]))
        except AnswerRefused as refusal:
            admission = Admission("refused", reason("answer_refused", sentence=str(refusal)))
        except StoreUnavailable as error:
            log("store_unavailable", level="error", limit_by="", problem=str(error))
            admission = _deferred("store_unavailable")
        except Exception:
            log_exception("unexpected_error")
            admission = _deferred("internal_error")
        code = admission.reason.code if admission.reason else None
        limit_by = None if admission.outcome == "accepted" else envelope.client
        log("submission", limit_by=limit_by, client=envelope.client, outcome=admission.outcome, code=code)
        return admission

    async def turned_away(
        self, origin: Origin, peer: str, mail_from: str, rcpt_to: tuple[str, ...], reason: Reason
    ) -> None:
        """The SMTP server refused this by itself."""
        log("turned_away", limit_by=peer, code=reason.code, ip=peer, sender=domain_of(mail_from))

    async def _work(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.workers, work, *arguments)

    async def _secret_of(self, name: str) -> str | None:
        def read() -> str | None:
            with self.store.reading() as session:
                return gateway_clients.secret_of(session, name)

        return await self._work(read)

    def _ticket_of(self, config: GatewayConfig, rcpt: str) -> int | None:
        if domain_of(rcpt) not in config.sender.sender_domains:
            return None
        with self.store.reading() as session:
            return tickets.of_address(session, rcpt)

    async def _take(self, config: GatewayConfig, envelope: Envelope) -> Admission:
        """Reads the answer, makes it, and lays it in the outbox.

        Reading and making have processes of their own; the store is held for a moment before and after.
        """
        answer = await self._computed(read_answer, envelope.raw, context=config.rules)
        number = await self._work(self._begin, config, envelope, answer)
        if number is None:
            return ACCEPTED
        versions: list[tuple[Grounds, Finished]] = []

        async def attempt() -> Admission:
            grounds = await self._work(self._grounds, envelope, answer)
            if not (versions and grounds.same_answer(versions[-1][0])):
                making = Making(
                    config.sender,
                    grounds.question,
                    grounds.order,
                    number,
                    config.attachment_types,
                    config.attachment_bytes,
                    self.clock(),
                )
                versions.append((grounds, await self._computed(make_answer, making, answer)))
            laid = _Laid(grounds, number, versions[-1][1])
            async with self.laying:
                await self._work(self._lay, config.sender, envelope, answer, laid)
            return ACCEPTED

        return await until_settled_async(attempt)

    async def _computed(
        self, task: Callable[..., T | Refusal], *arguments: object, context: object = None
    ) -> T:
        try:
            outcome = await self.pool.run(task, *arguments, context=context)
        except TaskTooHeavy:
            raise AnswerRefused(TOO_HEAVY) from None
        if isinstance(outcome, Refusal):
            raise AnswerRefused(outcome.sentence)
        return outcome

    def _begin(self, config: GatewayConfig, envelope: Envelope, answer: Submitted) -> int | None:
        """The number of the answer that is to be made; None when there is nothing left to do."""
        with self.store.transaction() as session:
            now = self.clock()
            if self._is_here(session, envelope, now):
                return None
            ticket = _ticket(session, envelope)
            if answer.automatic and config.swallow:
                swallowed = Event(ticket.id, now, AnswerSwallowed(), _actor(envelope))
                events.append(session, [swallowed], now)
                return None
            return outbox.next_number(session)

    def _grounds(self, envelope: Envelope, answer: Submitted) -> Grounds:
        with self.store.reading() as session:
            ticket = _ticket(session, envelope)
            version = tickets.version(session, ticket.id)
            message = answered_message(session, ticket, envelope.rcpt_to[0], answer.thread)
            choice = replace(
                HELP_DESK,
                asked=not answer.automatic,
                text="\n".join((answer.subject, answer.text, answer.html)),
                none=answer.no_order,
            )
            return grounds_of(session, ticket, message, choice, version=version)

    def _lay(self, sender: Sender, envelope: Envelope, answer: Submitted, laid: _Laid) -> None:
        with self.store.turn() as session:
            now, author = self.clock(), _actor(envelope)
            if self._is_here(session, envelope, now):
                return
            queue_answer(
                session,
                sender,
                laid.grounds,
                laid.number,
                laid.finished,
                author=author,
                now=now,
                purpose="automatic" if answer.automatic else "answer",
                handed_in=envelope.delivery_key,
            )
            if answer.taken:
                taken = AnswerCleaned(laid.number, answer.taken)
                events.append(session, [Event(laid.grounds.question.ticket, now, taken, author)], now)

    def _is_here(self, session: Session, envelope: Envelope, now: datetime) -> bool:
        """Whether this very submission was taken before. AnswerRefused for a client that may not come in."""
        if not gateway_clients.used(session, envelope.client, now):
            raise AnswerRefused(f"The gateway client {envelope.client} has been revoked.")
        return outbox.handed_in(session, envelope.delivery_key) is not None


@dataclass(frozen=True, slots=True)
class _Laid:
    """What is laid in the outbox, and the grounds it stands on."""

    grounds: Grounds
    number: int
    finished: Finished


class _NoTicketError(Exception):
    """The recipient is the relay address of no ticket."""


def _ticket(session: Session, envelope: Envelope) -> TicketRow:
    number = tickets.of_address(session, envelope.rcpt_to[0])
    ticket = tickets.row(session, number) if number is not None else None
    if ticket is None:
        raise _NoTicketError
    return ticket


def _actor(envelope: Envelope) -> str:
    return f"gateway:{envelope.client}"


def answered_message(session: Session, ticket: TicketRow, rcpt: str, thread: Sequence[str]) -> int:
    """The message of the ticket that the desk answers: the one its thread names first, else the latest.

    Only messages that came from ``rcpt`` are looked at. AnswerRefused when there is none.
    """
    rows = [
        row
        for row in tickets.messages(session, ticket.id)
        if row.findings.relay_address.lower() == rcpt.lower()
        and row.duplicate_of is None
        and row.kind != "bounce"
    ]
    if not rows:
        raise AnswerRefused(f"Ticket {ticket.id} holds no message from {rcpt} that can be answered.")
    named = [row.id for wanted in thread for row in rows if row.message_id == wanted]
    return named[0] if named else rows[-1].id


def _deferred(code: str) -> Admission:
    return Admission("deferred", reason(code))
