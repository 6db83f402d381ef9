"""The gateway for another help desk: who may come in, for whom, and what goes out."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import smtplib
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from sqlalchemy import text

from relaydesk.bounces.seals import sealed_by_us
from relaydesk.events import AnswerCleaned
from relaydesk.gateway import rules
from relaydesk.gateway.making import make_answer
from relaydesk.gateway.receive import Gateway
from relaydesk.message.envelope import Envelope, Origin
from relaydesk.process_pool.pool import ProcessPool, TaskFailed, TaskTimeout, TaskTooHeavy
from relaydesk.store import tickets
from relaydesk_testkit.arriving import NOON
from relaydesk_testkit.campaign.letters import html_attacks, wrong_in
from tests.support.desk import ADA, desk
from tests.support.gateway import (
    ALICE,
    HEAD,
    ORDER,
    PASSWORD,
    OpenGateway,
    OwnProcess,
    add_zendesk,
    answer_mail,
    asked,
    candidate,
    events,
    made,
    plain,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from relaydesk.store.engine import Store
    from relaydesk_testkit.smtp import Talk

AUTHORITY = trustme.CA()
OTHER = "64000841784004"


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("mx.shop.example").configure_cert(server)
    client = ssl.create_default_context()
    AUTHORITY.configure_trust(client)
    return server, client


@pytest.fixture
def asking(sqlite_store: Store) -> Store:
    add_zendesk(sqlite_store)
    asked(sqlite_store)
    return sqlite_store


@pytest.fixture
def gateway(asking: Store, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[OpenGateway]:
    with OpenGateway(asking, contexts[0]) as opened:
        yield opened


@pytest.fixture
def talk(gateway: OpenGateway, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[Talk]:
    """A client inside TLS that has not said who it is."""
    with gateway.talk() as talk:
        talk.ask("EHLO desk.example")
        assert talk.ask("STARTTLS").startswith("220")
        talk.secure(contexts[1])
        talk.ask("EHLO desk.example")
        yield talk


def log_in(talk: Talk) -> Talk:
    assert talk.ask(f"AUTH PLAIN {plain()}") == "235 2.7.0 Authentication succeeded"
    return talk


def hand_in(talk: Talk, raw: bytes | None = None, rcpt: str = ALICE) -> str:
    assert talk.ask("MAIL FROM:<agent@desk.example>").startswith("250")
    assert talk.ask(f"RCPT TO:<{rcpt}>") == "250 2.1.5 Ok"
    return talk.data(raw or answer_mail())


# --- who may come in


def test_it_offers_auth_only_inside_tls(gateway: OpenGateway, contexts: tuple[ssl.SSLContext, ...]) -> None:
    with gateway.talk() as talk:
        clear = talk.ask("EHLO desk.example")
        talk.ask("STARTTLS")
        talk.secure(contexts[1])
        secured = talk.ask("EHLO desk.example")
    assert "STARTTLS" in clear and "AUTH" not in clear
    assert "AUTH PLAIN LOGIN" in secured and "STARTTLS" not in secured


def test_it_takes_nothing_in_the_clear(gateway: OpenGateway) -> None:
    with gateway.talk() as talk:
        talk.ask("EHLO desk.example")
        assert talk.ask(f"AUTH PLAIN {plain()}").startswith("538 5.7.11")
        assert talk.ask("AUTH LOGIN").startswith("538 5.7.11")
        assert talk.ask("MAIL FROM:<a@desk.example>").startswith("530 5.7.0 Must issue a STARTTLS")
        assert talk.ask(f"RCPT TO:<{ALICE}>").startswith("503")
        assert talk.ask("DATA").startswith("503")


def test_it_takes_nothing_without_a_login(talk: Talk) -> None:
    assert talk.ask("MAIL FROM:<a@desk.example>").startswith("530 5.7.0 Authentication required")
    assert talk.ask(f"RCPT TO:<{ALICE}>").startswith("503")
    assert talk.ask("DATA").startswith("503")


def test_it_knows_plain_with_and_without_an_initial_response(talk: Talk) -> None:
    assert talk.ask("auth plain") == "334 "
    assert talk.ask(plain(identity="zendesk")).startswith("235 2.7.0")
    assert talk.ask(f"AUTH PLAIN {plain()}").startswith("503 5.5.1")
    assert talk.ask("MAIL FROM:<a@desk.example> AUTH=<>").startswith("250")


@pytest.mark.parametrize("initial", ["", " " + base64.b64encode(b"zendesk").decode()])
def test_it_knows_login(talk: Talk, initial: str) -> None:
    question = talk.ask(f"AUTH LOGIN{initial}")
    if not initial:
        assert question == f"334 {base64.b64encode(b'Username:').decode()}"
        question = talk.ask(base64.b64encode(b"zendesk"))
    assert question == f"334 {base64.b64encode(b'Password:').decode()}"
    assert talk.ask(base64.b64encode(PASSWORD.encode())).startswith("235 2.7.0")


@pytest.mark.parametrize(
    ("response", "reply"),
    [
        (plain(password="wrong"), "535 5.7.8"),
        (plain(name="nobody"), "535 5.7.8"),
        (plain(password=""), "535 5.7.8"),
        (plain(identity="boss"), "535 5.7.8"),
        ("not base64!", "501 5.5.2"),
        (base64.b64encode(b"no nul").decode(), "501 5.5.2"),
        (base64.b64encode(b"a\0b\0c\0d").decode(), "501 5.5.2"),
        (base64.b64encode(b"\0\xff\0\xff").decode(), "501 5.5.2"),
        ("=", "501 5.5.2"),
    ],
)
def test_it_lets_nobody_else_in(talk: Talk, response: str, reply: str) -> None:
    assert talk.ask(f"AUTH PLAIN {response}").startswith(reply)
    assert talk.ask("MAIL FROM:<a@desk.example>").startswith("530")
    log_in(talk)


def test_it_stays_in_step_when_a_login_is_broken_off(talk: Talk) -> None:
    talk.ask("AUTH LOGIN")
    assert talk.ask("*").startswith("501 5.7.0")
    assert talk.ask("AUTH CRAM-MD5").startswith("504 5.5.4")
    assert talk.ask("AUTH").startswith("504 5.5.4")
    talk.ask("AUTH PLAIN")
    assert talk.ask("x" * 3000).startswith("500 5.5.6")
    assert talk.ask("NOOP").startswith("250")


def test_it_ends_a_session_that_guesses(talk: Talk) -> None:
    for _ in range(2):
        assert talk.ask(f"AUTH PLAIN {plain(password='x')}").startswith("535")
    assert talk.ask(f"AUTH PLAIN {plain(password='x')}").startswith("421 4.7.0")
    assert talk.closed()


def test_a_desk_that_shares_the_address_of_a_guesser_gets_in(
    talk: Talk, gateway: OpenGateway, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    replies: list[str] = []

    def guess() -> None:
        with gateway.talk() as guesser:
            guesser.ask("EHLO x.example")
            guesser.ask("STARTTLS")
            guesser.secure(contexts[1])
            guesser.ask("EHLO x.example")
            replies.extend(guesser.ask(f"AUTH PLAIN {plain(password='x')}")[:3] for _ in range(2))

    guessers = [threading.Thread(target=guess) for _ in range(8)]
    for thread in guessers:
        thread.start()
    for thread in guessers:
        thread.join()
    assert set(replies) == {"535", "454"}
    assert talk.ask(f"AUTH PLAIN {plain()}").startswith("235")


def test_it_refuses_a_revoked_client_within_its_session(
    talk: Talk, asking: Store, gateway: OpenGateway
) -> None:
    log_in(talk)
    desk(asking, gateway.gateway.clock()).gateway_clients.revoke("zendesk", by=ADA)
    assert hand_in(talk).startswith("554 5.6.0 The gateway client zendesk has been revoked")
    assert rows(asking) == []
    with gateway.talk() as other:
        assert other.ask("EHLO x.example").startswith("250")
    assert talk.ask("RSET").startswith("250")


def test_it_takes_an_ordinary_client_over_implicit_tls(
    asking: Store, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    with (
        OpenGateway(asking, contexts[0], implicit_tls=True) as gateway,
        smtplib.SMTP_SSL("127.0.0.1", gateway.port, context=lenient(), timeout=10) as client,
    ):
        client.login("zendesk", PASSWORD)
        client.sendmail("agent@desk.example", [ALICE], answer_mail())
    assert [row.recipient for row in rows(asking)] == [ALICE]


def test_implicit_tls_lets_go_of_a_client_that_never_shakes_hands(
    asking: Store, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    with (
        OpenGateway(asking, contexts[0], implicit_tls=True, tls_seconds=0.2) as gateway,
        gateway.talk(greeting=False) as talk,
    ):
        talk.send(b"EHLO plain.example\r\n")
        assert talk.closed()


def test_implicit_tls_shows_the_reloaded_certificate_to_the_next_client(
    asking: Store, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    renewed = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("renewed.shop.example").configure_cert(renewed)
    with OpenGateway(asking, contexts[0], implicit_tls=True) as gateway:
        for context, name in ((contexts[0], "mx.shop.example"), (renewed, "renewed.shop.example")):
            gateway.configuration.swap(tls=context)
            with contexts[1].wrap_socket(
                socket.create_connection(("127.0.0.1", gateway.port), timeout=10), server_hostname=name
            ) as secured:
                assert secured.recv(4) == b"220 "


def lenient() -> ssl.SSLContext:
    """A client that does not mind which name the certificate has."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    context.check_hostname = False
    return context


