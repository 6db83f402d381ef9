"""Hostile records, signatures and addresses: each has a result, none is an exception, for then it is a bug.

A message that made a verifier raise would be deferred for ever.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections import Counter
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relaydesk.mailauth.authenticate import authenticate
from relaydesk.mailauth.body_hash import canonical_pieces
from relaydesk.mailauth.dkim_key import SignatureProblem, parse_key
from relaydesk.mailauth.dkim_signature import read_signature
from relaydesk.mailauth.dmarc import parse_record as parse_dmarc
from relaydesk.mailauth.signed_header import canonical_field, header_digest, header_fields
from relaydesk.mailauth.signing import dkim_key_record
from relaydesk.mailauth.spf_macros import MacroError, check_domain_spec, check_macro_string, expand_name
from relaydesk.mailauth.spf_record import RecordError, parse_record
from relaydesk.mailauth.tag_list import TagListError, base64_octets, parse_tags, quoted_printable
from relaydesk.message.envelope import Envelope, Origin
from relaydesk.message.parse import parse_message
from relaydesk_testkit.arriving import NOON
from relaydesk_testkit.signing import DOMAIN, MESSAGE, SELECTOR, key, over, signed

if TYPE_CHECKING:
    from collections.abc import Callable

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
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
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


def sign_fields(section: bytes) -> None:
    fields = header_fields(section)
    names = [field.name for field in fields]
    header_digest(fields, fields[0], names * 2, "relaxed")


def read_field(section: bytes) -> None:
    fields = header_fields(section)
    read_signature(fields[0], Counter(field.name for field in fields), 0)


def whole_body(body: bytes) -> None:
    for form in ("simple", "relaxed"):
        for _ in canonical_pieces(body, form):  # type: ignore[arg-type]
            pass


def both_checks(text: str) -> None:
    for check in (check_domain_spec, check_macro_string):
        with contextlib.suppress(MacroError):
            check(text)
    with contextlib.suppress(MacroError):
        expand_name(text, lambda _: "a-b.c" * 10)


# Kinds of hostile input: what reads them, how they begin, and what is repeated.
GROWING: dict[str, tuple[Callable[[Any], object], str, str, str]] = {
    "words": (whole_body, "", "a b ", ""),
    "double blanks": (whole_body, "", "a  b \t", ""),
    "blanks": (whole_body, "", " ", ""),
    "blanks before a word": (whole_body, "", " " * 99 + "a", "\r\n"),
    "line ends": (whole_body, "", "\r\n", "x"),
    "blank lines": (whole_body, "", " \r\n", ""),
    "carriage returns": (whole_body, "", "\r", ""),
    "half line ends": (whole_body, "", "\r\r\n", ""),
    "folds": (sign_fields, "DKIM-Signature: b=", "\r\n x", "\r\n"),
    "blanks in a field": (sign_fields, "DKIM-Signature: b=", "x   ", "\r\n"),
    "fields": (sign_fields, "DKIM-Signature: b=x\r\n", "X: y\r\n", ""),
    "tags": (sign_fields, "DKIM-Signature: ", "b;", "\r\n"),
    "b in tags": (sign_fields, "DKIM-Signature: ", " z=b=x;", "\r\n"),
    "names": (read_field, "DKIM-Signature: h=", "from:", "\r\nFrom: x\r\n"),
    "colons": (lambda text: canonical_field(text, "relaxed"), "a", " ", ":\r\n"),
    "semicolons": (parse_tags, "", "a=b", ";"),
    "base64": (base64_octets, "", "AAAA", "!"),
    "base64 in pieces": (base64_octets, "", "A ", "="),
    "equals signs": (quoted_printable, "", "=4", ""),
    "key record": (lambda text: parse_key(text, "rsa"), "p=", "A ", ""),
    "dmarc": (parse_dmarc, "v=DMARC1; rua=", "a;b=", ""),
}
TEXTS = {
    "macros": "%{l}",
    "labels": "a.",
    "digits": "1",
    "slashes": "/1",
    "open": "%{d",
    "delimiters": "%{d-+,/}",
}


def growth(work: Callable[[Any], object], make: Callable[[int], Any], size: int) -> tuple[float, float]:
    """Seconds of the processor for an input and for one of eight times its size, each the least of three."""
    least = []
    for count in (size, size * 8):
        subject, spent = make(count), []
        for _ in range(3):
            started = time.process_time()
            with contextlib.suppress(TagListError, SignatureProblem):
                work(subject)
            spent.append(time.process_time() - started)
        least.append(min(spent))
    return least[0], least[1]


@pytest.mark.parametrize("kind", GROWING)
def test_the_work_grows_with_the_input_and_no_faster(kind: str) -> None:
    """Eight times the input is eight times the work, not sixty-four."""
    work, start, unit, end = GROWING[kind]
    small, large = growth(work, lambda count: (start + unit * count + end).encode(), 5000)
    assert large < small * 30 + 0.03


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("start", ["", "exists:", "a:x.example"])
def test_macros_grow_with_the_text_and_no_faster(kind: str, start: str) -> None:
    small, large = growth(both_checks, lambda count: start + TEXTS[kind] * count + ".com", 2000)
    assert large < small * 30 + 0.03


@whatever
@given(st.lists(st.sampled_from("%{}dlsr019.-/:= aZ%,_+~"), max_size=40).map("".join))
def test_a_term_is_read_or_refused(term: str) -> None:
    with contextlib.suppress(RecordError):
        parse_record(f"v=spf1 {term}").text_for(IPv4Address("192.0.2.1"))
