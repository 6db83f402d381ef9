"""Nothing heavy is done while a transaction holds the store: every flow that writes, watched."""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.bounces.seals import bounce_address
from relaydesk.config import parts
from relaydesk.config.settings import Settings
from relaydesk.config.snapshot import read_snapshot
from relaydesk.desk.answers import Written
from relaydesk.dns.resolver import Resolver
from relaydesk.dns.zone import ZoneSource, parse_zone
from relaydesk.gateway.receive import Gateway
from relaydesk.intake.forward import Forwarding
from relaydesk.intake.receive import Intake
from relaydesk.message import words
from relaydesk.message.envelope import Envelope, Origin
from relaydesk.orders.directory import import_file
from relaydesk.outbound.answer import AnswerRefused, HopReply
from relaydesk.outbound.dispatcher import Dispatcher
from relaydesk.outbound.sender import SigningKey
from relaydesk.policy.allowlist import parse_allowlist
from relaydesk.search.index import index_waiting
from relaydesk.store import outbox, ticket_orders
from relaydesk.store.engine import Store
from relaydesk_testkit.arriving import NOON
from relaydesk_testkit.buyers import BOUNCES, DOMAIN, MAILBOX, ZONE, mail
from relaydesk_testkit.sending import HOUR, plan
from relaydesk_testkit.signing import key
from tests.support.desk import ALICE, BOB, SENDER
from tests.support.desk import desk as desk_of
from tests.support.gateway import ALICE as RELAY
from tests.support.gateway import PASSWORD, GatewayFacts, OwnProcess, add_zendesk, answer_mail, asked, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from relaydesk.config.snapshot import Snapshot
    from relaydesk.policy.decision import Decision

HEAVY = (
    "relaydesk.classify.classifier:classify",
    "relaydesk.gateway.clients:hashed",
    "relaydesk.gateway.clients:matches",
    "relaydesk.gateway.rewrite:rewritten",
    "relaydesk.gateway.submission:submitted",
    "relaydesk.intake.forward:below",
    "relaydesk.mailauth.signing:sign_dkim",
    "relaydesk.message.parse:parse_message",
    "relaydesk.message.words:index_words",
    "relaydesk.outbound.attachments:attach_files",
    "relaydesk.outbound.check:check_outgoing",
    "relaydesk.outbound.compose:compose_answer",
)
"""What reads, makes, signs, hashes or checks as many bytes as somebody sends."""