# --- for whom


@pytest.mark.parametrize(
    "rcpt",
    [
        "victim@example.com",
        "case++bbbb@support.facebook.com",
        "help@shop.example",
        "case++aaaa@support.facebook.com.evil.example",
        '"case++aaaa@support.facebook.com"@evil.example',
        "case++aaaa%support.facebook.com@shop.example",
        "@evil.example:case++aaaa@support.facebook.com",
        "case++aaaa@support.facebook.com>@evil.example",
        "case++aaaa@[127.0.0.1]",
        "evil.example!case++aaaa@support.facebook.com",
        "postmaster",
        "",
    ],
)
def test_it_is_never_an_open_relay(talk: Talk, asking: Store, rcpt: str) -> None:
    log_in(talk)
    assert talk.ask("MAIL FROM:<help@shop.example>").startswith("250")
    assert talk.ask(f"RCPT TO:<{rcpt}>")[:3] in ("550", "501")
    assert talk.ask("DATA").startswith("554 5.5.1")
    assert rows(asking) == []


def test_it_refuses_a_relay_address_of_a_ticket_outside_the_sender_domains(talk: Talk, asking: Store) -> None:
    asked(asking, b"other", address="case++cccc@evil.example", message_id="<2@evil.example>")
    log_in(talk)
    talk.ask("MAIL FROM:<a@desk.example>")
    assert talk.ask("RCPT TO:<case++cccc@evil.example>").startswith("550 5.7.1")


