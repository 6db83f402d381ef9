"""Hostile and random bytes: parsing and classifying never raise and stay bounded.

Times are processor time with a wide margin: without the caps these shapes take from 5 s to for ever.
"""

import base64
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relaydesk.classify import rules_file
from relaydesk.classify.classifier import classify
from relaydesk.classify.rules_file import load_rules
from relaydesk.message.parse import parse_message
from tests.support.shared import shared

SECOND = 1.0
FILE = Path(rules_file.__file__).with_name("facebook.yaml")
RULES = load_rules(FILE.read_text(encoding="utf-8"), FILE.name)
DOMAINS = {"support.instagram.com"}
FROM = b"From: case++abc@support.instagram.com\r\n"
HTML = b"Content-Type: text/html\r\n\r\n"
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
PARAMETERS = b"".join(b"; filename*%d*=x" % number for number in range(20_000))

HOSTILE = {
    "nested comments": b"From: " + b"(" * 1000 + b")" * 1000 + b" a@b.example\r\n\r\nx",
    "nested multiparts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2000)
    ),
    "nested multiparts of one boundary": (MIXED + b"--b\r\n") * 2000,
    "parameters": b"Content-Type: text/plain\r\nContent-Disposition: inline" + PARAMETERS + b"\r\n\r\nx",
    "parameters in parts": MIXED
    + (b"--b\r\nContent-Disposition: attachment" + PARAMETERS[:8000] + b"\r\n\r\nx\r\n") * 1000,
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\r\n\r\nx",
    "parts": MIXED + b"--b\r\n\r\nx\r\n" * 100_000,
    "almost delimiters": MIXED + b"--b" * 1_000_000,
    "encoded subject": b"Subject: =?utf-8?B?" + base64.b64encode(b"a" * 525_000) + b"?=\r\n\r\nx",
    "header fields": b"".join(b"X-%d: y\r\n" % n for n in range(60_000)) + b"\r\nx",
    "addresses": b"".join(b"From: " + b"a@b.example," * 500 + b"\r\n" for _ in range(10)) + b"\r\nx",
    "angles": b"From: " + b"<" * 4000 + b">" * 4000 + b"\r\n\r\n",
    "a quadratic codec": b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"abc-" * 500_000,
    "nested html": HTML + b"<div>" * 100_000,
    "open formatting": HTML + b"".join(b"<i a%d>" % n for n in range(5000)) + b"<p>x" * 50_000,
    "open formatting, few": HTML + b"".join(b"<i a%d>" % n for n in range(150)) + b"<p>x" * 149,
    "open comments": HTML + b"<!--" * 100_000,
    "open scripts": HTML + b"<script>" * 50_000,
    "open tags": HTML + b"<a " * 90_000,
    "one long tag": HTML + b"<" + b"a" * 260_000,
    "style sheets": HTML + b"<style>.a{display:none}</style><i class=a>x</i>" * 5000,
    "attributions": b"\r\n" + b"On Monday 12 May at 14:03 you wrote:\r\n" * 10_000,
    "header blocks": b"\r\n" + b"From: a\r\n\r\n" * 20_000,
    "links": HTML + b"<a href=https://x.example/>y</a>" * 20_000,
    "cells": HTML + b"<table><tr>" + b"<td>order 12345678901234" * 20_000,
    "labels": b"\r\n" + b"order\r\n" * 30_000,
    "numbers": b"\r\n" + b"12345678901234 " * 40_000,
    "one long word": b"\r\n" + b"a" * 200_000 + b"@",
    "base64 of nothing": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"!" * 5_000_000,
    "base64 in pieces": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"YQ==\r\n" * 800_000,
    "uuencoded lines": b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\n" + b"M\n" * 2_000_000,
    "uuencoded files": b"\r\n" + b"begin 644 x\n#86)C\nend\n" * 200_000,
    "blanks behind begin": b"\r\n" + (b"begin 644 " + b" " * 100_000 + b"x\n") * 50,
    "escape sequences": b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
    + b"\x1b$B!!\x1b(B" * 600_000,
    "odd pairs": b"Content-Type: text/plain; charset=big5\r\n\r\n" + b"\xff" * 5_000_000,
    "odd bytes": b"\r\n" + "ü ".encode() * 1_000_000 + b"\xfca" * 500_000,
    "flowed lines": b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"> a \r\n>> b \r\n" * 300_000,
    "words without ends": b"Subject: " + b"=?utf-8?Q?a" * 6_000 + b"\r\n\r\nx",
    "delimiters of no multipart": b"Content-Type: multipart/mixed\r\n\r\n"
    + (b"--x" + b" " * 290 + b"\n") * 50_000,
    "signatures": b"Content-Type: application/pkcs7-mime\r\n\r\n" + b"\x30\x80" * 2_000_000,
    "calendar": b"Content-Type: text/calendar\r\n\r\nBEGIN:VEVENT\n" + b'DTSTART;A="' * 300_000,
    "quoted nothing": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 5_000_000,
}


