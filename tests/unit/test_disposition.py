"""What a reply of the next hop means: Meta's codes, plain SMTP codes, silence; when to try again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from relaydesk.outbound.answer import HopReply
from relaydesk.outbound.disposition import META, Disposition, back_off, disposition_of, next_try, said
from relaydesk.outbound.next_hop import NextHop

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def at_dot(code: int, text: str) -> Disposition:
    return disposition_of(HopReply(code, text, "dot"), 1, 0.0)


def test_only_the_250_after_the_dot_is_delivery() -> None:
    assert at_dot(250, "2.0.0 taken").state == "sent"
    assert disposition_of(HopReply(250, "ok", "rcpt"), 1, 0.0).state == "deferred"
    assert disposition_of(HopReply(0, "", "dot", certain=False), 1, 0.0).state == "deferred"


@pytest.mark.parametrize(
    ("code", "earliest", "latest", "admin"),
    [
        ("POL-T1", 1, 2, False),
        ("POL-T2", 4, 8, False),
        ("POL-T3", 24, 48, False),
        ("POL-P1", 4, 8, True),
        ("POL-P3", 8, 9, True),
        ("POL-P4", 48, 50, True),
    ],
)
@pytest.mark.parametrize("smtp", [421, 550])
def test_metas_own_word_decides_when_to_try_again(
    code: str, earliest: int, latest: int, admin: bool, smtp: int
) -> None:
    first = disposition_of(HopReply(smtp, f"5.7.1 {code} see the postmaster page", "rcpt"), 7, 0.0)
    last = disposition_of(HopReply(smtp, f"5.7.1 {code} see the postmaster page", "rcpt"), 7, 1.0)
    assert (first.state, first.tell_admin) == ("deferred", admin)
    assert (first.retry_after, last.retry_after) == (earliest * HOUR, latest * HOUR)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_throttling_is_waited_out_in_minutes(number: int) -> None:
    found = disposition_of(HopReply(421, f"4.7.0 CON-T{number}", "connect"), 1, 0.5)
    assert found.state == "deferred" and found.retry_after is not None
    assert 5 * MINUTE <= found.retry_after <= 20 * MINUTE


@pytest.mark.parametrize(
    ("code", "word", "admin"),
    [
        ("POL-P7", "authentication", True),
        ("MSG-P1", "too large", False),
        ("INT-P2", "too large", False),
        ("MSG-P2", "type", False),
        ("MSG-P3", "repeats a header", True),
        ("RCP-P1", "relay address", False),
        ("INT-P1", "relay address", False),
        ("INT-P3", "relay address", False),
        ("INT-P4", "relay address", False),
    ],
)
def test_metas_final_word_refuses_with_a_sentence(code: str, word: str, admin: bool) -> None:
    found = at_dot(550, f"5.7.1 {code} no")
    assert (found.state, found.retry_after, found.tell_admin) == ("refused", None, admin)
    assert word in found.sentence


def test_every_documented_code_is_known() -> None:
    documented = "POL-P7 POL-P1 POL-P3 POL-P4 POL-T1 POL-T2 POL-T3 MSG-P1 INT-P2 MSG-P2 MSG-P3 RCP-P1 INT-P1"
    assert set(META) == {*documented.split(), "INT-P3", "INT-P4", *(f"CON-T{n}" for n in range(1, 5))}


def test_a_success_that_quotes_a_code_is_a_success() -> None:
    assert at_dot(250, "taken, POL-P7 was mended").state == "sent"


@pytest.mark.parametrize("phase", ["connect", "hello", "starttls", "auth"])
@pytest.mark.parametrize("code", [0, 421, 454, 535, 554])
def test_trouble_before_mail_from_never_refuses_an_answer(phase: str, code: int) -> None:
    found = disposition_of(HopReply(code, "5.7.1 no", phase), 1, 0.5)  # type: ignore[arg-type]
    assert (found.state, found.retry_after) == ("deferred", MINUTE)
    assert found.tell_admin == (code >= 500 or phase in ("starttls", "auth"))
    assert not found.diagnose  # the connection is at fault, not what our domain publishes


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data", "dot"])
def test_from_mail_on_4xx_waits_and_5xx_is_final(phase: str) -> None:
    assert disposition_of(HopReply(451, "4.3.0 later", phase), 1, 0.5).state == "deferred"  # type: ignore[arg-type]
    assert disposition_of(HopReply(554, "5.6.0 never", phase), 1, 0.5).state == "refused"  # type: ignore[arg-type]
    assert disposition_of(HopReply(503, "5.5.1 bad sequence", phase), 1, 0.5).state == "deferred"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reply", "word", "admin"),
    [
        (HopReply(550, "5.1.1 unknown", "rcpt"), "relay address", False),
        (HopReply(550, "no such user", "rcpt"), "relay address", False),
        (HopReply(556, "5.1.10 null MX", "rcpt"), "relay address", False),
        (HopReply(550, "5.1.1 unknown", "dot"), "relay address", False),
        (HopReply(552, "size", "mail"), "too large", False),
        (HopReply(550, "5.3.4 size", "dot"), "too large", False),
        (HopReply(550, "5.7.26 unauthenticated", "dot"), "5.7.26", True),
        (HopReply(553, "5.7.1 not your sender", "mail"), "not your sender", True),
        (HopReply(550, "5.7.1 relaying denied", "rcpt"), "relaying denied", True),
    ],
)
def test_a_plain_refusal_says_what_to_do(reply: HopReply, word: str, admin: bool) -> None:
    found = disposition_of(reply, 1, 0.5)
    assert (found.state, found.tell_admin) == ("refused", admin)
    assert word in found.sentence


def test_it_says_when_the_hop_may_have_it() -> None:
    found = disposition_of(HopReply(0, "Connection lost", "dot", certain=False), 1, 0.5)
    assert "may have the message" in found.sentence
    before = disposition_of(HopReply(0, "Connection lost", "data"), 1, 0.5)
    assert "may have the message" not in before.sentence


def test_the_pause_doubles_up_to_an_hour() -> None:
    pauses = [back_off(number, 0.5) for number in range(1, 10)]
    assert pauses == [min(HOUR, MINUTE * 2**number) for number in range(9)]
    assert back_off(10**9, 0.5) == HOUR


@pytest.mark.parametrize(("chance", "part"), [(0.0, 0.5), (0.25, 0.75), (0.999, 1.499)])
def test_the_pause_is_spread(chance: float, part: float) -> None:
    assert back_off(3, chance).total_seconds() == pytest.approx(240 * part)


def test_the_give_up_time_gets_one_last_try() -> None:
    assert next_try(NOON, HOUR, NOON + 2 * HOUR) == NOON + HOUR
    assert next_try(NOON, 5 * HOUR, NOON + 2 * HOUR) == NOON + 2 * HOUR
    assert next_try(NOON + 2 * HOUR, HOUR, NOON + 2 * HOUR) is None


def test_foreign_words_become_one_printable_line() -> None:
    reply = HopReply(550, "5.7.1 no\r\nX-Evil: 1\x1b[31m \N{SNOWMAN}" + "x" * 999, "rcpt")
    text = said(reply)
    assert text.startswith("550 5.7.1 no X-Evil: 1")
    assert text.isascii() and text.isprintable() and len(text) < 320
    assert text.isprintable() and disposition_of(reply, 1, 0.5).sentence.isprintable()


@pytest.mark.parametrize(
    ("text", "hop"),
    [
        ("smtp://mail.example", NextHop("mail.example", 587, "required", "u", "p")),
        ("smtp://mail.example:2525", NextHop("mail.example", 2525, "required", "u", "p")),
        ("smtps://mail.example", NextHop("mail.example", 465, "implicit", "u", "p")),
        ("smtps://[::1]:4650/", NextHop("::1", 4650, "implicit", "u", "p")),
        ("mx", NextHop("", 25, "opportunistic")),
        ("mx:2525", NextHop("", 2525, "opportunistic")),
    ],
)
def test_it_reads_a_next_hop(text: str, hop: NextHop) -> None:
    assert NextHop.parse(text, "u", "p") == hop


def test_a_smarthost_near_by_may_do_without_tls() -> None:
    assert NextHop.parse("smtp://127.0.0.1:25", starttls=False).tls == "opportunistic"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://u:p@mail.example",
        "smtp://h:x",
        "mx:x",
        "mx://h",
    ],
)
def test_it_refuses_what_is_no_next_hop_and_names_the_mend(text: str) -> None:
    with pytest.raises(ValueError, match=r"use smtp://host:587, smtps://host:465 or mx"):
        NextHop.parse(text)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(NextHop.parse("smtp://mail.example", "u", "secret"))
