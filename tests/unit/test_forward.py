"""Forwarding to another help desk: what is added, what is taken away, and that DKIM still passes."""

from __future__ import annotations

from datetime import UTC, datetime
from email.parser import BytesParser
from typing import TYPE_CHECKING

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaydesk.intake.forward import Sorted, added_fields, below, forwarded_before, on_top
from relaydesk.mailauth.dkim import verify_dkim
from relaydesk.message.headers import header_fields
from relaydesk_testkit.signing import DOMAIN, MESSAGE, SELECTOR, key_zone, over, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
US = "mx.shop.example"
TRACE = (
    "Received: from a.example ([66.220.144.130]) by mx.shop.example with ESMTPS;"
    " Tue, 24 Nov 2026 12:00:00 +0000\r\n"
    f"Authentication-Results: {US}; spf=pass smtp.mailfrom=facebook.com; dkim=pass\r\n"
)


def forwarded(raw: bytes, added: Sequence[tuple[str, str]], authserv_id: str) -> bytes:
    return on_top(added, authserv_id) + below(raw, authserv_id)


FOUND = Sorted(7, "case", "case", ("64000841784004",), NOON)


async def test_the_original_stays_byte_for_byte_and_its_signature_passes() -> None:
    raw = signed()
    made = forwarded(raw, added_fields(FOUND, TRACE), US)
    assert made.endswith(raw)
    [found] = await verify_dkim(made, over(key_zone()), NOON)
    assert (found.result, found.domain) == ("pass", DOMAIN)
    record = key_zone()[f"{SELECTOR}._domainkey.{DOMAIN}"][0]
    assert isinstance(record, dict)
    assert dkim.verify(made, dnsfunc=lambda *_, **__: record["TXT"].encode())


def test_our_lines_stand_on_top_in_order() -> None:
    made = forwarded(MESSAGE, added_fields(FOUND, TRACE), US)
    ours = header_fields(made[: -len(MESSAGE)])
    assert [(name, value.decode()) for name, value in ours[2:]] == [
        ("X-Relaydesk-Queue", "case"),
        ("X-Relaydesk-Kind", "case"),
        ("X-Relaydesk-Order", "64000841784004"),
        ("X-Relaydesk-Due", "2026-11-24T12:00:00+00:00"),
        ("X-Relaydesk-Ticket", "7"),
        ("X-Relaydesk-Loop", US),
    ]
    assert [name for name, _ in ours[:2]] == ["Received", "Authentication-Results"]
    assert ours[1][1].startswith(b"mx.shop.example; spf=pass")


def test_it_says_nothing_of_an_order_or_deadline_that_is_not_there() -> None:
    names = [name for name, _ in added_fields(Sorted(7, "unsorted", "unsorted"), "")]
    assert names == ["X-Relaydesk-Queue", "X-Relaydesk-Kind", "X-Relaydesk-Ticket"]


@pytest.mark.parametrize(
    "claim",
    [
        b"Authentication-Results: mx.shop.example; spf=pass\r\n",
        b"authentication-results:mx.shop.example;dkim=pass\r\n",
        b"Authentication-Results : MX.Shop.Example 1; dkim=pass\r\n",
        b"Authentication-Results:\r\n mx.shop.example;\r\n\tdkim=pass\r\n",
        b'Authentication-Results: "mx.shop.example"; dkim=pass\r\n',
        b'Authentication-Results: "mx\\.shop.example"; dkim=pass\r\n',
        b"Authentication-Results: (a (b) \\) c) mx.shop.example (d); dkim=pass\r\n",
        b"Authentication-Results: mx.shop.example.; dkim=pass\r\n",
        b"Authentication-Results: mx.shop.example\r\n",
    ],
)
def test_it_removes_results_that_claim_to_be_ours(claim: bytes) -> None:
    top, rest = b"Received: by x\r\n", b"Subject: a\r\n\r\n" + claim + b"body\r\n"
    made = forwarded(top + claim + rest, (), US)
    assert made == b"X-Relaydesk-Loop: mx.shop.example\r\n" + top + rest