def test_it_takes_one_recipient(talk: Talk, asking: Store) -> None:
    asked(asking, b"other", address="case++dddd@support.facebook.com", message_id="<2@facebook.com>")
    log_in(talk)
    talk.ask("MAIL FROM:<a@desk.example>")
    assert talk.ask(f"RCPT TO:<{ALICE}>").startswith("250")
    assert talk.ask("RCPT TO:<case++dddd@support.facebook.com>").startswith("452 4.5.3")
    assert talk.data(answer_mail()).startswith("250")
    assert [row.recipient for row in rows(asking)] == [ALICE]


# --- what goes out


def test_it_queues_the_answer_repaired_and_bound(talk: Talk, asking: Store) -> None:
    raw = answer_mail(Cc="boss@shop.example", Bcc="spy@shop.example", Reply_To="x@desk.example")
    assert hand_in(log_in(talk), raw, rcpt=ALICE.upper().replace("CASE++AAAA", "case++aaaa")) == (
        "250 2.0.0 Ok: stored"
    )
    [row] = rows(asking)
    assert (row.purpose, row.author, row.recipient, row.order_id, row.state) == (
        "answer", "gateway:zendesk", ALICE, ORDER, "queued",
    )  # fmt: skip
    assert row.not_before <= row.created_at
    sealed = sealed_by_us(HEAD.secret, row.envelope_from)
    assert sealed == (row.ticket_id, row.id)
    message = made(asking, row.id)
    assert message["To"] == ALICE
    assert not {"cc", "bcc", "reply-to"} & {name.lower() for name in message.keys()}  # noqa: SIM118
    assert ORDER in message["Subject"]
    assert message["Message-ID"] == row.rfc_message_id
    assert [what for what, _ in events(asking, row.ticket_id)][-1] == "answer_queued"


