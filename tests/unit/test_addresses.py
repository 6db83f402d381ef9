"""The one reader of addresses and domains: which spellings are one name, and which never are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaydesk.message import (
    Address,
    domain_name,
    domain_of,
    normal_address,
    parse_message,
    plain_address,
    split_address,
)
from relaydesk.message.addresses import mailboxes
from relaydesk.policy import Allowlist

META = "support.facebook.com"

# One name in other clothes: each spelling and its normal form.
SAME = {
    "Support.FACEBOOK.com": META,
    "support.facebook.com.": META,
    "XN--BCHER-KVA.example": "xn--bcher-kva.example",
    "bücher.example": "xn--bcher-kva.example",
    "BÜCHER.example": "xn--bcher-kva.example",  # RFC 5895 §2.1
    "bu\u0308cher.example": "xn--bcher-kva.example",  # RFC 5895 §2.3: NFC
    "\u212bland.example": "xn--land-poa.example",  # the Ångström sign is an Å
    "Σ.example": "xn--4xa.example",
    "a_b.example": "a_b.example",
    "xn--a.example": "xn--a.example",  # not a true A-label, but an ASCII name of its own
}

# Names that look like another one, or once were read as it, and are names of their own.
OWN = {
    "faß.example": "xn--fa-hia.example",  # not fass
    "ς.example": "xn--3xa.example",  # not the small sigma
    "\u0130nstagram.com": "xn--instagram-5jf.com",  # a capital I with its dot keeps the dot
    "\u0131nstagram.com": "xn--nstagram-skb.com",
    "f\u0430cebook.com": "xn--fcebook-2fg.com",  # Cyrillic
    "faceb\u1d0f\u1d0fk.com": "xn--facebk-m15ba.com",
}

# No domain names, whoever they look like.
NONE = [
    "\uff53upport.facebook.com",  # full-width
    "support。facebook。com",  # full-width dots
    "support\uff0efacebook.com",
    "support｡facebook.com",
    "support.facebook.com。",
    "support.faceboo\u212a.com",  # the Kelvin sign
    "\u017fupport.facebook.com",  # long s
    "support.face\u00adbook.com",  # soft hyphen
    "support.face\u200bbook.com",
    "support.face\u200dbook.com",
    "support.facebook.com\u200e",
    "ﬁre.example",
    "①.example",
    "ǆ.example",
    "☃.example",
    "א1a.example",  # RFC 5893: the directions are mixed
    "support.facebook.com..",
    "support..facebook.com",
    ".facebook.com",
    " support.facebook.com",
    "support.facebook.com\n",
    "support.face book.com",
    "example.com\x00",
    "\ud800.example",
    "-a.example",
    "a-.example",
    "*.example.com",
    "ex+ample.com",
    "%41.example",
    "a@b.example",
    "support.facebook.com:25",
    "1.2.3.4",
    "example.123",
    "[1.2.3.4]",
    "localhost",
    "com.",
    ".",
    "",
    "a" * 64 + ".example",
    "é" * 60 + ".example",
    ".".join(["a" * 63] * 4),
]


@pytest.mark.parametrize(("text", "name"), (SAME | OWN).items())
def test_a_domain_has_one_normal_form(text: str, name: str) -> None:
    assert domain_name(text) == name
    assert domain_name(name) == name


@pytest.mark.parametrize("text", NONE)
def test_what_only_looks_like_a_domain_is_none(text: str) -> None:
    assert domain_name(text) is None
    assert domain_of(f"case@{text}") not in {META, "facebook.com", "fire.example", "1.example"}


@pytest.mark.parametrize("text", [*OWN, *NONE])
def test_a_look_alike_of_a_listed_sender_is_never_the_listed_sender(text: str) -> None:
    names = {META: (), "instagram.com": (), "facebook.com": (), "fass.example": (), "xn--4xa.example": ()}
    allowlist = Allowlist(senders=names | {"fire.example": (), "example.com": (), "1.example": ()})
    sender = parse_message(f"From: <case@{text}>\r\n\r\n".encode("utf-8", "replace")).from_
    assert not allowlist.is_sender(text)
    assert not allowlist.below_sender(text)
    assert text.isascii() or not any(allowlist.is_sender(address.domain) for address in sender)


def test_a_harmless_spelling_of_a_listed_sender_is_the_listed_sender() -> None:
    allowlist = Allowlist(senders={META: (), "xn--bcher-kva.example": ()})
    for text in ("Support.FACEBOOK.com", "BÜCHER.example", "bu\u0308cher.example"):
        (sender,) = parse_message(f"From: <case@{text}>\r\n\r\n".encode()).from_
        assert sender.domain in allowlist.senders
        assert allowlist.is_sender(text)


@given(st.text(max_size=80))
def test_the_normal_form_is_ascii_and_stays_as_it_is(text: str) -> None:
    name = domain_name(text)
    if name is not None:
        assert name.isascii()
        assert domain_name(name) == name
    assert domain_name(domain_of(f"a@{text}")) == (name if '"' not in text else domain_name(""))


@given(st.text("abKk.İß-\u017f\u212a\uff0e\u00ad", min_size=3, max_size=12))
def test_nothing_outside_ascii_becomes_an_ascii_name(text: str) -> None:
    name = domain_name(text)
    if name is not None and not text.isascii():
        assert "xn--" in name


@pytest.mark.parametrize(
    ("address", "local", "domain"),
    [
        ("help@shop.example", "help", "shop.example"),
        ('"a@b"@shop.example', '"a@b"', "shop.example"),
        ('"a@b"', '"a@b"', ""),
        ("a@b@shop.example", "a@b", "shop.example"),
        ("postmaster", "postmaster", ""),
        ("help@", "help", ""),
        ("", "", ""),
    ],
)
def test_an_address_is_taken_apart_at_one_place(address: str, local: str, domain: str) -> None:
    assert split_address(address) == (local, domain)


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("Alice@Example.ORG", "example.org"),
        ("a@b@c.example", "c.example"),
        ("a@[192.0.2.1]", "[192.0.2.1]"),
        ("a@Kelvin.\u212aom", "kelvin.\u212aom"),
        ("", ""),
        ("postmaster", ""),
    ],
)
def test_it_keeps_only_the_domain(address: str, domain: str) -> None:
    assert domain_of(address) == domain


def test_two_spellings_of_one_address_are_equal() -> None:
    assert normal_address("Help@Shop.Example.") == "help@shop.example"
    assert normal_address("Help@BÜCHER.example") == "help@xn--bcher-kva.example"
    assert normal_address("POSTMASTER") == "postmaster"
    assert normal_address("des\u212a@shop.example") != "desk@shop.example"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Help@Shop.Example", "Help@shop.example"),
        ("case++t1@support.instagram.com", "case++t1@support.instagram.com"),
        ("büro@bücher.example", "büro@xn--bcher-kva.example"),
        ("a" * 241 + "@shop.example", "a" * 241 + "@shop.example"),
        ("a" * 242 + "@shop.example", None),
        ("Shop <help@shop.example>", None),
        ("help@shop.example, desk@shop.example", None),
        ("help@shop.example,", None),
        ('"a b"@shop.example', None),
        ("a..b@shop.example", None),
        ("a b@shop.example", None),
        ("a\u2028b@shop.example", None),
        ("a\ufffdb@shop.example", None),  # what stood there could not be shown
        ("help@shop@shop.example", None),
        ("help@localhost", None),
        ("help@[192.0.2.1]", None),
        ("help@shop\uff0eexample", None),
        ("help", None),
        ("@shop.example", None),
        ("", None),
    ],
)
def test_one_plain_mailbox_is_that_and_nothing_else(text: str, address: str | None) -> None:
    assert plain_address(text) == address


def test_a_field_of_separators_is_not_read() -> None:
    defects: list[str] = []
    assert mailboxes([b"a@b.example" + b";" * 2_000, b"c@d.example"], defects) == (
        Address("", "c", "d.example"),
    )
    assert defects == ["A field has more than 1000 separators; no address is read of it."]