@pytest.mark.parametrize(
    "other",
    [
        b"Authentication-Results: mx.google.com; spf=pass (mx.shop.example)\r\n",
        b"Authentication-Results: mx.shop.example.evil.example; spf=pass\r\n",
        b"Authentication-Results: (mx.shop.example;) other.example; spf=pass\r\n",
        b"Authentication-Results:\r\n",
        b"ARC-Authentication-Results: i=1; mx.shop.example; spf=pass\r\n",
        b"X-Authentication-Results: mx.shop.example; spf=pass\r\n",
        b"X-Note: a\r\n Authentication-Results: mx.shop.example; spf=pass\r\n",
    ],
)
def test_it_leaves_the_results_of_others(other: bytes) -> None:
    raw = other + b"Subject: a\r\n\r\nbody\r\n"
    assert forwarded(raw, (), US).endswith(b"\r\n" + raw)


def test_what_was_forwarded_once_is_not_forwarded_again() -> None:
    once = forwarded(MESSAGE, (), US)
    assert not forwarded_before(MESSAGE, US)
    assert forwarded_before(b"Received: from the desk\r\n" + once, US.upper())
    assert not forwarded_before(once, "other.example")
    assert forwarded(once, (), "other.example").endswith(once)


FORGED = [
    b"X-Relaydesk-Queue: chargeback\r\n",
    b"x-relaydesk-queue:chargeback\r\n",
    b"X-RELAYDESK-Queue \t: chargeback\r\n",
    b"X-Relaydesk-Order:\r\n 1234\r\n\t5678\r\n",
    b"X-Relaydesk-Whatever-comes-later: yes\r\n",
    b"no field at all\r\nX-Relaydesk-Ticket: 1\r\n",
]


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize(
    "raw", [b"%sSubject: a\r\n\r\nbody", b"Subject: a\r\n%s\r\nbody", b"Subject: a\r\n%s"]
)
def test_what_a_mail_calls_ours_gets_another_name(forged: bytes, raw: bytes) -> None:
    raw = raw.replace(b"%s", forged)
    forward = forwarded(raw, added_fields(FOUND, TRACE), US)
    ours = on_top(added_fields(FOUND, TRACE), US)
    assert forward.startswith(ours)
    rest = forward.removeprefix(ours)
    assert len(rest) == len(raw)
    assert b"x-relaydesk-" not in rest.lower()
    assert b"X-Untrusted-" in rest
    message = BytesParser().parsebytes(forward)
    assert message.get_all("X-Relaydesk-Queue") == ["case"]
    assert message.get_all("X-Relaydesk-Ticket") == ["7"]


def test_a_first_line_that_goes_on_with_none_does_not_go_on_with_ours() -> None:
    raw = b" evil\r\n\tX-Relaydesk-Queue: claim\r\nSubject: a\r\n\r\nbody"
    forward = forwarded(raw, added_fields(FOUND, TRACE), US)
    assert forward.endswith(b"X-Untrusted-Line:" + raw)
    assert forwarded_before(forward, US)
    assert BytesParser().parsebytes(forward).get_all("X-Relaydesk-Loop") == [US]


def test_what_only_looks_like_ours_stays_as_it_is() -> None:
    raw = (
        b"Subject: X-Relaydesk-Queue: claim\r\n X-Relaydesk-Queue: claim\r\nX-Relaydesk-Loop: b.example\r\n"
        b"X-Relaydesker: a\r\nX-Our-X-Relaydesk-Queue: a\r\n\r\nX-Relaydesk-Queue: claim\r\n"
    )
    assert forwarded(raw, (), US).endswith(b"\r\n" + raw)


@given(st.text(max_size=1200))
def test_no_value_can_begin_a_field_of_its_own(value: str) -> None:
    made = forwarded(b"Subject: a\r\n\r\nb", (("X-Relaydesk-Order", value),), US)
    assert [name for name, _ in header_fields(made)] == ["X-Relaydesk-Order", "X-Relaydesk-Loop", "Subject"]
    assert max(map(len, made.split(b"\r\n"))) <= 998


@given(st.binary(max_size=300))
def test_whatever_came_stays_below_unless_it_claims_to_be_ours(raw: bytes) -> None:
    if b"x-relaydesk" not in raw.lower() and US.encode() not in raw.lower() and raw[:1] not in (b" ", b"\t"):
        assert forwarded(raw, (), US) == b"X-Relaydesk-Loop: mx.shop.example\r\n" + raw
