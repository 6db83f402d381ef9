"""The samples of ``send-test`` and what it says of each answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from relaydesk.classify.classifier import classify
from relaydesk.mailauth.signing import dkim_key_record
from relaydesk.message.parse import parse_message
from relaydesk.samples.delivery import Destination, server_address
from relaydesk.samples.probe import code_of, judged
from relaydesk.samples.sample import KINDS, SendTestError, Signer, key_published, make_sample
from relaydesk.smtpd import replies
from relaydesk_testkit.signing import key, over
from tests.support.mails import DOMAINS, RULES

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
RCPT = "help@shop.example"
DIRECT = Destination("127.0.0.1", 25)
PROXIED = Destination("127.0.0.1", 25, "proxy", "66.220.144.130")
META = Signer.of("support.instagram.com", "s1", key(1024))
SHOP = Signer.of("Shop.Example", "mail", key(0))
ACCEPTED = replies.ACCEPTED.line()


def sample(kind="case", signer=None, token=7):
    return make_sample(kind, RCPT, now=NOW, token=token, signer=signer)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "forged"])
def test_it_makes_samples_that_the_shipped_rules_sort(kind):
    made = sample(kind)
    found = classify(parse_message(made.raw), RULES, DOMAINS)
    assert found.match.kind == kind
    assert found.values("order") == ("900000000000007",)
    assert made.raw.startswith(b"DKIM-Signature: ")
    assert made.raw.endswith(b"\r\n")
    assert b"\n" not in made.raw.replace(b"\r\n", b"")


def test_it_gives_each_sample_an_address_and_an_order_of_its_own():
    one, other = sample(token=1), sample(token=2)
    assert one.sender != other.sender
    assert one.raw != other.raw


def test_it_signs_nothing_that_it_forges():
    made = sample("forged")
    assert b"DKIM-Signature" not in made.raw
    assert made.mail_from.rpartition("@")[2] != made.sender.rpartition("@")[2]
    with pytest.raises(SendTestError, match="not signed"):
        sample("forged", META)


def test_it_sends_in_metas_name_only_for_a_key_of_metas_domain():
    assert sample(signer=META).sender.endswith("@support.instagram.com")
    assert sample(signer=Signer.of("instagram.com", "s", key(1024))).sender.endswith("@support.instagram.com")
    assert not sample(signer=META).foreign
    assert sample(signer=SHOP).sender == "send-test@shop.example"
    assert sample(signer=SHOP).foreign


@pytest.mark.parametrize(
    "rcpt", ["help", "help@shop.example\r\nRSET", "hélp@shop.example", "a b@shop.example"]
)
def test_it_names_a_recipient_that_is_no_address(rcpt):
    with pytest.raises(SendTestError, match=r"not an email address; use one such as help@shop\.example"):
        make_sample("case", rcpt, now=NOW, token=1)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("shop", "s", key(1024)), "is not a domain name"),
        (("shop.example", "s; d=evil", key(1024)), r"is not a selector; use the name before \._domainkey"),
        (("shop.example", "s", b"-----BEGIN RUBBISH-----"), "unencrypted PEM; make one with"),
    ],
)
def test_it_names_what_cannot_sign(options, problem):
    with pytest.raises(SendTestError, match=problem):
        Signer.of(*options)


async def test_it_looks_whether_the_key_is_published():
    name, record = META.record_name, dkim_key_record(key(1024))
    assert await key_published(META, over({name: [{"TXT": record}]})) is True
    assert await key_published(META, over({name: [{"TXT": record.replace("p=", "p= ")}]})) is True
    assert await key_published(META, over({name: [{"TXT": dkim_key_record(key(2048))}]})) is False
    assert await key_published(META, over({name: [{"TXT": "v=DKIM1; p="}]})) is False
    assert await key_published(META, over({})) is False
    assert await key_published(META, over({name: ["TIMEOUT"]})) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mx.shop.example:25", ("mx.shop.example", 25)),
        ("[::1]:2525", ("::1", 2525)),
        ("0.0.0.0:25", ("127.0.0.1", 25)),
        ("[::]:25", ("::1", 25)),
    ],
)
def test_it_reads_the_address_of_a_server(text, address):
    assert server_address(text) == address


@pytest.mark.parametrize("text", ["mx.shop.example", "25", "::1:25", ":25", "host:0", "host:70000", "host:x"])
def test_it_says_how_to_write_the_address_of_a_server(text):
    with pytest.raises(ValueError, match=r"use mx\.shop\.example:25 or \[::1\]:25"):
        server_address(text)


@pytest.mark.parametrize(
    ("route", "made", "reply", "published", "good"),
    [
        (DIRECT, sample(), replies.reply_for("no_role").line(), None, True),
        (DIRECT, sample("forged"), replies.reply_for("no_role").line(), None, True),
        (DIRECT, sample(), ACCEPTED, None, None),
        (PROXIED, sample(), replies.reply_for("forged").line(), None, True),
        (PROXIED, sample("forged"), replies.reply_for("forged").line(), None, True),
        (PROXIED, sample(), ACCEPTED, None, None),
        (PROXIED, sample(), replies.reply_for("no_role").line(), None, False),
        (PROXIED, sample(signer=META), ACCEPTED, True, True),
        (PROXIED, sample(signer=META), replies.reply_for("forged").line(), True, False),
        (PROXIED, sample(signer=META), replies.reply_for("forged").line(), False, True),
        (PROXIED, sample(signer=SHOP), ACCEPTED, True, True),
        (PROXIED, sample(signer=SHOP), replies.reply_for("unauthenticated").line(), True, False),
        (PROXIED, sample(signer=SHOP), replies.reply_for("unauthenticated").line(), False, True),
        (PROXIED, sample(), "250 2.0.0 Ok: queued as 4F1C", None, False),
    ],
)
def test_it_judges_an_answer_by_what_was_tried(route, made, reply, published, good):
    verdict, told = judged(route, made, reply, published)
    assert verdict is good
    assert told
    assert told[0].startswith("Good: ") is (good is True)


def test_it_says_where_the_key_is_missing():
    _, told = judged(PROXIED, sample(signer=SHOP), replies.reply_for("unauthenticated").line(), False)
    assert "not published at mail._domainkey.shop.example" in " ".join(told)


def test_it_tells_another_server_from_relaydesk():
    _, told = judged(DIRECT, sample(), "554 5.7.1 <help@shop.example>: Relay access denied", None)
    assert told == ("This is not a reply of relaydesk: another mail server answers there.",)


@pytest.mark.parametrize("name", [*replies.BY_REASON, *replies.BY_NAME])
def test_it_knows_every_reply_of_the_server(name):
    reply = replies.reply_for(name).line()
    assert code_of(reply)
    _, told = judged(PROXIED, sample(), reply, None)
    assert "another mail server" not in told[0]
