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
from relaydesk.gateway.clients import DUMMY_HASH, Throttle, matches
from relaydesk.gateway.rewrite import rewritten
from relaydesk.gateway.submission import submitted
from relaydesk.logs import log, log_exception
from relaydesk.message import domain_of
from relaydesk.outbound import AnswerRefused, OrderChoice, attach_files, order_of, question_of, queue_answer
from relaydesk.policy import Admission
from relaydesk.reasons import reason
from relaydesk.store import StoreUnavailable, events, gateway_clients, outbox, tickets, until_settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.gateway.rules import GatewayRules
    from relaydesk.gateway.submission import Submitted
    from relaydesk.message import Envelope, Origin
    from relaydesk.outbound import AttachedFile, Question, Sender
    from relaydesk.reasons import Reason
    from relaydesk.store import Store, TicketRow

T = TypeVar("T")
ACCEPTED = Admission("accepted")
HELP_DESK = OrderChoice(
    sees_numbers=False,
    how="write the number of the order in the answer",
    how_none="add a line #no-order if there is none",
)
HASHING = 2  # passwords looked at side by side; each takes 16 MiB for a moment


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
    ``clock`` gives aware UTC; ``workers`` runs parsing and the store's work, never on the event loop.
    """

    store: Store
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
            log("store_unavailable", level="error", limit_by="", problem=str(error))
            return "later"
        async with self.hashing:
            right = await asyncio.to_thread(matches, password, stored or DUMMY_HASH)
        if right and stored is not None:
            self.throttle.succeeded(ip)
            return "right"
        self.throttle.failed(ip, self.clock())
        client = name if stored else None
        log("gateway_login_failed", level="warning", limit_by=ip, ip=ip, client=client)
        return "wrong"

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
            admission = await self._work(self._take, config, envelope)
        except AnswerRefused as refusal:
            admission = Admission("refused", reason("answer_refused", sentence=str(refusal)))
        except StoreUnavailable as error:
            log("store_unavailable", level="error", limit_by="", problem=str(error))
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
        """The SMTP server refused this by itself."""
        log("turned_away", limit_by=peer, code=reason.code, ip=peer, sender=domain_of(mail_from))

    async def _work(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.workers, work, *arguments)

    def _secret_of(self, name: str) -> str | None:
        with self.store.reading() as session:
            return gateway_clients.secret_of(session, name)

    def _ticket_of(self, config: GatewayConfig, rcpt: str) -> int | None:
        if domain_of(rcpt) not in config.sender.sender_domains:
            return None
        with self.store.reading() as session:
            return tickets.of_address(session, rcpt)

    def _take(self, config: GatewayConfig, envelope: Envelope) -> Admission:
        answer = submitted(envelope.raw, config.rules)

        def attempt() -> Admission:
            with self.store.transaction() as session:
                return self._record(session, config, envelope, answer)

        return until_settled(attempt)

    def _record(
        self, session: Session, config: GatewayConfig, envelope: Envelope, answer: Submitted
    ) -> Admission:
        now, [rcpt] = self.clock(), envelope.rcpt_to
        if not gateway_clients.used(session, envelope.client, now):
            raise AnswerRefused(f"The gateway client {envelope.client} has been revoked.")
        if outbox.handed_in(session, envelope.delivery_key) is not None:
            return ACCEPTED
        number = tickets.of_address(session, rcpt)
        ticket = tickets.lock(session, number) if number is not None else None
        if ticket is None:
            return Admission("refused", reason("not_relay_address", rcpt=rcpt))
        if answer.automatic and config.swallow:
            swallowed = Event(ticket.id, now, AnswerSwallowed(), _actor(envelope))
            events.append(session, [swallowed], now)
            return ACCEPTED
        _queue(session, config, ticket, envelope, answer, now=now)
        return ACCEPTED


def _queue(  # noqa: PLR0913 - by which configuration, what is answered, with what
    session: Session,
    config: GatewayConfig,
    ticket: TicketRow,
    envelope: Envelope,
    answer: Submitted,
    *,
    now: datetime,
) -> None:
    question = answered_question(session, ticket, envelope.rcpt_to[0], answer.thread)
    choice = replace(
        HELP_DESK,
        asked=not answer.automatic,
        text="\n".join((answer.subject, answer.text, answer.html)),
        none=answer.no_order,
    )
    order, sender = order_of(session, ticket.id, choice), config.sender

    def enclose(files: Iterable[tuple[str, bytes]]) -> Sequence[AttachedFile]:
        return attach_files(files, types=config.attachment_types, each_bytes=config.attachment_bytes)

    def make(message_id: str) -> bytes:
        return rewritten(
            question, answer, order, sender.shop, message_id=message_id, date=now, enclose=enclose
        )

    number, _ = queue_answer(
        session,
        sender,
        question,
        order,
        make,
        author=_actor(envelope),
        now=now,
        subject=answer.subject,
        purpose="automatic" if answer.automatic else "answer",
        handed_in=envelope.delivery_key,
    )
    if answer.taken:
        cleaned = Event(ticket.id, now, AnswerCleaned(number, answer.taken), _actor(envelope))
        events.append(session, [cleaned], now)


def _actor(envelope: Envelope) -> str:
    return f"gateway:{envelope.client}"


def answered_question(session: Session, ticket: TicketRow, rcpt: str, thread: Sequence[str]) -> Question:
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
    return question_of(session, ticket, named[0] if named else rows[-1].id)


def _deferred(code: str) -> Admission:
    return Admission("deferred", reason(code))
