"""Who may do what: every act of the desk, tried by a ghost, a former agent, a wrong role and a right one."""

from __future__ import annotations

import inspect
import re
import shutil
from copy import copy
from datetime import timedelta
from functools import cached_property, partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import sqlalchemy
from pyotp import TOTP
from sqlalchemy import text, update

from relaydesk.desk import permissions
from relaydesk.desk.answers import Written
from relaydesk.desk.config import DeskError
from relaydesk.desk.desk import Desk
from relaydesk.desk.permissions import (
    CONSOLE,
    PERMITTED,
    VISIBLE,
    Act,
    DeskPart,
    NotPermitted,
    agent_actor,
)
from relaydesk.desk.presence import Presence  # in memory: it says who is here and writes nothing
from relaydesk.order import Order, OrderRow
from relaydesk.store import agents, logins, looks, orders
from relaydesk.store.engine import Store
from relaydesk.store.preferences import Preferences
from relaydesk.store.tables import OutboxTable, table
from relaydesk_testkit.arriving import NOON, ORDER, candidate, open_ticket, planned
from tests.support.desk import ADA, ALICE, BOB, desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECOND = "368509000000002"
PASSWORD = "blue kettle tuesday rain"
OF_ROLE = {"agent": ALICE, "lead": BOB, "admin": ADA, "console": CONSOLE}


class Shop:
    """One of everything that an act needs; ``by`` is tried on it."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.desk = store, desk(store)
        orders.put(store, [OrderRow(Order(number), frozenset()) for number in (ORDER, SECOND)], NOON)
        self.open = open_ticket(store, name="open", bind_orders=(ORDER,), candidates=(candidate(),))
        self.closed = open_ticket(store, name="closed")
        self.given = open_ticket(store, name="given")
        self.marked = open_ticket(store, name="marked")
        with store.transaction() as session:
            assert looks.mark(session, self.marked, "bounce_unclear", NOON)
        self.unanswerable = open_ticket(store, name="handling", clocks=(planned("handling"),))
        self.desk.tickets.close(self.closed, by=BOB)
        self.desk.tickets.assign(self.given, "bob", by=BOB)
        self.desk.gateway_clients.add("zendesk", by=CONSOLE)
        self.unsorted = open_ticket(store, name="unsorted", kind="unsorted")
        self.junk = open_ticket(store, name="junk", kind="unsorted")
        self.desk.tickets.mark_junk(self.junk, by=BOB)
        self.twin = open_ticket(store, name="twin", bind_orders=(ORDER,), candidates=(candidate(),))
        self.merged = open_ticket(store, name="merged", bind_orders=(ORDER,), candidates=(candidate(),))
        self.desk.tickets.merge(self.merged, self.twin, by=BOB)
        self.desk.tickets.link(self.twin, self.given, by=BOB)
        self.words = self.desk.rules.draft(self.unsorted)
        self.proposal = self.desk.rules.propose(self.unsorted, None, self.words, "claim", by=BOB)
        self.csv = folder / "orders.csv"
        self.csv.write_text("order_id\n64000841784004\n")
        with store.transaction() as session:
            agents.add(session, "gone", now=NOON, role="admin")
            agents.change(session, "gone", active=False)

    def answer(self, author: str) -> int:
        """A queued answer of this agent's."""
        seen = self.desk.tickets.latest_event(self.open)
        return self.desk.answers.write(self.open, Written("Hello"), seen=seen, by=author).answer

    def signed_in(self, name: str) -> int:
        """The number of a new session of this agent."""
        link = self.desk.accounts.link(name, by=CONSOLE, kind="direct")
        visitor = self.desk.accounts.visitor(self.desk.sign_in.by_link(link).token)
        assert visitor is not None
        return visitor.session

    def guarded(self, name: str) -> str:
        """A recovery code of this agent, who has a password and an authenticator from now on."""
        link = self.desk.accounts.link(name, by=CONSOLE)
        self.desk.sign_in.choose_password(link, PASSWORD)
        key = self.desk.credentials.begin_authenticator(by=agent_actor(name))
        code = TOTP(key).at(int(NOON.timestamp()))
        return self.desk.credentials.confirm_authenticator(code, by=agent_actor(name))[0]

    def token(self, name: str) -> int:
        """The number of a new token of this agent."""
        self.desk.credentials.make_token("report", ["read"], by=agent_actor(name))
        return self.desk.credentials.tokens(name)[0].id

    def snoozed(self, by: str) -> int:
        """A ticket that ``by`` has snoozed."""
        self.desk.tickets.snooze(self.open, NOON + timedelta(hours=1), by=by)
        return self.open

    def taken(self, by: str) -> int:
        """The number of the event by which ``by`` took a ticket."""
        return self.desk.tickets.take(self.unsorted, by=by)

    def proposed(self, by: str) -> int:
        """A rule that ``by`` has proposed."""
        return self.desk.rules.propose(self.unsorted, None, self.words, "claim", by=by)

    def failed(self, author: str) -> int:
        """An answer of this agent's that no hop took."""
        number = self.answer(author)
        with self.store.transaction() as session:
            session.connection().execute(
                update(table(OutboxTable)).where(table(OutboxTable).c.id == number).values(state="failed")
            )
        return number


