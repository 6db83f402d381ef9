"""Composing: what holds for every answer, whatever the text, the Subject, the order, the files."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relaydesk.data import data_path
from relaydesk.outbound.answer import AnswerRefused, AttachedFile, Draft, NamedOrder, Question, Shop
from relaydesk.outbound.check import check_outgoing, names_order
from relaydesk.outbound.compose import (
    answer_subject,
    compose_answer,
)
from relaydesk.outbound.mime import clean_text
from relaydesk.outbound.template_variables import SAMPLE_CONTEXTS, TemplateProblem, variables_of
from relaydesk.outbound.templates import Templates
from tests.support.answers import (
    DATE,
    DOMAINS,
    ORDER,
    SHOP,
    bound,
    composed,
    draft,
    question,
    seen,
)

ALLOWED = {
    "date",
    "from",
    "to",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
}
REPLIES = Templates.load([data_path("templates") / "replies"])

NASTY = [
    *("\r\nBcc: eve@evil.example", "\u2028To: eve@evil.example", "=?utf-8?q?a=0D=0ABcc:_x?=", "%0D%0A"),
    *("\n\n", "\r", "\x00", "\x85", "\ud800", "\u202e", ".\r\n", "Re: ", "AW:", "{{ x }}", "{", "--=_"),
    *("<b>", "&#49;", "a" * 300, "日本語 ", ORDER, "A-1", ",", '"', "\\", ";", "/"),
]
texts = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=30)), max_size=8).map("".join)
orders = st.from_regex(r"[0-9A-Za-z](?:[0-9A-Za-z_-]{0,30}[0-9A-Za-z])?", fullmatch=True) | st.just(ORDER)
relays = st.builds(
    "{}{}@{}".format,
    st.sampled_from(["case++", "Case++", ""]),
    st.from_regex(r"[a-z0-9A-Z]{4,20}", fullmatch=True),
    st.sampled_from([*sorted(DOMAINS), "Support.Instagram.COM"]),
)
ids = st.one_of(texts, st.sampled_from(["<1@facebook.com>", "<a@b>\r\nBcc: x@y>", "<" + "x" * 900 + "@y>"]))
enclosures = st.builds(
    AttachedFile,
    texts,
    st.sampled_from(["application/pdf", "image/png", "image/jpeg"]),
    st.binary(max_size=200),
)
drafts = st.builds(
    Draft,
    st.one_of(texts, st.sampled_from([one.name for one in REPLIES]).map(lambda name: f"template {name}")),
    st.builds(NamedOrder, st.none() | orders, texts | st.just("A-1")),
    no_order=st.just(value=True),
    enclosures=st.lists(enclosures, max_size=2).map(tuple),
)
questions = st.builds(
    Question, st.just(17), st.just(3), relays, texts, ids, st.lists(ids, max_size=4).map(tuple)
)


def filled(draft: Draft) -> Draft:
    """The draft with its template rendered, where it names one."""
    word, _, name = draft.text.partition(" ")
    if word != "template":
        return draft
    given = dict.fromkeys(REPLIES.get(name).needs, draft.order.merchant_ref)
    try:
        return replace(draft, text=REPLIES.render(name, variables_of(SAMPLE_CONTEXTS[0], given)))
    except TemplateProblem as problem:  # pragma: no cover - a shipped template must render
        raise AssertionError(problem) from problem


@settings(max_examples=300, deadline=None)
@given(asked=questions, written=drafts, name=texts)
@example(asked=question(subject="{{ {{ a }} }}"), written=draft(), name="")
@example(
    asked=question(),
    written=draft(enclosures=(AttachedFile("=?utf-8?q?=0D=0A?=", "image/png", b""),)),
    name="",
)
@example(asked=question(subject="a{{b"), written=draft("x {", merchant_ref="{ y }}"), name="=?utf-8?q?x?=")
def test_every_answer_goes_to_the_bound_address_alone_and_names_its_order(asked, written, name):
    written, shop = filled(written), Shop(name, SHOP.contact, SHOP.domain)
    try:
        raw = composed(asked, written, shop)
    except AnswerRefused as refusal:
        assert re.search("has no text|still holds", str(refusal))
        return
    found = seen(raw)
    assert found.recipients == (asked.relay_address,)
    assert found.sender[1] == SHOP.contact
    assert set(found.fields) <= ALLOWED
    assert len(set(found.fields)) == len(found.fields)
    assert found.subject == answer_subject(asked.subject, written.order.id)
    if written.order.id is not None:
        assert names_order(written.order.id, found.subject)
        assert names_order(written.order.id, found.text)
        assert names_order(written.order.id, found.html)
    assert found.text.startswith(clean_text(written.text))
    assert [one[1:] for one in found.enclosures] == [(one.type, one.content) for one in written.enclosures]
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw)
    check_outgoing(raw, bound(asked, written, shop))


def test_it_makes_the_same_bytes_of_the_same_values():
    assert composed(question(), draft()) == composed(question(), draft())


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Late parcel", f"Re: Late parcel (order {ORDER})"),
        ("Re: Late parcel", f"Re: Late parcel (order {ORDER})"),
        ("RE: re: Re : AW: WG: Late", f"Re: WG: Late (order {ORDER})"),
        ("Re[12]: Antw.: Late", f"Re: Antw.: Late (order {ORDER})"),
        ("Reply: not a prefix", f"Re: Reply: not a prefix (order {ORDER})"),
        (f"Order #{ORDER}", f"Re: Order #{ORDER}"),
        (f"Order {ORDER}1", f"Re: Order {ORDER}1 (order {ORDER})"),
        (f"Fwd-{ORDER}", f"Re: Fwd-{ORDER} (order {ORDER})"),
        (f"№{ORDER}", f"Re: №{ORDER} (order {ORDER})"),
        ("Re:", f"Re: Order {ORDER}"),
        ("{{a}}", f"Re: {{ {{a}}}} (order {ORDER})"),
    ],
)
def test_its_subject_says_re_once_and_names_the_order(subject, expected):
    assert answer_subject(subject, ORDER) == expected


HIDDEN = [
    "\x00", "\x07", "\x1b[31m", "\x7f", "\x85", "\x9b2J", "\u2028", "\u061c", "\u200b", "\u200e", "\u200f",
    "\u202a", "\u202d", "\u202e", "\u2060", "\u2066", "\u2069", "\u206a", "\ufeff", "\xad", "\u180e",
    "\u200d", "\U000e0041",
]  # fmt: skip


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
@pytest.mark.parametrize(
    "place", ["{0}Message from ecila", "Message from {0}ecila", "Message from ecila{0}", "{0}"]
)
def test_nothing_hidden_in_a_subject_comes_back_in_ours(hidden, place):
    shown = answer_subject(place.format(hidden), ORDER)
    left = hidden.translate({ord(char): None for char in "[31m2J"})
    assert not set(left) & set(shown)
    assert shown.endswith((f"rder {ORDER})", f"Order {ORDER}"))
    message = composed(question(subject=place.format(hidden)), draft())
    check_outgoing(message, bound(question(), draft()))


def test_a_subject_keeps_what_joins_letters_and_scripts_from_right_to_left():
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    persian, hebrew = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u05e9\u05dc\u05d5\u05dd"
    for text in (family, persian, hebrew):
        assert answer_subject(f"Re: {text}", ORDER) == f"Re: {text} (order {ORDER})"


def test_a_template_says_a_name_without_what_is_hidden_in_it():
    context = replace(SAMPLE_CONTEXTS[0], username="\u202eecila\x9b\u200b", subject="a\u2028b\x1b")
    variables = variables_of(context)
    assert (variables["buyer"].name, variables["ticket"].subject) == ("ecila", "a b")


def test_its_text_turns_no_direction_round():
    assert clean_text("pay \u202e059 now\u202c \u05e9\u200f") == "pay 059 now\u202c \u05e9\u200f"


def test_its_subject_needs_no_order_where_there_is_none():
    assert answer_subject("AW: Sizes", None) == "Re: Sizes"
    assert answer_subject("", None) == "Re: your message"


@pytest.mark.parametrize(
    ("asked", "written", "sentence"),
    [
        (
            question(relay_address="case++x@support.instagram.com\r\nBcc: e@evil.example"),
            draft(),
            "not an address",
        ),
        (question(relay_address="<a@b.example>"), draft(), "not an address"),
        (question(relay_address="ä@b.example"), draft(), "not an address"),
        (question(), draft(order_id=None), "Choose the order"),
        (question(), draft(order_id="12 34"), "not an order number"),
        (question(), draft(order_id="1\r\nBcc: x@y.z"), "not an order number"),
        (question(), draft(" \n"), "no text"),
        (question(), draft("x" * 100_001), "longer than"),
        (question(), draft("Dear {% if a %}"), "still holds {% if a %}"),
        (
            question(),
            draft(enclosures=(AttachedFile("a.pdf", "text/html\r\nX: y", b"%PDF"),)),
            "no usable type",
        ),
    ],
)
def test_it_refuses_what_makes_no_answer(asked, written, sentence):
    with pytest.raises(AnswerRefused) as caught:
        composed(asked, written)
    assert sentence in str(caught.value)


def test_it_refuses_a_contact_and_a_message_id_that_are_none():
    with pytest.raises(AnswerRefused, match="not an address"):
        composed(question(), draft(), Shop("Shop", "help@shop.example>\r\nBcc: x@y.z", "shop.example"))
    with pytest.raises(AnswerRefused, match="not a Message-ID"):
        compose_answer(question(), draft(), SHOP, message_id="<a@b>\r\nBcc: x@y.z", date=DATE)


def test_it_keeps_what_the_agent_wrote_and_adds_no_link():
    found = seen(composed(question(), draft("See https://carrier.example/t?n=1&m=2\n  two spaces\ttab")))
    assert found.text == f"See https://carrier.example/t?n=1&m=2\n  two spaces\ttab\n\nOrder {ORDER}\n"
    assert "https://carrier.example/t?n=1&amp;m=2<br>" in found.html
    assert not re.search(r"<(a|img|link|script|style)\b|href|src=", found.html)


def test_it_threads_with_the_message_answered():
    found = seen(
        composed(question(references=("<0@b>", "<1@support.instagram.com>", "no id", "<2@b>")), draft())
    )
    assert found.in_reply_to == "<1@support.instagram.com>"
    assert found.references == ("<0@b>", "<2@b>", "<1@support.instagram.com>")
    alone = seen(composed(question(message_id=""), draft()))
    assert (alone.in_reply_to, alone.references) == ("", ())


def test_its_header_lines_and_encoded_words_are_short():
    raw = composed(
        question(subject="größe " * 40 + "word " * 40), draft(), Shop("Ä" * 100, SHOP.contact, "x")
    )
    head = raw.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78  # RFC 5322 §2.1.1
    words = re.findall(rb"=\?utf-8\?b\?[^?]*\?=", head)
    assert len(words) > 5
    assert max(map(len, words)) <= 75  # RFC 2047 §2
    for word in words:
        base64.b64decode(word[10:-2]).decode("utf-8")  # no character is cut in two