def timed(raw: bytes) -> float:
    started = time.process_time()
    classify(parse_message(raw), RULES, DOMAINS)
    return time.process_time() - started


@pytest.mark.parametrize("shape", HOSTILE)
def test_it_stays_bounded_on(shape):
    assert timed(HOSTILE[shape]) < SECOND


def test_it_reads_every_file_of_the_corpus():
    slow, read_any = {}, 0
    for path in sorted(shared("corpus").rglob("*")):
        if not path.is_file():
            continue
        raw = path.read_bytes()
        for form in (raw, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
            seconds = timed(form)
            read_any += 1
            if seconds > SECOND:
                slow[path.name] = seconds
    assert read_any > 100
    assert slow == {}


def test_it_takes_little_memory_beyond_the_message():
    photo = base64.encodebytes(b"\xff\xd8\xff\xe0" + bytes(20_000_000)).replace(b"\n", b"\r\n")
    raw = (
        MIXED
        + b"--b\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + photo
        + b"--b--\r\n"
    )
    tracemalloc.start()
    try:
        found = parse_message(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.attachments[0].size == 20_000_004
    assert peak < 200_000_000


WORDS = [
    b"From: ",
    b"Subject: ",
    b"Date: ",
    b"Content-Type: ",
    b"multipart/mixed; boundary=b",
    b"text/html",
    b"--b",
    b"--b--",
    b"\r\n",
    b"\n",
    b" ",
    b"\r\n\r\n",
    b"<",
    b">",
    b"@",
    b",",
    b";",
    b":",
    b'"',
    b"(",
    b")",
    b"\\",
    b"=?utf-8?q?",
    b"?=",
    b"=?x?b?",
    b"charset=",
    b"*0*=",
    b"''",
    b"%",
    b"\x00",
    b"\xff",
    b"\xc3",
    b"Content-Disposition: ",
    b"filename",
    b"=",
    b"Content-Transfer-Encoding: base64",
    b"message/rfc822",
    b"<a href=",
    b"</p>",
    b"&#",
    b"http://[",
    b"+2AA-",
    b"utf-7",
    b"order number",
    b"https://www.facebook.com/shipping_orders/",
    b"case number: ",
    b"Reason: ",
    b"64000841784004",
    b"Mon, 99 Nov 99999 25:61 +9999",
    b"Content-Type: multipart/digest; boundary*=x''b",
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=8)), max_size=60))
def test_it_never_raises(pieces):
    found = parse_message(FROM + b"".join(pieces))
    classify(found, RULES, DOMAINS)
    for text in (found.subject, found.text, found.html, *(name for _, name in found.headers)):
        text.encode("utf-8")
        assert "\0" not in text
    assert not [defect for defect in found.defects if "could not be read (" in defect]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_it_never_raises_on_any_bytes(raw):
    classify(parse_message(raw), RULES, DOMAINS)