def test_a_submission_that_comes_again_goes_out_once(talk: Talk, asking: Store) -> None:
    log_in(talk)
    raw = answer_mail()
    assert hand_in(talk, raw).startswith("250")
    assert hand_in(talk, raw).startswith("250")
    assert len(rows(asking)) == 1
    assert hand_in(talk, answer_mail("Another")).startswith("250")
    assert len(rows(asking)) == 2


def test_it_answers_the_message_that_the_thread_names_else_the_latest(talk: Talk, asking: Store) -> None:
    first = asked(asking, b"second", ticket=1, message_id="<2@facebook.com>").message_id
    latest = asked(asking, b"third", ticket=1, message_id="<3@facebook.com>").message_id
    log_in(talk)
    hand_in(talk, answer_mail("a", In_Reply_To="<2@facebook.com>"))
    hand_in(talk, answer_mail("b", References="<0@x.example> <2@facebook.com> <9@desk.example>"))
    hand_in(talk, answer_mail("c", In_Reply_To="<9@desk.example>"))
    assert [row.message_id for row in rows(asking)] == [first, first, latest]


def test_a_message_of_another_ticket_is_not_answered(talk: Talk, asking: Store) -> None:
    asked(asking, b"other", address="case++dddd@support.facebook.com", message_id="<4@facebook.com>")
    hand_in(log_in(talk), answer_mail("x", In_Reply_To="<4@facebook.com>"))
    [row] = rows(asking)
    assert (row.message_id, row.recipient) == (1, ALICE)


def test_automatic_answers_are_sent_without_stopping_the_clock_or_swallowed(
    talk: Talk, asking: Store, gateway: OpenGateway
) -> None:
    log_in(talk)
    assert hand_in(talk, answer_mail("We got it", Auto_Submitted="auto-replied")).startswith("250")
    gateway.configuration.swap(swallow=True)
    assert hand_in(talk, answer_mail("We got it too", Precedence="bulk")).startswith("250")
    assert hand_in(talk, answer_mail("A person")).startswith("250")
    assert [row.purpose for row in rows(asking)] == ["automatic", "answer"]
    assert ("answer_swallowed", "gateway:zendesk") in events(asking, 1)


def test_a_changed_rule_counts_for_the_next_message(talk: Talk, asking: Store, gateway: OpenGateway) -> None:
    log_in(talk)
    own = rules.load_gateway_rules({"lines": ["Brought to you by Desk"]}, "own.yaml")
    gateway.configuration.swap(rules=own)
    hand_in(talk, answer_mail("Brought to you by Desk\nHello"))
    assert "Brought" not in str(made(asking, rows(asking)[0].id).get_body(("plain",)))