NEEDS_A_LOGIN = (
    *("", "reset_authenticator", "change_own_password", "begin_authenticator", "confirm_authenticator"),
    *("remove_own_authenticator", "renew_recovery_codes", "revoke_own_token", "end_own_other_sessions"),
    "sign_agent_out",
)


def own(by: str) -> str:
    """The author of what ``by`` may change as one's own: of a stranger, Alice's."""
    return by if by in (ALICE, BOB, ADA) else ALICE


def acts(shop: Shop, by: str, only: str = "") -> dict[Act, Callable[[], object]]:
    """Each act once; what it needs is made before, by those who may: for ``only`` one act what that needs."""

    here, other = shop.desk, BOB if by != BOB else ADA
    tickets, answers = here.tickets, here.answers
    mine, anothers = partial(shop.answer, own(by)), partial(shop.answer, other)
    name = own(by).removeprefix("agent:")
    needed: dict[str, Callable[[], int]] = {
        "cancel_answer": mine,
        "cancel_answer_of_another": anothers,
        "retry_answer": lambda: shop.failed(own(by)),
        "retry_answer_of_another": lambda: shop.failed(other),
        "undo": lambda: shop.taken(own(by)),
        "wake": lambda: shop.snoozed(own(by)),
        "withdraw_rule": lambda: shop.proposed(own(by)),
        "end_own_session": lambda: shop.signed_in(name),
    }
    made = {act: make() for act, make in needed.items() if only in ("", act)}
    if only in NEEDS_A_LOGIN:
        recovery, token = shop.guarded(name), shop.token(name)
        here.credentials.begin_authenticator(by=own(by))
        with shop.store.reading() as reading:
            pending = logins.of_agent(reading, name).totp_pending or ""
    return {
        "answer": lambda: answers.write(
            shop.open, Written("Hello"), seen=tickets.latest_event(shop.open), by=by
        ),
        "cancel_answer": lambda: answers.cancel(made["cancel_answer"], by=by),
        "cancel_answer_of_another": lambda: answers.cancel(made["cancel_answer_of_another"], by=by),
        "retry_answer": lambda: answers.retry(made["retry_answer"], by=by),
        "retry_answer_of_another": lambda: answers.retry(made["retry_answer_of_another"], by=by),
        "assign": lambda: tickets.assign(shop.open, "ada", by=by),
        "reassign": lambda: tickets.assign(shop.given, None if by == BOB else "alice", by=by),
        "note": lambda: tickets.note(shop.open, "He called.", by=by),
        "state_answered_elsewhere": lambda: tickets.state_answered_elsewhere(shop.open, at=NOON, by=by),
        "state_handled": lambda: tickets.state_handled(shop.unanswerable, at=NOON, how="Paid.", by=by),
        "mark_looked_at": lambda: tickets.mark_looked_at(shop.marked, by=by),
        "close": lambda: tickets.close(shop.open, by=by),
        "reopen": lambda: tickets.reopen(shop.closed, by=by),
        "move": lambda: tickets.move(shop.open, "claim", by=by),
        "bind_order": lambda: tickets.bind_order(shop.open, SECOND, by=by),
        "release_order": lambda: tickets.release_order(shop.open, ORDER, by=by),
        "read_original": lambda: tickets.original(
            shop.open, tickets.view(shop.open).messages[0].row.id, by=by
        ),
        "state_no_order": lambda: tickets.state_no_order(shop.open, by=by),
        "take": lambda: tickets.take(shop.open, by=by),
        "undo": lambda: tickets.undo(made["undo"], by=by),
        "snooze": lambda: tickets.snooze(shop.open, NOON + timedelta(hours=1), by=by),
        "wake": lambda: tickets.wake(made["wake"], by=by),
        "link": lambda: tickets.link(shop.open, shop.unsorted, by=by),
        "unlink": lambda: tickets.unlink(shop.twin, shop.given, by=by),
        "merge": lambda: tickets.merge(shop.open, shop.twin, by=by),
        "unmerge": lambda: tickets.unmerge(shop.merged, by=by),
        "sort": lambda: tickets.sort(shop.unsorted, "claim", by=by),
        "mark_junk": lambda: tickets.mark_junk(shop.unsorted, by=by),
        "mark_proven_junk": lambda: tickets.mark_junk(shop.open, by=by),
        "unmark_junk": lambda: tickets.unmark_junk(shop.junk, by=by),
        "propose_rule": lambda: here.rules.propose(shop.unsorted, None, shop.words, "claim", by=by),
        "withdraw_rule": lambda: here.rules.withdraw(made["withdraw_rule"], by=by),
        "settle_rule": lambda: here.rules.settle(shop.proposal, "accepted", by=by),
        "read_report": lambda: here.reports.count(here.reports.scope(), by=by),
        "export_report": lambda: here.reports.sla(here.reports.scope(), StringIO(), "csv", by=by),
        "import_orders": lambda: here.orders.import_file(shop.csv, by=by),
        "add_agent": lambda: here.agents.add("new", by=by),
        "change_agent": lambda: here.agents.change("bob", role="agent", by=by),
        "deactivate_agent": lambda: here.agents.deactivate("bob", by=by),
        "add_gateway_client": lambda: here.gateway_clients.add("other", by=by),
        "use_api": lambda: here.api_replies.begin("key", "hash", by=by),
        "save_view": lambda: here.saved_views.save("Mine", "/", {}, by=by),
        "share_view": lambda: here.saved_views.save("All", "/", {}, by=by, shared=True),
        "add_evidence": lambda: here.evidence.mark(shop.open, "Invoice", "there", by=by),
        "manage_webhooks": lambda: here.webhooks.add("https://hook.example/", by=by),
        "change_settings": lambda: here.settings.store_value("undo_seconds", "45", by=by),
        "run_checks": lambda: here.health.begin("doctor", lambda _: [], by=by).join(),
        "hand_over_tickets": lambda: here.tickets.hand_over("bob", None, by=by),
        "revoke_gateway_client": lambda: here.gateway_clients.revoke("zendesk", by=by),
        "invite_agent": lambda: here.accounts.link("bob", by=by),
        "sign_agent_out": lambda: here.accounts.sign_agent_out(name, by=by),
        "reset_authenticator": lambda: here.credentials.reset_authenticator(name, by=by),
        "change_own_name": lambda: here.accounts.change_name("Somebody", by=by),
        "change_preferences": lambda: here.accounts.change_preferences(Preferences("Europe/Berlin"), by=by),
        "end_own_session": lambda: here.accounts.end_session(made["end_own_session"], by=by),
        "end_own_other_sessions": lambda: here.accounts.end_other_sessions(0, by=by),
        "change_own_password": lambda: here.credentials.change_password(PASSWORD, PASSWORD[::-1], by=by),
        "begin_authenticator": lambda: here.credentials.begin_authenticator(by=by),
        "confirm_authenticator": lambda: here.credentials.confirm_authenticator(
            TOTP(pending).at(int(NOON.timestamp())), by=by
        ),
        "remove_own_authenticator": lambda: here.credentials.remove_authenticator(recovery, by=by),
        "renew_recovery_codes": lambda: here.credentials.renew_recovery_codes(recovery, by=by),
        "make_token": lambda: here.credentials.make_token("nightly", ["read"], by=by),
        "revoke_own_token": lambda: here.credentials.revoke_token(token, by=by),
    }


