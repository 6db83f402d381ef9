"""Signing in: who is let in by what, how often somebody may try, and when a session is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pyotp import TOTP

from relaydesk.accounts.passwords import AgentPasswords
from relaydesk.desk.config import DeskError
from relaydesk.desk.desk import Desk
from relaydesk.desk.permissions import CONSOLE, NotPermitted
from relaydesk.desk.sessions import CodeNeeded, Device, Entered
from relaydesk.desk.sign_in import WrongSignIn
from relaydesk.desk.tries import HERE, MARKED, NETWORK, SignInPaused
from relaydesk.store import StoreUnavailable, audit, logins, web_sessions
from relaydesk.store.preferences import Preferences
from relaydesk_testkit.arriving import NOON
from tests.support.desk import ADA, ALICE, SIGN_IN, desk

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

PHRASE, OTHER = "blue kettle tuesday rain", "four green lamps at sea"
HOME, AWAY = Device("198.51.100.7", "Firefox"), Device("203.0.113.9", "Chrome")
MINUTE = timedelta(minutes=1)


class People:
    """A desk whose clock the test moves, and who comes to it."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, NOON
        self.desk = Desk(store, desk(store).config, lambda: self.now)

    def choose(self, name: str = "alice", password: str = PHRASE) -> Entered | CodeNeeded:
        link = self.desk.accounts.link(name, by=CONSOLE)
        return self.desk.sign_in.choose_password(link, password, HOME)

    def enter(self, password: str = PHRASE, device: Device = HOME, name: str = "alice") -> Entered:
        entered = self.desk.sign_in.by_password(name, password, device)
        assert isinstance(entered, Entered)
        return entered

    def guarded(self, name: str = "alice") -> tuple[str, tuple[str, ...]]:
        """The authenticator's key, and the recovery codes; the codes of now are used by then."""
        key = self.desk.credentials.begin_authenticator(by=f"agent:{name}")
        return key, self.desk.credentials.confirm_authenticator(self.code(key), by=f"agent:{name}")

    def code(self, key: str, drift: int = 0) -> str:
        return TOTP(key).at(int(self.now.timestamp()) + 30 * drift)

    def step(self, password: str = PHRASE, device: Device = HOME) -> str:
        first = self.desk.sign_in.by_password("alice", password, device)
        assert isinstance(first, CodeNeeded)
        return first.token

    def wrong(self, times: int, device: Device = HOME, name: str = "alice") -> str:
        """The last refusal of so many wrong passwords."""
        told = ""
        for _ in range(times):
            with pytest.raises(WrongSignIn) as refusal:
                self.desk.sign_in.by_password(name, "not the password", device)
            told = str(refusal.value)
        return told

    def audited(self) -> list[str]:
        with self.store.reading() as session:
            return [row.what for row in reversed(audit.page(session))]


@pytest.fixture
def people(store: Store) -> People:
    return People(store)


def test_a_chosen_password_lets_in_and_no_other(people: People) -> None:
    people.choose()
    entered = people.enter()
    visitor = people.desk.accounts.visitor(entered.token)
    assert visitor is not None
    assert (visitor.agent.name, visitor.by, visitor.scopes) == ("alice", ALICE, None)
    assert people.enter(name="ALICE").agent == "alice"
    for name, password in (
        ("alice", PHRASE + "x"),
        ("bob", PHRASE),
        ("ghost", PHRASE),
        ("", ""),
        ("alice", ""),
    ):
        with pytest.raises(WrongSignIn, match="Name or password is wrong"):
            people.desk.sign_in.by_password(name, password, AWAY)
    assert people.desk.accounts.visitor("") is None
    assert people.audited() == ["link_made", "password_set", *["signed_in"] * 3, *["sign_in_failed"] * 2]