@pytest.mark.parametrize(
    ("known", "words", "outcome"),
    [
        (((ORDER,), ()), "Hello", ORDER),
        (((ORDER, OTHER), ()), f"About {OTHER}", OTHER),
        (((ORDER, OTHER), ()), "Hello", "Several orders are possible"),
        (((), (candidate(OTHER),)), "Hello", OTHER),
        (((), (candidate(OTHER, "mentioned"),)), "Hello", "No order is bound"),
        (((), (candidate(OTHER, "mentioned"),)), f"It is {OTHER}.", OTHER),
        (((), ()), "Hello", "No order is bound"),
        (((), ()), "Hello\n#no-order", None),
    ],
)
def test_it_names_the_order_or_asks_for_it(
    sqlite_store: Store,
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    known: tuple[tuple[str, ...], tuple[object, ...]],
    words: str,
    outcome: str | None,
) -> None:
    add_zendesk(sqlite_store)
    asked(sqlite_store, bind=known[0], candidates=known[1])
    with OpenGateway(sqlite_store, contexts[0]) as gateway, gateway.talk() as talk:
        talk.ask("EHLO x.example")
        talk.ask("STARTTLS")
        talk.secure(contexts[1])
        talk.ask("EHLO x.example")
        reply = hand_in(log_in(talk), answer_mail(words))
    if outcome is not None and not outcome.isdigit():
        assert reply.startswith(f"554 5.6.0 {outcome}")
        assert rows(sqlite_store) == []
        return
    assert reply.startswith("250")
    [row] = rows(sqlite_store)
    assert row.order_id == outcome
    shown = str(made(sqlite_store, row.id))
    assert "#no-order" not in shown
    told = [what for what, _ in events(sqlite_store, row.ticket_id)]
    assert ("no_order_confirmed" in told) is (outcome is None)


def test_a_refusal_says_why_on_one_line_and_keeps_nothing(talk: Talk, asking: Store) -> None:
    raw = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b--\r\n"
    reply = hand_in(log_in(talk), raw)
    assert reply == "554 5.6.0 The answer has no text."
    assert rows(asking) == []
    assert hand_in(talk).startswith("250")


PERSON = (
    "Here is your voucher:\n[SAVE20-2026X]\nand the number of your return:\nRequest #: 5512\n"
    "for Meta's case:\nCase number: 31415926535897932\n"
    "Your request (5512) has been received by our warehouse; send the parcel to 1 Main St.\nbye"
)


def test_what_a_person_wrote_is_sent_whole(talk: Talk, asking: Store) -> None:
    raw = answer_mail(PERSON, subject="Re: [#4711] Message from alice")
    assert hand_in(log_in(talk), raw).startswith("250")
    message = made(asking, rows(asking)[0].id)
    [plain, html] = [part.get_content() for part in message.iter_parts()]
    assert all(line in plain and line in html.replace("&#x27;", "'") for line in PERSON.split("\n"))
    assert "[#4711]" in message["Subject"]
    assert "answer_cleaned" not in [what for what, _ in events(asking, 1)]


def test_what_a_desk_put_there_goes_and_is_noted_on_the_ticket(talk: Talk, asking: Store) -> None:
    text = f"##- Please type your reply above this line -##\n{PERSON}\n[XYZ123-4ABC]"
    raw = answer_mail(text, subject="[Request #4711] Re: Hello", X_Mailer="Zendesk Mailer")
    assert hand_in(log_in(talk), raw).startswith("250")
    message = made(asking, rows(asking)[0].id)
    shown = "".join(part.get_content() for part in message.iter_parts())
    assert "##-" not in shown and "XYZ123" not in shown and "4711" not in message["Subject"]
    assert all(line in shown for line in PERSON.split("\n"))
    with asking.reading() as session:
        [cleaned] = [event for _, event in tickets.events(session, 1) if event.what == "answer_cleaned"]
    assert cleaned.actor == "gateway:zendesk"
    assert cleaned.payload == AnswerCleaned(
        rows(asking)[0].id,
        (
            "Zendesk, Subject: [Request #4711]",
            "Zendesk: ##- Please type your reply above this line -##",
            "Zendesk: [XYZ123-4ABC]",
        ),
    )