@dataclass
class Watch:
    """Which of the heavy functions were called, and which of them within a transaction."""

    called: set[str] = field(default_factory=set)
    within: list[str] = field(default_factory=list)
    thread: threading.local = field(default_factory=threading.local)

    def watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            self.called.add(name)
            if getattr(self.thread, "transactions", 0):
                self.within.append(name)
            return function(*arguments, **options)

        return call

    def transaction(self, begin: Callable[[Store], Any]) -> Callable[[Store], Any]:
        @contextmanager
        def transaction(store: Store) -> Iterator[Any]:
            with begin(store) as session:
                self.thread.transactions = getattr(self.thread, "transactions", 0) + 1
                try:
                    yield session
                finally:
                    self.thread.transactions -= 1

        return transaction


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Every module of ours calls the heavy functions under watch."""
    watch = Watch()
    monkeypatch.setattr(Store, "transaction", watch.transaction(Store.transaction))
    for name in HEAVY:
        module, _, attribute = name.partition(":")
        function = getattr(importlib.import_module(module), attribute)
        watched = watch.watched(name, function)
        for user in [user for path, user in sys.modules.items() if path.startswith("relaydesk.")]:
            for known in [known for known, value in vars(user).items() if value is function]:
                monkeypatch.setattr(user, known, watched)
    return watch


HELP_DESK = Origin("127.0.0.1", "none", allowlisted=False, how="peer")
SIGNING = replace(SENDER, key=SigningKey("shop.example", "s1", key()), undo=HOUR * 0)


def snapshot() -> Snapshot:
    settings = Settings(mailboxes=(MAILBOX,))
    whole = read_snapshot(settings, secret=SENDER.secret, hostname="mx.shop.example")
    allowlist = parse_allowlist(f"networks: [127.0.0.0/8]\nsenders: [{DOMAIN}]\n")
    forwarding = Forwarding({"case": "desk@help.example"}, SIGNING, "mx.shop.example")
    policy = replace(parts.policy(settings, allowlist), secret=SENDER.secret)
    return replace(whole, allowlist=allowlist, policy=policy, forwarding=forwarding)


async def arrive(store: Store, raw: bytes, mail_from: str = BOUNCES, rcpt: str = MAILBOX) -> Decision:
    with ThreadPoolExecutor(1) as workers:
        zone = Resolver(ZoneSource(parse_zone(ZONE)))
        intake = Intake(store=store, resolver=zone, clock=lambda: NOON, workers=workers)
        origin = Origin("127.0.0.1", "origin", allowlisted=True, how="peer")
        envelope = Envelope("127.0.0.1", origin, "mx.example", mail_from, (rcpt,), raw, NOON, remarks=())
        return await intake.receive(snapshot(), envelope)


class Taking:
    """A next hop that takes everything."""

    async def deliver(self, envelope_from: str, recipient: str, raw: bytes) -> HopReply:
        assert raw.endswith(b"\r\n")
        return HopReply(250, "Ok", "dot")

    def name(self, recipient: str) -> str:
        return "hop.example"


@dataclass(frozen=True)
class Sending:
    sender: Any = SIGNING
    plan: Any = field(default=plan)
    forward_to: tuple[str, ...] = ("desk@help.example",)


@dataclass(frozen=True)
class Current:
    current: Sending = Sending()


def looked_at(watch: Watch) -> set[str]:
    """The heavy functions that were called, by name."""
    return {name.partition(":")[2] for name in watch.called}


async def test_mail_that_comes_is_read_and_forwarded_outside(sqlite_store: Store, watch: Watch) -> None:
    decided = await arrive(sqlite_store, mail(1).raw)
    assert (decided.outcome, decided.kind) == ("accepted", "case")
    with sqlite_store.reading() as session:
        assert [row.purpose for row in outbox.newest(session)] == ["forward"]
    assert watch.within == []
    assert looked_at(watch) >= {"parse_message", "classify", "below"}


async def test_an_answer_is_made_and_checked_outside(sqlite_store: Store, watch: Watch) -> None:
    await arrive(sqlite_store, mail(1).raw)
    answers = desk_of(sqlite_store, NOON + HOUR, sender=lambda: SIGNING).answers
    label = answers.enclosed([("label.pdf", b"%PDF-1.7 label")])
    latest = desk_of(sqlite_store).tickets.latest_event(1)
    written = Written("On its way.", no_order=True, enclosures=label)
    answers.write(1, written, seen=latest, by=ALICE, dry_run=True)
    answers.write(1, written, seen=latest, by=ALICE)
    latest = desk_of(sqlite_store).tickets.latest_event(1)
    with pytest.raises(AnswerRefused, match="still holds"):
        answers.write(1, replace(written, text="{{ name }}"), seen=latest, by=BOB)
    desk_of(sqlite_store).tickets.note(1, "He is angry.", by=BOB)
    assert index_waiting(sqlite_store).indexed == 2  # the mail and the answer
    assert watch.within == []
    assert looked_at(watch) >= {
        "compose_answer",
        "check_outgoing",
        "sign_dkim",
        "attach_files",
        "index_words",
    }


async def test_what_is_due_is_checked_outside(sqlite_store: Store, watch: Watch) -> None:
    await arrive(sqlite_store, mail(1).raw)
    answers = desk_of(sqlite_store, NOON, sender=lambda: SIGNING).answers
    answers.write(1, Written("On its way.", no_order=True), seen=0, by=ALICE)
    watch.called.clear()
    with ThreadPoolExecutor(1) as workers:
        dispatcher = Dispatcher(
            store=sqlite_store,
            configuration=Current(),
            courier=Taking(),
            who="test",
            clock=lambda: NOON + HOUR,
            chance=lambda: 0.5,
            workers=workers,
        )
        assert await dispatcher.once() == 2  # the forward and the answer
    with sqlite_store.reading() as session:
        assert {row.state for row in outbox.newest(session)} == {"sent"}
    assert watch.within == []
    assert looked_at(watch) == {"check_outgoing"}


async def test_what_comes_back_is_read_outside(sqlite_store: Store, watch: Watch) -> None:
    await arrive(sqlite_store, mail(1).raw)
    answers = desk_of(sqlite_store, NOON, sender=lambda: SIGNING).answers
    answer = answers.write(1, Written("On its way.", no_order=True), seen=0, by=ALICE).answer
    back_to = bounce_address(SENDER.secret, 1, "shop.example", answer)
    report = f"Subject: Undelivered\r\nFrom: MAILER-DAEMON@a.example\r\nTo: {back_to}\r\n\r\n550 5.1.1 no\r\n"
    decided = await arrive(sqlite_store, report.encode(), "", back_to)
    assert decided.kind == "bounce"
    assert watch.within == []


async def test_a_help_desks_answer_is_read_and_made_outside(sqlite_store: Store, watch: Watch) -> None:
    add_zendesk(sqlite_store)
    asked(sqlite_store)
    with ThreadPoolExecutor(2) as workers:
        pool = OwnProcess(1, 60)
        gateway = Gateway(store=sqlite_store, clock=lambda: NOON, workers=workers, pool=pool)
        assert await gateway.authenticate("127.0.0.1", "zendesk", PASSWORD) == "right"
        outcomes = []
        good, bad = answer_mail("On its way."), answer_mail("{{ name }}")
        for raw in (good, good, bad):
            handed_in = Envelope(
                "127.0.0.1", HELP_DESK, "desk.example", "a@b.example", (RELAY,), raw, NOON,
                client="zendesk", remarks=(),
            )  # fmt: skip
            outcomes.append((await gateway.receive(GatewayFacts(None), handed_in)).outcome)
    assert outcomes == ["accepted", "accepted", "refused"]
    assert len(rows(sqlite_store)) == 1  # the second was the first, handed in again
    assert watch.within == []
    assert looked_at(watch) >= {"submitted", "rewritten", "check_outgoing", "matches"}


async def test_an_import_binds_what_came_before_it_outside(
    sqlite_store: Store, watch: Watch, tmp_path: Path
) -> None:
    await arrive(sqlite_store, mail(1).raw)
    watch.called.clear()
    with sqlite_store.reading() as session:
        [named] = [
            number.value for number in ticket_orders.of_tickets(session, [1]) if number.what == "order"
        ]
    (tmp_path / "orders.csv").write_text(f"order_id\n{named}\n")
    assert import_file(sqlite_store, tmp_path / "orders.csv", now=NOON).tied == 1
    assert watch.called == set()


def test_a_transaction_is_watched(sqlite_store: Store, watch: Watch) -> None:
    with sqlite_store.turn():
        words.index_words(("a",))
    assert watch.within == ["relaydesk.message.words:index_words"]
    words.index_words(("a",))
    assert len(watch.within) == 1
