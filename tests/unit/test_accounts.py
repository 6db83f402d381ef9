"""Proving who one is: hashes of passwords, which may be chosen, codes of an authenticator, addresses."""

from __future__ import annotations

import secrets
import threading
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from pyotp import TOTP

from relaydesk.accounts import authenticator, choosing
from relaydesk.accounts.passwords import AT_ONCE, WAITING, AgentPasswords, TooManyAtOnce
from relaydesk.web.browsers import browser_name
from relaydesk.web.own_path import own_path
from relaydesk.web.proxies import client_of

SMALL = AgentPasswords(memory_kib=64, time_cost=1)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PHRASE = "blue kettle tuesday rain"


def test_a_password_is_kept_as_argon2id_and_recognized() -> None:
    stored = AgentPasswords().hashed(PHRASE)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert AgentPasswords().verdict(PHRASE, stored) == (True, None)
    assert AgentPasswords().verdict(PHRASE + " ", stored) == (False, None)


@pytest.mark.parametrize(
    "stored", [None, "", "plain", "scrypt$14$8$1$eA==$eA==", "$argon2id$v=19$m=64,t=1,p=4$"]
)
def test_what_is_no_hash_of_ours_lets_nobody_in(stored: str | None) -> None:
    assert SMALL.verdict(PHRASE, stored) == (False, None)


def test_a_hash_is_made_anew_once_more_is_asked_of_one() -> None:
    right, better = AgentPasswords(memory_kib=128, time_cost=1).verdict(PHRASE, SMALL.hashed(PHRASE))
    assert right
    assert "m=128" in (better or "")
    assert AgentPasswords(memory_kib=128, time_cost=1).verdict("wrong", SMALL.hashed(PHRASE)) == (False, None)


def test_who_has_no_password_costs_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    looking = SMALL._hash.verify_and_update
    monkeypatch.setattr(
        SMALL._hash, "verify_and_update", lambda word, kept: looked_at.append(kept) or looking(word, kept)
    )
    SMALL.verdict(PHRASE, None)
    SMALL.verdict(PHRASE, SMALL.hashed(PHRASE))
    assert [kept.rpartition("p=4$")[0] for kept in looked_at] == ["$argon2id$v=19$m=64,t=1,"] * 2


def test_few_are_looked_at_side_by_side_and_too_many_are_told_to_come_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passwords, go, begun = (
        AgentPasswords(memory_kib=64, time_cost=1),
        threading.Event(),
        threading.Semaphore(0),
    )
    at_once: list[int] = []
    inside = [0]

    def slow(_: object) -> str:
        inside[0] += 1
        at_once.append(inside[0])
        begun.release()
        go.wait(10)
        inside[0] -= 1
        return "hash"

    monkeypatch.setattr(passwords._hash, "hash", slow)
    waiting = [threading.Thread(target=passwords.hashed, args=(PHRASE,)) for _ in range(AT_ONCE + WAITING)]
    for thread in waiting:
        thread.start()
    for _ in range(AT_ONCE):
        begun.acquire(timeout=10)
    with pytest.raises(TooManyAtOnce, match="try again in a moment"):
        for _ in range(3):  # until all of them stand in the row
            passwords.hashed(PHRASE)
    go.set()
    for thread in waiting:
        thread.join(10)
    assert max(at_once) <= AT_ONCE


@pytest.mark.parametrize(
    "password",
    [
        *("password1234", "Passw0rd!2345", "123456789012", "aaaaaaaaaaaa", "abcabcabcabc", "qwertyuiop12"),
        *("passwordpassword", "Correct Horse Battery Staple", "iloveyou1234!", "Welcome to relaydesk"),
        *("day.agent.2026", "Winter Day 2026!", "DAYWINTER12345", "zyxwvutsrqponm", "!!!!adm1n!!!!2024"),
    ],
)
def test_no_password_that_is_guessed_first_may_be_chosen(password: str) -> None:
    assert "guessed first" in (choosing.flaw_of(password, "day.agent", "Day Winter") or "")


@pytest.mark.parametrize(
    "password", [PHRASE, "lamp-river-quiet-49", "Пароль из слов", "8f3kq0zv91mx", "x7!" * 20]
)
def test_a_long_one_of_ones_own_may(password: str) -> None:
    if len(set(password)) >= choosing.FEW_CHARACTERS:
        assert choosing.flaw_of(password, "day.agent", "Day Winter") is None


def test_a_short_or_endless_one_may_not() -> None:
    assert "has 11 characters; use at least 12" in (choosing.flaw_of("8f3kq0zv91m") or "")
    assert "more than 200" in (choosing.flaw_of("word " * 41) or "")


def test_a_code_is_good_a_little_early_and_late_but_no_longer() -> None:
    key = authenticator.new_key(secrets.token_bytes)
    at = int(NOON.timestamp()) // 30
    for drift, good in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        code = TOTP(key).at(int(NOON.timestamp()) + 30 * drift)
        assert authenticator.step_of(key, code, NOON) == (at + drift if good else None), drift
    code = TOTP(key).at(int(NOON.timestamp()))
    assert authenticator.step_of(key, f" {code[:3]} {code[3:]} ", NOON) == at
    for wrong in ("", "12345", code + "0", "١٢٣٤٥٦", code + "\N{SUPERSCRIPT TWO}"):
        assert authenticator.step_of(key, wrong, NOON) is None


def test_the_square_holds_no_style_or_script_and_the_key_of_a_shop() -> None:
    square = authenticator.square("JBSWY3DPEHPK3PXP" * 2, agent="day.agent", shop="Shop & Söhne")
    assert square.startswith("<svg ")
    assert not {"style", "script", "href"} & set(square.replace("=", " ").split())


def test_recovery_codes_are_read_however_they_are_typed() -> None:
    codes = authenticator.recovery_codes(secrets.token_bytes)
    assert len(set(codes)) == authenticator.RECOVERY_CODES
    assert authenticator.recovery_text(f" {codes[0].upper()} ") == codes[0].replace("-", "")


@pytest.mark.parametrize(
    "to",
    [
        *(
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "evil.example",
        ),
        *(
            "",
            "/\t/evil.example",
            "/a b",
            "/a\r\nSet-Cookie: x=1",
            "///evil.example",
            "\\/evil.example",
            "/\x00",
        ),
    ],
)
def test_nobody_is_sent_on_to_another_host(to: str) -> None:
    assert own_path(to) == "/"


@pytest.mark.parametrize("to", ["/", "/queues/case?after=3@2026", "/tickets/17#answer", "/search?q=%2F%2Fx"])
def test_pages_of_our_own_are_gone_on_to(to: str) -> None:
    assert own_path(to) == to


PROXIES = (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/24"), ip_network("fd00::/64"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),  # no proxy of ours: anybody can write that
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        (
            "127.0.0.1",
            "192.0.2.1, 198.51.100.7",
            "198.51.100.7",
        ),  # what stands before is the client's own word
        ("127.0.0.1", "198.51.100.7, 10.0.0.8", "198.51.100.7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7, not-an-address", "127.0.0.1"),
    ],
)
def test_only_our_proxies_say_whom_they_ask_for(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded, PROXIES) == client


def test_a_browser_is_told_in_two_words() -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0"
    assert [browser_name(text) for text in (firefox, edge, "", "curl/8")] == [
        "Firefox on Linux",
        "Edge on Windows",
        "Unknown browser",
        "curl",
    ]