def test_a_link_is_used_up_by_what_is_done_with_it_not_by_looking(people: People) -> None:
    link = people.desk.accounts.link("alice", by=ADA)
    assert people.desk.sign_in.link(link).kind == people.desk.sign_in.link(link).kind == "password"
    with pytest.raises(NotPermitted, match="has been used or has expired"):
        people.desk.sign_in.by_link(link)  # it does not let in without a password
    with pytest.raises(DeskError, match="use at least 12"):
        people.desk.sign_in.choose_password(link, "short")
    people.desk.sign_in.choose_password(link, PHRASE)
    for use in (people.desk.sign_in.link, people.desk.sign_in.by_link):
        with pytest.raises(NotPermitted, match="has been used or has expired"):
            use(link)
    with pytest.raises(NotPermitted):
        people.desk.sign_in.choose_password(link, OTHER)


def test_a_newer_link_and_a_day_make_a_link_void(people: People) -> None:
    older = people.desk.accounts.link("alice", by=CONSOLE, kind="enter")
    newer = people.desk.accounts.link("alice", by=CONSOLE, kind="enter")
    with pytest.raises(NotPermitted):
        people.desk.sign_in.by_link(older)
    people.now += timedelta(hours=24)
    with pytest.raises(NotPermitted):
        people.desk.sign_in.by_link(newer)


def test_a_wrong_password_says_how_many_tries_are_left_and_then_waits(people: People) -> None:
    people.choose()
    assert people.wrong(2) == "Name or password is wrong. 3 tries are left for this name."
    assert people.wrong(2) == "Name or password is wrong. 1 try is left for this name."
    assert people.wrong(1) == "Name or password is wrong. 0 tries are left for this name."
    with pytest.raises(SignInPaused, match="Try again in 15 minutes, or ask an admin for a link"):
        people.enter()
    people.now += 14 * MINUTE
    with pytest.raises(SignInPaused, match="in 1 minute,"):
        people.enter()
    people.now += MINUTE
    people.enter()
    assert people.wrong(1).endswith("4 tries are left for this name.")


def test_an_unknown_name_is_told_the_same(people: People) -> None:
    assert [people.wrong(1, name="ghost") for _ in range(HERE)][2].endswith("2 tries are left for this name.")
    with pytest.raises(SignInPaused):
        people.desk.sign_in.by_password("ghost", PHRASE, HOME)
    assert "sign_in_failed" not in people.audited()  # what was typed as a name may be a password


def test_a_stranger_locks_nobody_out_who_comes_from_elsewhere_or_was_in_before(people: People) -> None:
    people.choose()
    mark = people.enter().mark
    people.wrong(HERE)
    with pytest.raises(SignInPaused):
        people.enter()
    people.enter(device=AWAY)
    known = replace(HOME, mark=mark)
    people.enter(device=known)
    people.wrong(MARKED, device=known)
    with pytest.raises(SignInPaused):
        people.enter(device=known)
    with pytest.raises(SignInPaused):
        people.enter(device=replace(HOME, mark="0" * 64))
    people.desk.sign_in.choose_password(people.desk.accounts.link("alice", by=CONSOLE), OTHER, HOME)


def test_one_network_does_not_try_name_after_name(people: People) -> None:
    for number in range(NETWORK):
        people.wrong(1, name=f"guess{number}", device=replace(HOME, address=f"198.51.100.{number}"))
    with pytest.raises(SignInPaused):
        people.desk.sign_in.by_password("another", PHRASE, HOME)
    people.wrong(1, name="another", device=AWAY)


def test_every_process_counts_the_same_tries(people: People) -> None:
    people.choose()
    people.wrong(HERE - 1)
    with pytest.raises(WrongSignIn):
        People(people.store).desk.sign_in.by_password("alice", "wrong", HOME)
    with pytest.raises(SignInPaused):
        People(people.store).enter()


def test_failures_are_on_record_but_not_each(people: People) -> None:
    people.choose()
    people.wrong(HERE)
    assert people.audited().count("sign_in_failed") == 2
    with people.store.reading() as session:
        last = audit.page(session, limit=1)[0]
    assert (last.actor, last.facts) == (
        "nobody",
        {"agent": "alice", "network": "198.51.100.0/24", "way": "password", "tries": 5},
    )