def everything(store: Store) -> dict[str, list[Any]]:
    """All that the store holds."""
    with store.reading() as session:
        connection = session.connection()
        names = sqlalchemy.inspect(connection).get_table_names()  # not only what this process has imported
        return {
            name: [tuple(row) for row in connection.execute(text(f'SELECT * FROM "{name}"'))]
            for name in names
        }


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    return Shop(store, tmp_path)


@pytest.fixture(scope="module")
def made_shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop that is only copied."""
    folder = tmp_path_factory.mktemp("shop")
    store = Store.open(f"sqlite:///{shutil.copy(sqlite_template, folder / 'shop.db')}")
    made = Shop(store, folder)
    store.close()
    return made


@pytest.fixture
def small_shop(made_shop: Shop, tmp_path: Path) -> Iterator[Shop]:
    """A shop of this test's own."""
    file = shutil.copy(made_shop.csv.parent / "shop.db", tmp_path / "shop.db")
    store = Store.open(f"sqlite:///{file}")
    shop = copy(made_shop)
    shop.store, shop.desk = store, desk(store)
    yield shop
    store.close()


@pytest.mark.parametrize("by", ["agent:ghost", "agent:gone", "agent:", "ghost", "mail", "relaydesk", ""])
def test_nobody_unknown_or_inactive_does_anything(small_shop: Shop, by: str) -> None:
    tried = acts(small_shop, by)
    before = everything(small_shop.store)
    for name, act in tried.items():
        with pytest.raises(NotPermitted, match=r"There is no agent|no longer active|is not an agent"):
            act()
        assert everything(small_shop.store) == before, name


