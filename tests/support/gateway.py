"""A gateway open on loopback, over a real store with tickets that were asked something."""

from __future__ import annotations

import asyncio
import base64
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from sqlalchemy import select

from relaydesk.gateway import rules as cleaning
from relaydesk.gateway.clients import SALT_BYTES, hashed
from relaydesk.gateway.passwords import Passwords
from relaydesk.gateway.receive import Gateway
from relaydesk.gateway.throttle import Throttle
from relaydesk.outbound.answer import Shop
from relaydesk.outbound.attachments import EACH_BYTES, TYPES
from relaydesk.outbound.sender import Sender
from relaydesk.policy.allowlist import Allowlist
from relaydesk.policy.decision import Placement
from relaydesk.process_pool.pool import ProcessPool
from relaydesk.smtpd.endpoint import Endpoint
from relaydesk.smtpd.limits import Limits
from relaydesk.store import gateway_clients, messages, outbox, outbox_rows, tickets
from relaydesk.store.tables import OutboxTable, table
from relaydesk_testkit.arriving import AUTH as PROVEN
from relaydesk_testkit.arriving import NOON, candidate, decision, parsed_message, planned
from relaydesk_testkit.arriving import envelope as arrived
from relaydesk_testkit.smtp import Holder, OpenDoor

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from relaydesk.store.engine import Store

FILE = Path(cleaning.__file__).with_name("desks.yaml")
RULES = cleaning.load_gateway_rules(
    YAML(typ="safe", pure=True).load(FILE.read_text(encoding="utf-8")), FILE.name
)
ALICE = "case++aaaa@support.facebook.com"
ORDER = "368509000000001"
SHOP = Shop("Shop", "help@shop.example", "shop.example")
HEAD = Sender(
    SHOP, frozenset({"support.facebook.com"}), b"k" * 32, timedelta(seconds=30), timedelta(hours=72)
)
PASSWORD = "correct-horse-battery"


def asked(
    store: Store,
    body: bytes = b"Where is it?\r\n",
    *,
    ticket: int | None = None,
    bind: tuple[str, ...] = (ORDER,),
    message_id: str = "<1@facebook.com>",
    address: str = ALICE,
    candidates: tuple[Any, ...] = (),
) -> messages.Recorded:
    """Customer mail in the store, opening a ticket or joining one."""
    placement = (
        Placement("open", thread_key=address.lower(), bind_orders=bind)
        if ticket is None
        else Placement("join", ticket)
    )
    clocks = (planned(),) if ticket is None else ()
    decided = decision(placement, clocks=clocks, relay_address=address, candidates=candidates)
    with store.transaction() as session:
        return messages.record(
            session,
            arrived(body),
            replace(parsed_message(), message_id=message_id),
            PROVEN,
            decided,
            trace="Received: by us",
            now=NOON,
        )


@dataclass(frozen=True)
class GatewayFacts:
    """What the submission endpoint and the gateway read of a configuration."""

    tls: ssl.SSLContext | None
    sender: Sender = HEAD
    rules: cleaning.GatewayRules = RULES
    swallow: bool = False
    attachment_types: tuple[str, ...] = TYPES
    attachment_bytes: int = EACH_BYTES
    allowlist: Allowlist = field(default_factory=Allowlist)


class OwnProcess(ProcessPool):
    """Does its tasks in a thread of this process, with all values pickled as on their way to another one.

    A process would take its time to start, for every test.
    """

    async def run(self, function: Callable[..., Any], *arguments: object, context: object = None) -> Any:
        sent = pickle.dumps((function, context, arguments))

        def work() -> bytes:
            task, learnt, values = pickle.loads(sent)
            return pickle.dumps(task(*(() if learnt is None else (learnt,)), *values))

        return pickle.loads(await asyncio.to_thread(work))


class OpenGateway(OpenDoor):
    """A submission listener; ``configuration`` may be swapped while it runs."""

    def __init__(
        self,
        store: Store,
        tls: ssl.SSLContext | None,
        *,
        implicit_tls: bool = False,
        pool: ProcessPool | None = None,
        **limits: Any,
    ) -> None:
        super().__init__()
        self.configuration = Holder(GatewayFacts(tls))
        self.gateway = Gateway(
            store=store,
            clock=lambda: datetime.now(UTC),
            workers=ThreadPoolExecutor(2),
            pool=pool or OwnProcess(1, 60),
            passwords=Passwords(Throttle(pace=0.2), wrong_seconds=0),
        )
        self.endpoint = Endpoint(
            hostname="mx.shop.example",
            limits=Limits(**limits),
            receiver=self.gateway,
            configuration=self.configuration,
            now=lambda: datetime.now(UTC),
            logins=self.gateway,
            implicit_tls=implicit_tls,
        )

    def __exit__(self, *ending: object) -> None:
        self.run(self.gateway.pool.close())
        super().__exit__(*ending)


@cache
def _stored_password() -> str:
    """Derived once: it is meant to be slow, and half the tests of the gateway want it."""
    return hashed(PASSWORD, b"s" * SALT_BYTES)


def add_zendesk(store: Store, name: str = "zendesk") -> None:
    """A client whose password is :data:`PASSWORD`."""
    with store.transaction() as session:
        gateway_clients.add(session, name, _stored_password(), NOON)


def plain(name: str = "zendesk", password: str = PASSWORD, identity: str = "") -> str:
    """The response of AUTH PLAIN."""
    return base64.b64encode(f"{identity}\0{name}\0{password}".encode()).decode()


def answer_mail(text: str = "Hello Alice", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = "Support <support+id4711@shop.zendesk.example>"
    message["To"] = headers.pop("to", ALICE)
    message["Subject"] = headers.pop("subject", "Re: Hello")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    message.add_alternative("<p>" + text.replace("\n", "<br>") + "</p>", subtype="html")
    return message.as_bytes(policy=policy.SMTP)


def rows(store: Store) -> list[outbox_rows.OutboxRow]:
    """All of the outbox, oldest first."""
    with store.reading() as session:
        return sorted(outbox.newest(session), key=lambda row: row.id)


def made(store: Store, answer: int) -> EmailMessage:
    """A queued message as its reader parses it."""
    with store.reading() as session:
        rows = session.connection().execute(
            select(table(OutboxTable).c.raw).where(table(OutboxTable).c.id == answer)
        )
        return BytesParser(policy=policy.default).parsebytes(rows.scalar_one())


def events(store: Store, ticket: int) -> list[tuple[str, str]]:
    """(what, actor) of a ticket's events."""
    with store.reading() as session:
        return [(event.what, event.actor) for _, event in tickets.events(session, ticket)]


__all__ = [
    "ALICE",
    "HEAD",
    "NOON",
    "ORDER",
    "OpenGateway",
    "add_zendesk",
    "answer_mail",
    "asked",
    "candidate",
]