def test_a_code_is_asked_for_once_there_is_an_authenticator_and_works_once(people: People) -> None:
    people.choose()
    key, recovery = people.guarded()
    step = people.step()
    assert people.desk.accounts.visitor(step) is None
    with pytest.raises(WrongSignIn, match=r"wrong or was used already. 4 tries are left\."):
        people.desk.sign_in.by_code(step, people.code(key), HOME)  # it confirmed the authenticator
    people.now += MINUTE
    entered = people.desk.sign_in.by_code(step, people.code(key), HOME)
    assert people.desk.accounts.visitor(entered.token)
    with pytest.raises(WrongSignIn, match="begin again"):
        people.desk.sign_in.by_code(step, recovery[0], HOME)
    with pytest.raises(WrongSignIn, match="used already"):
        people.desk.sign_in.by_code(people.step(), people.code(key, -1), HOME)
    people.desk.sign_in.by_code(people.step(), recovery[0].upper(), HOME)
    with pytest.raises(WrongSignIn):
        people.desk.sign_in.by_code(people.step(), recovery[0], HOME)
    assert people.desk.credentials.login("alice").recovery_codes == 9
    step = people.step()
    people.now += 10 * MINUTE
    with pytest.raises(WrongSignIn, match="begin again"):
        people.desk.sign_in.by_code(step, people.code(key), HOME)


def test_codes_are_not_guessed(people: People) -> None:
    people.choose()
    key, _ = people.guarded()
    people.now += MINUTE
    step = people.step()
    for _ in range(5):
        with pytest.raises(WrongSignIn):
            people.desk.sign_in.by_code(step, "000000" if people.code(key) != "000000" else "000001", HOME)
    with pytest.raises(SignInPaused):
        people.desk.sign_in.by_code(step, people.code(key), HOME)
    with pytest.raises(SignInPaused):  # a new first step begins no new count
        people.desk.sign_in.by_code(people.step(), people.code(key), HOME)


def test_a_password_chosen_by_link_asks_for_the_code_too(people: People) -> None:
    people.choose()
    people.guarded()
    assert isinstance(people.choose(password=OTHER), CodeNeeded)
    people.desk.credentials.reset_authenticator("alice", by=ADA)
    assert isinstance(people.choose(password=PHRASE), Entered)
    with pytest.raises(DeskError, match="no authenticator set up"):
        people.desk.credentials.reset_authenticator("alice", by=ADA)


def test_a_session_ends_when_it_is_left_alone_and_at_its_end(people: People) -> None:
    people.choose()
    left, used = people.enter(), people.enter(device=AWAY)
    stays = people.desk.sign_in.by_password("alice", PHRASE, HOME, stays=True)
    assert isinstance(stays, Entered)
    assert (stays.lasts, used.lasts) == (timedelta(days=14), None)
    visitor = people.desk.accounts.visitor
    for _ in range(11):
        people.now += timedelta(hours=1)
        assert visitor(used.token)
    assert visitor(left.token) is None
    people.now += timedelta(hours=1)
    assert visitor(used.token) is None
    people.now += timedelta(days=13)
    assert visitor(stays.token)
    people.now += timedelta(days=1)
    assert visitor(stays.token) is None


def test_that_a_session_is_in_use_is_written_once_a_minute(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.choose()
    token = people.enter().token
    written: list[datetime] = []
    monkeypatch.setattr(web_sessions, "seen", lambda _, __, now: written.append(now))
    for _ in range(10):
        people.now += timedelta(seconds=10)
        assert people.desk.accounts.visitor(token)
    assert len(written) == 5  # what is noted here is forgotten: the sixth second and each after it

    def unavailable(*_: object) -> None:
        raise StoreUnavailable("locked")

    monkeypatch.setattr(web_sessions, "seen", unavailable)
    assert people.desk.accounts.visitor(token)


def test_a_session_is_new_at_each_sign_in_and_the_browsers_former_one_ends(people: People) -> None:
    people.choose()
    first = people.enter()
    second = people.enter(device=replace(HOME, token=first.token))
    assert second.token != first.token
    assert people.desk.accounts.visitor(first.token) is None
    assert people.desk.accounts.visitor(second.token)


def test_sessions_are_listed_and_ended(people: People) -> None:
    people.choose()
    here, there, third = people.enter(), people.enter(device=AWAY), people.enter()
    rows = people.desk.accounts.sessions("alice")
    assert [(row.address, row.browser, row.way) for row in rows][1] == ("203.0.113.9", "Chrome", "password")
    assert len(rows) == 4
    people.desk.accounts.end_session(rows[1].id, by=ALICE)
    assert people.desk.accounts.visitor(there.token) is None
    with pytest.raises(DeskError, match="ended already"):
        people.desk.accounts.end_session(rows[1].id, by=ALICE)
    with pytest.raises(DeskError, match="ended already"):
        people.desk.accounts.end_session(rows[0].id, by="agent:bob")  # another's
    visitor = people.desk.accounts.visitor(here.token)
    assert visitor is not None
    assert people.desk.accounts.end_other_sessions(visitor.session, by=ALICE) == 2
    assert people.desk.accounts.visitor(third.token) is None
    people.desk.accounts.sign_out(here.token)
    people.desk.accounts.sign_out(here.token)
    assert people.desk.accounts.sessions("alice") == ()
    people.enter()
    assert people.desk.accounts.sign_agent_out("alice", by=ADA) == 1


def test_an_agent_has_a_bounded_number_of_sessions(people: People) -> None:
    people.choose()
    first = people.enter().token
    for _ in range(22):
        people.now += timedelta(seconds=1)
        people.enter()
    assert len(people.desk.accounts.sessions("alice")) == 20
    assert people.desk.accounts.visitor(first) is None


def test_a_new_password_ends_every_other_session(people: People) -> None:
    people.choose()
    here, there = people.enter(), people.enter(device=AWAY)
    with pytest.raises(WrongSignIn, match="current password is wrong"):
        people.desk.credentials.change_password("wrong", OTHER, by=ALICE, device=HOME)
    with pytest.raises(DeskError, match="guessed first"):
        people.desk.credentials.change_password(PHRASE, "alice alice alice", by=ALICE, device=HOME)
    new = people.desk.credentials.change_password(PHRASE, OTHER, by=ALICE, device=HOME)
    assert people.desk.accounts.visitor(new.token)
    assert people.desk.accounts.visitor(here.token) is people.desk.accounts.visitor(there.token) is None
    people.wrong(1)
    people.enter(OTHER)


def test_who_leaves_is_out_at_once_and_comes_back_with_nothing(people: People) -> None:
    people.choose()
    token, api = people.enter().token, people.desk.credentials.make_token("report", ["read"], by=ALICE)
    link = people.desk.accounts.link("alice", by=ADA)
    people.desk.agents.deactivate("alice", by=ADA)
    for back in (False, True):
        if back:
            people.desk.agents.add("alice", by=ADA)
        assert people.desk.accounts.visitor(token) is None
        assert people.desk.accounts.token_visitor(api) is None
        with pytest.raises(NotPermitted):
            people.desk.sign_in.link(link)
        people.wrong(1)
        with pytest.raises(WrongSignIn):
            people.enter()


def test_a_hash_is_replaced_when_more_is_asked_of_it(people: People) -> None:
    people.choose()
    stronger = AgentPasswords(memory_kib=128, time_cost=1)
    config = replace(people.desk.config, sign_in=replace(SIGN_IN, passwords=lambda: stronger))
    entered = Desk(people.store, config, lambda: NOON).sign_in.by_password("alice", PHRASE, HOME)
    assert isinstance(entered, Entered)
    with people.store.reading() as session:
        assert "m=128," in (logins.of_agent(session, "alice").password_hash or "")


def test_a_token_lets_a_program_in_within_its_scopes(people: People) -> None:
    make, credentials = people.desk.credentials.make_token, people.desk.credentials
    token = make("nightly  report", ["write", "read"], by=ALICE, days=30)
    visitor = people.desk.accounts.token_visitor(token)
    assert visitor is not None
    assert (visitor.by, visitor.scopes, visitor.session) == (ALICE, {"read", "write"}, 0)
    (row,) = credentials.tokens("alice")
    assert (row.name, row.scopes, row.used_at) == ("nightly report", ("read", "write"), NOON)
    assert people.desk.accounts.visitor(token) is None
    assert people.desk.accounts.token_visitor(token[:-1]) is None
    for name, scopes, days, why in (
        ("", ["read"], 1, "needs a name"),
        ("x", [], 1, "of no use"),
        ("x", ["read"], 0, "1 to 3650 days"),
        ("x", ["admin"], 1, "Only an admin's token"),
    ):
        with pytest.raises(DeskError, match=why):
            make(name, scopes, by=ALICE, days=days)  # type: ignore[arg-type]
    make("all", ["admin"], by=ADA, days=None)
    with pytest.raises(DeskError, match="revoked already"):
        credentials.revoke_token(row.id, by=ADA)  # another's
    people.now += timedelta(days=30)
    assert people.desk.accounts.token_visitor(token) is None
    people.now -= timedelta(days=29)
    credentials.revoke_token(row.id, by=ALICE)
    assert people.desk.accounts.token_visitor(token) is None


def test_the_store_holds_nothing_to_come_in_with(people: People) -> None:
    link = people.desk.accounts.link("alice", by=CONSOLE)
    people.choose()
    key, recovery = people.guarded()
    api = people.desk.credentials.make_token("report", ["read"], by=ALICE)
    people.now += MINUTE
    step = people.step()
    entered = people.desk.sign_in.by_code(step, people.code(key), HOME)
    with people.store.reading() as session:
        rows = str(
            [
                session.connection().exec_driver_sql(f'SELECT * FROM "{table}"').all()
                for table in ("agent_login", "recovery_code", "web_session", "entry_link", "sign_in_step",
                              "sign_in_tries", "api_token", "audit")
            ]
        )  # fmt: skip
    for secret in (
        PHRASE,
        link,
        api,
        step,
        entered.token,
        entered.mark,
        *recovery,
        recovery[0].replace("-", ""),
    ):
        assert secret not in rows


def test_what_an_agent_prefers_is_theirs(people: People) -> None:
    people.choose()
    token, accounts = people.enter().token, people.desk.accounts
    visitor = accounts.visitor(token)
    assert visitor is not None
    assert (visitor.preferences, visitor.zone) == (Preferences(), people.desk.config.calendar.zone)
    chosen = Preferences("Asia/Kolkata", "stay", keys=False, notify_browser=True, notify_mail=False)
    accounts.change_preferences(chosen, by=ALICE)
    accounts.change_name("  Alice   of the shop ", by=ALICE)
    visitor = accounts.visitor(token)
    assert visitor is not None
    assert (visitor.preferences, visitor.zone.key) == (chosen, "Asia/Kolkata")
    assert visitor.agent.display_name == "Alice of the shop"
    for zone in ("Mars/Base", "../../etc/passwd", "/etc/localtime", "x" * 500):
        with pytest.raises(DeskError, match="no time zone"):
            accounts.change_preferences(Preferences(zone), by=ALICE)
    with pytest.raises(DeskError, match="choose one of them"):
        accounts.change_preferences(Preferences(after_send="sideways"), by=ALICE)  # type: ignore[arg-type]
    for name in ("", " ", "x" * 101, "a\x07b"):
        with pytest.raises(DeskError, match="1 to 100 characters"):
            accounts.change_name(name, by=ALICE)


def test_it_is_known_how_everybody_signs_in(people: People) -> None:
    ways = people.desk.accounts.ways
    assert ways()["alice"].way == "no way in"
    people.desk.accounts.link("alice", by=CONSOLE)
    assert ways()["alice"].way == "link not used yet"
    people.choose()
    assert ways()["alice"].way == "password, no code yet"
    people.guarded()
    assert (ways()["alice"].way, ways()["alice"].seen_at) == ("password and code", NOON)