@pytest.mark.parametrize("standing", OF_ROLE)
def test_a_role_does_what_the_table_says_and_nothing_else(small_shop: Shop, standing: str) -> None:
    tried = acts(small_shop, OF_ROLE[standing])
    refused = [name for name in tried if standing not in PERMITTED[name]]
    before = everything(small_shop.store)
    for name in refused:
        with pytest.raises(NotPermitted, match=r"needs the role|is not an agent"):
            tried[name]()
        assert everything(small_shop.store) == before, name


ASKING = ("_written", "_note", "visible")  # methods of the parts that ask for others
VIEWS = {"read_report"}  # what takes a role only to be looked at


def every_permission() -> list[tuple[str, Act]]:
    return [(standing, act) for act, permitted in PERMITTED.items() for standing in sorted(permitted)]


@pytest.mark.parametrize(("standing", "act"), every_permission())
def test_who_may_can(small_shop: Shop, standing: str, act: Act) -> None:
    tried = acts(small_shop, OF_ROLE[standing], act)[act]
    before = everything(small_shop.store)
    tried()
    assert (everything(small_shop.store) == before) == (act in VIEWS)


def methods(here: Desk) -> list[tuple[type, str, bool]]:
    """Every public method of the desk's parts, and whether it asks who acts."""
    opened = [name for name, member in vars(Desk).items() if isinstance(member, cached_property)]
    return [
        (part, name, "by" in inspect.signature(method).parameters)
        for part in (type(getattr(here, name)) for name in opened)
        for name, method in inspect.getmembers(part, inspect.isfunction)
        if not name.startswith("_") and not hasattr(DeskPart, name)
    ]


def test_every_act_has_its_row_and_its_case(small_shop: Shop) -> None:
    """A new act without a row in the table, or without a case above, fails here."""
    assert set(PERMITTED) == set(get_args(Act)) == set(acts(small_shop, ALICE))
    named = re.compile(r"""["'](\w+)["'], *(?:ticket_id, *)?by""")
    room = Path(permissions.__file__).parent
    asked = {act for part in room.glob("*.py") for act in named.findall(part.read_text())}
    assert set(PERMITTED) - asked == set()
    for part, name, asks in methods(small_shop.desk):
        source = inspect.getsource(getattr(part, name))
        demanded = set(named.findall(source)) & {*PERMITTED, *VISIBLE}
        asked_elsewhere = part is Presence or any(f"self.{asking}(" in source for asking in ASKING)
        assert bool(demanded) == asks or asked_elsewhere, f"{part.__name__}.{name} asks for no act"


def test_whatever_asks_nobody_writes_nothing() -> None:
    """Only ``acting`` opens a transaction, and it demands a name."""
    room = Path(permissions.__file__).parent
    opening = {path.name for path in room.glob("*.py") if ".transaction(" in path.read_text()}
    assert opening == {"permissions.py"}


def test_a_view_of_ones_own_asks_who_looks(small_shop: Shop) -> None:
    for look in (
        partial(small_shop.desk.answers.draft, small_shop.open),
        partial(small_shop.desk.answers.filled, small_shop.open, "acknowledgement", {}),
    ):
        with pytest.raises(NotPermitted, match="There is no agent ghost"):
            look(by="agent:ghost")


def test_an_actor_is_written_as_the_agent_is_named(small_shop: Shop) -> None:
    small_shop.desk.tickets.note(small_shop.open, "He called.", by="agent:ALICE")
    assert small_shop.desk.tickets.view(small_shop.open).events[-1][1].actor == ALICE


def test_nobody_can_be_called_as_the_console(small_shop: Shop) -> None:
    small_shop.desk.agents.add("console", by=CONSOLE)
    with pytest.raises(NotPermitted):
        small_shop.desk.agents.add("other", by="agent:console")
    with pytest.raises(DeskError, match="without a colon"):
        small_shop.desk.agents.add("a:console", by=CONSOLE)


def test_a_role_that_changed_counts_at_once(small_shop: Shop) -> None:
    here = small_shop.desk
    here.agents.change("alice", role="lead", by=ADA)
    here.tickets.assign(small_shop.given, "alice", by=ALICE)
    here.agents.change("bob", role="admin", by=ADA)  # the last admin stays one
    here.agents.change("ada", role="agent", by=ADA)
    with pytest.raises(NotPermitted, match="Agent ada has the role agent"):
        here.agents.add("other", by=ADA)