def test_no_attack_in_html_leaves_the_gateway(talk: Talk, asking: Store) -> None:
    log_in(talk)
    for section in ("runs", "loads", "hidden"):
        html = "<p>Hello</p>" + "\n".join(
            line for line in html_attacks(section) if not line.startswith("<style")
        )
        raw = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        assert hand_in(talk, raw + base64.encodebytes(html.encode()).replace(b"\n", b"\r\n")).startswith(
            "250"
        )
        message = made(asking, rows(asking)[-1].id)
        [plain, hyper] = [part.get_content() for part in message.iter_parts()]
        assert list(wrong_in(hyper[hyper.index("<body>") + len("<body>") : hyper.index("</body>")])) == []
        assert not re.search(r"<[^>]*EVIL", hyper)
        assert "Hello" in plain and "Hello" in hyper
        assert section != "hidden" or "EVIL" not in plain + hyper


def test_an_unknown_declaration_is_taken_at_once(talk: Talk, asking: Store) -> None:
    raw = b"Subject: x\r\nContent-Type: text/html\r\n\r\n<p>Hello <![if !mso]>Alice<![foo</p>\r\n"
    assert hand_in(log_in(talk), raw).startswith("250")
    assert "Hello Alice" in str(made(asking, rows(asking)[0].id))


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Type: text/plain; charset=utf-8", b"Gr\xc3\xbc\xc3"),
        (b"Content-Type: text/plain; charset=x-klingon", b"Gr\xfc\xdfe"),
        (b"Content-Type: text/html; charset=shift_jis", b"<p>\x82\xa0 \xfc\xfc</p>"),
        (b"Subject: =?utf-8?q?Gr=C3=BC=C3?=\r\nContent-Type: text/plain", b"Hello"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(
    talk: Talk, asking: Store, head: bytes, body: bytes
) -> None:
    reply = hand_in(log_in(talk), head + b"\r\n\r\n" + body + b"\r\n")
    assert (
        reply.startswith("554 5.6.0 The ")
        and "cannot be read" in reply
        and reply.endswith("Send it as UTF-8.")
    )
    assert rows(asking) == []
    assert hand_in(talk).startswith("250")


def test_a_fault_of_ours_defers_and_the_resend_is_taken(talk: Talk, asking: Store) -> None:
    log_in(talk)
    with asking.transaction() as session:
        session.connection().execute(text("ALTER TABLE outbox RENAME TO gone"))
    assert hand_in(talk).startswith("451 4.3.0")
    with asking.transaction() as session:
        session.connection().execute(text("ALTER TABLE gone RENAME TO outbox"))
    assert hand_in(talk).startswith("250")


class HeavyPool(OwnProcess):
    """Does no task, but ends with what a test says."""

    ending: Exception = TaskTimeout("it took over 60 s")

    async def run(self, function: Callable[..., Any], *_: object, context: object = None) -> Any:
        raise self.ending


def test_what_takes_too_long_to_read_is_refused_at_once(
    talk: Talk, asking: Store, gateway: OpenGateway
) -> None:
    pool = gateway.gateway.pool
    gateway.gateway.pool = heavy = HeavyPool(1, 60)
    log_in(talk)
    for ending in (TaskTimeout("it took over 60 s"), TaskTooHeavy("its process was killed")):
        heavy.ending = ending
        reply = hand_in(talk)
        assert reply.startswith("554 5.6.0 The message takes too long to read")
        assert "send it as plain text" in reply
    heavy.ending = TaskFailed("ZeroDivisionError: of ours")
    assert hand_in(talk).startswith("451 4.3.0")
    gateway.gateway.pool = pool
    assert rows(asking) == []
    assert hand_in(talk).startswith("250")


def test_it_reads_and_makes_in_a_process_of_its_own(
    asking: Store, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    pool = ProcessPool(1, 60)
    with OpenGateway(asking, contexts[0], pool=pool) as gateway, gateway.talk() as talk:
        talk.ask("EHLO x.example")
        talk.ask("STARTTLS")
        talk.secure(contexts[1])
        talk.ask("EHLO x.example")
        assert hand_in(log_in(talk)).startswith("250")
        bare = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b--\r\n"
        assert hand_in(talk, bare) == "554 5.6.0 The answer has no text."
    [row] = rows(asking)
    assert made(asking, row.id)["To"] == ALICE


def test_what_changes_while_it_is_made_is_looked_at_again(
    talk: Talk, asking: Store, gateway: OpenGateway
) -> None:
    happenings: list[Callable[[], object]] = []

    class Slow(OwnProcess):
        async def run(self, function: Callable[..., Any], *arguments: object, context: object = None) -> Any:
            result = await super().run(function, *arguments, context=context)
            if function is make_answer and happenings:
                await asyncio.to_thread(happenings.pop(0))
            return result

    gateway.gateway.pool = Slow(1, 60)
    log_in(talk)
    happenings.append(lambda: asked(asking, b"And?\r\n", ticket=1, message_id="<2@facebook.com>"))
    assert hand_in(talk).startswith("250")
    assert rows(asking)[0].message_id == 2  # the latest, that came meanwhile
    again = answer_mail("Hello again")
    happenings.append(lambda: asyncio.run(handed_in(gateway, again)))
    assert hand_in(talk, again).startswith("250")
    assert len(rows(asking)) == 2  # once, although it came by two connections
    happenings.append(lambda: desk(asking, NOON).gateway_clients.revoke("zendesk", by=ADA))
    assert hand_in(talk, answer_mail("Bye")).startswith(
        "554 5.6.0 The gateway client zendesk has been revoked"
    )
    assert len(rows(asking)) == 2


async def handed_in(gateway: OpenGateway, raw: bytes) -> None:
    """The same submission by another process."""
    with ThreadPoolExecutor(1) as workers:
        other = Gateway(
            store=gateway.gateway.store, clock=gateway.gateway.clock, workers=workers, pool=OwnProcess(1, 60)
        )
        origin = Origin("127.0.0.1", "none", allowlisted=False, how="peer")
        sent = Envelope("127.0.0.1", origin, "x", "agent@desk.example", (ALICE,), raw, NOON, client="zendesk")
        assert (await other.receive(gateway.configuration.current, sent)).outcome == "accepted"


def test_it_refuses_what_is_too_large(asking: Store, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with OpenGateway(asking, contexts[0], message_bytes=2000) as gateway, gateway.talk() as talk:
        talk.ask("EHLO x.example")
        talk.ask("STARTTLS")
        talk.secure(contexts[1])
        assert "SIZE 2000" in talk.ask("EHLO x.example")
        log_in(talk)
        assert talk.ask("MAIL FROM:<a@b.example> SIZE=2001").startswith("552 5.3.4")
        assert hand_in(talk, answer_mail("x" * 3000)).startswith("552 5.3.4")


def test_an_answer_is_judged_by_the_configuration_of_its_mail_command(
    talk: Talk, asking: Store, gateway: OpenGateway
) -> None:
    log_in(talk)
    talk.ask("MAIL FROM:<a@b.example>")
    talk.ask(f"RCPT TO:<{ALICE}>")
    gateway.configuration.swap(sender=replace(HEAD, sender_domains=frozenset()))
    assert talk.data(answer_mail()).startswith("250")
    assert len(rows(asking)) == 1
    talk.ask("MAIL FROM:<a@b.example>")
    assert talk.ask(f"RCPT TO:<{ALICE}>").startswith("550 5.7.1")


def test_a_probe_of_the_gateways_port_is_silent(
    asking: Store, contexts: tuple[ssl.SSLContext, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    for implicit_tls in (False, True):
        with OpenGateway(asking, contexts[0], implicit_tls=implicit_tls) as gateway:
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as sock:
                    assert implicit_tls or sock.recv(100).startswith(b"220 ")
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(100):
                        pass
            gateway.run(asyncio.sleep(0.05))
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []
