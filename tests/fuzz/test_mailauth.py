"""Hostile records, signatures and addresses: each has a result, none is an exception, for then it is a bug.

A message that made a verifier raise would be deferred for ever.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relaydesk.mailauth.authenticate import authenticate
from relaydesk.mailauth.signing import dkim_key_record
from relaydesk.message.envelope import Envelope, Origin
from relaydesk.message.parse import parse_message
from relaydesk_testkit.arriving import NOON
from relaydesk_testkit.signing import DOMAIN, MESSAGE, SELECTOR, key, over, signed

if TYPE_CHECKING:
    from relaydesk.message.auth_results import AuthResults

RESULTS = {"pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"}
DIGITS = "9" * 5000  # int() takes no more than 4300
NUMBERS = {
    "ip4 prefix": f"ip4:192.0.2.1/1{DIGITS}",
    "ip6 prefix": f"a//1{DIGITS}",
    "macro": f"exists:%{{d{DIGITS}}}.b.example",
}
TERMS = f"""
all -all a mx ptr exists:%{{i}}.x.example include:b.example redirect=b.example exp=b.example a/33 a//129
ip4:192.0.2.0/24 ip4:999.1.1.1 ip6:2001:db8::/32 ip6:::g exists:%{{d0}}.b.example a:%{{h}} %{{ %{{x}}
%{{lr-}}.b.example mx:b.example/24//64 default=x unknown=%{{s}} REDIRECT= include: = v=spf1 a:b..example
exists:%{{p}}.b.example ptr:% a:{"x" * 70}.example {" ".join(NUMBERS.values())}
""".split()
DMARC_TAGS = [
    "p=reject",
    "p=",
    "p",
    "sp=none",
    "np=x",
    "adkim=s",
    "aspf=q",
    "psd=y",
    "t=y",
    "rua=mailto:",
    ";;",
]
KEY = dkim_key_record(key())
P = KEY.partition("p=")[2]
KEY_TAGS = [
    f"p={P}",
    f"p={P[:50]}",
    "p=",
    "p=AAAA",
    "k=rsa",
    "k=ed25519",
    "h=sha256",
    "s=email",
    "t=y:s",
    "n",
    "=",
]
SIGNATURE_TAGS = [b"v", b"a", b"b", b"bh", b"c", b"d", b"h", b"i", b"l", b"q", b"s", b"t", b"x", b"z"]
SIGNATURE_VALUES = [
    *(
        b"1",
        b"0",
        b"rsa-sha256",
        b"ed25519-sha256",
        b"relaxed/relaxed",
        b"simple",
        b"from:to",
        b"From : from",
    ),
    *(b"dns/txt", DOMAIN.encode(), SELECTOR.encode(), b"@" + DOMAIN.encode()),
]
SENDERS = ["", DOMAIN, "b.example", "x" * 70 + ".example", "[192.0.2.1]", "münchen.example", "." * 300]
PIECES = [b"\x00", b"\xff", b"\r\n ", b"\t", b";", b"=", b":", b"%", DIGITS.encode(), b"\xc3\xbc"]

junk = st.one_of(st.binary(max_size=40), st.sampled_from(PIECES))
names = st.one_of(st.sampled_from(SENDERS), st.text(max_size=20))
cuts = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), junk), min_size=1, max_size=6)
values = st.one_of(junk, st.binary(max_size=60).map(base64.b64encode), st.sampled_from(SIGNATURE_VALUES))
signature_tags = st.lists(st.tuples(st.sampled_from(SIGNATURE_TAGS), values), max_size=14)


def texts(pieces: list[str], start: str, between: str) -> st.SearchStrategy[str]:
    """Records of these pieces and of junk."""
    piece = st.one_of(st.sampled_from(pieces), st.text(max_size=12))
    return st.lists(piece, max_size=8).map(lambda chosen: between.join([start, *chosen]))


spf_records = texts(TERMS, "v=spf1", " ")
dmarc_records = texts(DMARC_TAGS, "v=DMARC1", "; ")
key_records = texts(KEY_TAGS, "v=DKIM1", "; ")
whatever = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def zone(spf: str = "v=spf1 -all", other: str = "v=spf1 -all", key: str = KEY, dmarc: str = "") -> Any:
    """Our sender's records, and a second domain that takes part in everything."""
    spf, other, key, dmarc = (
        record.encode("utf-8", "replace").decode("utf-8") for record in (spf, other, key, dmarc)
    )
    return {
        DOMAIN: [{"TXT": spf}, {"MX": [5, "b.example"]}],
        "b.example": [{"TXT": other}, {"A": "192.0.2.1"}, {"MX": [1, DOMAIN]}],
        "1.2.0.192.in-addr.arpa": [{"PTR": "b.example"}],
        f"{SELECTOR}._domainkey.{DOMAIN}": [{"TXT": key}],
        f"_dmarc.{DOMAIN}": [{"TXT": dmarc}],
        "_dmarc.instagram.com": [{"TXT": "v=DMARC1; p=reject"}],
    }


def results(raw: bytes, records: Any, mail_from: str = f"u@{DOMAIN}", helo: str = "") -> AuthResults:
    origin = Origin("192.0.2.1", "origin", allowlisted=True, how="peer")
    envelope = Envelope("192.0.2.1", origin, helo, mail_from, ("help@shop.example",), raw, NOON)
    auth = asyncio.run(authenticate(envelope, parse_message(raw), over(records)))
    assert {auth.spf.result, auth.dmarc.result, *(signature.result for signature in auth.dkim)} <= RESULTS
    return auth


@whatever
@given(spf_records, spf_records, names, names)
def test_spf_has_a_result_for_any_record_and_name(spf: str, other: str, sender: str, helo: str) -> None:
    records = zone(spf, other)
    results(MESSAGE, records)
    results(MESSAGE, records, f"{helo}@{sender}" if sender else "", helo)


@pytest.mark.parametrize("term", NUMBERS)
def test_a_number_that_python_does_not_take_is_the_record_s_fault(term: str) -> None:
    assert results(MESSAGE, zone(f"v=spf1 {NUMBERS[term]} -all")).spf.result == "permerror"


@whatever
@given(key_records, dmarc_records, spf_records)
def test_dkim_and_dmarc_have_a_result_for_any_record(key: str, dmarc: str, spf: str) -> None:
    results(signed(), zone(spf, key=key, dmarc=dmarc))


@whatever
@given(cuts)
def test_dkim_has_a_result_for_any_damage_to_the_header(cuts: list[tuple[float, int, bytes]]) -> None:
    raw = signed()
    for place, length, piece in cuts:
        at = int(place * max(raw.find(b"\r\n\r\n"), 0))
        raw = raw[:at] + piece + raw[at + length :]
    results(raw, zone())


@whatever
@given(signature_tags)
def test_dkim_has_a_result_for_any_signature(tags: list[tuple[bytes, bytes]]) -> None:
    usual = {b"v": b"1", b"a": b"rsa-sha256", b"b": b"AAAA", b"bh": b"AAAA", b"d": DOMAIN.encode()}
    usual |= {b"h": b"from", b"s": SELECTOR.encode(), **dict(tags)}
    value = b"; ".join(name + b"=" + text for name, text in usual.items())
    results(b"DKIM-Signature: " + value + b"\r\n" + MESSAGE, zone())
