"""STARTTLS with a real certificate."""

from __future__ import annotations

import smtplib
import ssl
import time
from typing import TYPE_CHECKING

import pytest
import trustme

from relaydesk.smtpd.limits import Limits
from relaydesk_testkit.smtp import DIRECT, MAIL, ORIGIN, PROXIED, XCLIENT, OpenDoor, Talk

if TYPE_CHECKING:
    from collections.abc import Callable

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def contexts(authority: trustme.CA) -> Contexts:
    """The server's and the client's."""
    return pair(authority, "mx.shop.example")


def pair(authority: trustme.CA, name: str) -> Contexts:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def secure(talk: Talk, context: ssl.SSLContext) -> Talk:
    assert talk.ask("STARTTLS") == "220 2.0.0 Ready to start TLS"
    talk.secure(context)
    return talk


def test_it_takes_mail_inside_tls_from_an_ordinary_client(contexts: Contexts) -> None:
    server, client = contexts
    with OpenDoor(tls=server) as door:
        with smtplib.SMTP(timeout=10) as smtp:
            smtp._host = "mx.shop.example"  # type: ignore[attr-defined]
            smtp.connect("127.0.0.1", door.port)
            smtp._host = "mx.shop.example"  # type: ignore[attr-defined]
            smtp.starttls(context=client)
            smtp.sendmail("a@b.example", ["help@shop.example"], MAIL.decode())
        [envelope] = door.receiver.envelopes
        assert (envelope.tls, envelope.protocol, envelope.raw) == (True, "ESMTPS", MAIL)


def test_it_offers_starttls_once_and_never_auth(contexts: Contexts) -> None:
    server, client = contexts
    with OpenDoor(tls=server) as door, door.talk() as talk:
        clear = talk.ask("EHLO x.example")
        inside = secure(talk, client)
        assert inside.ask("MAIL FROM:<>").startswith("503")
        secured = inside.ask("EHLO x.example")
        assert "STARTTLS" in clear
        assert "STARTTLS" not in secured
        assert "AUTH" not in clear + secured
        assert inside.ask("STARTTLS").startswith("503 5.5.1")
        assert inside.ask("AUTH LOGIN").startswith("502 5.5.1")
        assert inside.ask("QUIT").startswith("221")


def test_it_forgets_the_transaction_at_starttls(contexts: Contexts) -> None:
    server, client = contexts
    with OpenDoor(tls=server) as door, door.talk() as talk:
        talk.start_mail()
        inside = secure(talk, client)
        inside.ask("EHLO x.example")
        assert inside.ask("DATA").startswith("503")


def test_it_discards_what_was_said_in_clear_behind_starttls(contexts: Contexts) -> None:
    server, client = contexts
    with OpenDoor(tls=server) as door, door.talk() as talk:
        talk.ask("EHLO x.example")
        talk.send(b"STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@x.example>\r\n")
        assert talk.reply().startswith("220")
        talk.secure(client)
        inside = talk
        assert inside.ask("NOOP") == "250 2.0.0 Ok"
        inside.start_mail()
        assert inside.data().startswith("250")
        assert [envelope.mail_from for envelope in door.receiver.envelopes] == ["a@support.facebook.com"]


@pytest.mark.parametrize(
    ("lists", "announce", "how"),
    [
        (PROXIED, lambda talk: talk.send(f"PROXY TCP4 {ORIGIN} 127.0.0.1 1 25\r\n".encode()), "proxy"),
        (XCLIENT, lambda talk: (talk.reply(), talk.send(f"XCLIENT ADDR={ORIGIN}\r\n".encode())), "xclient"),
    ],
)
def test_it_keeps_the_proxied_address_across_starttls(
    contexts: Contexts, lists: str, announce: Callable[[Talk], object], how: str
) -> None:
    server, client = contexts
    with OpenDoor(lists, tls=server) as door, door.talk(greeting=False) as talk:
        announce(talk)
        assert talk.reply().startswith("220 ")
        talk.ask("EHLO x.example")
        inside = secure(talk, client)
        inside.start_mail()
        assert inside.data().startswith("250")
        [envelope] = door.receiver.envelopes
        assert (envelope.peer, envelope.origin.how, envelope.origin.role) == (ORIGIN, how, "origin")


def test_it_keeps_counting_across_starttls(contexts: Contexts) -> None:
    server, client = contexts
    with OpenDoor(DIRECT, Limits(errors=3), tls=server) as door, door.talk() as talk:
        for _ in range(2):
            talk.ask("NONSENSE")
        inside = secure(talk, client)
        inside.ask("NONSENSE")
        assert inside.ask("NONSENSE").startswith("500")
        assert inside.reply().startswith("421 4.7.0")


def test_it_reads_a_large_message_inside_tls(contexts: Contexts) -> None:
    server, client = contexts
    with OpenDoor(tls=server) as door, door.talk() as talk:
        talk.ask("EHLO x.example")
        inside = secure(talk, client)
        inside.start_mail()
        big = MAIL + (b"z" * 76 + b"\r\n") * 50_000
        assert inside.data(big).startswith("250")
        assert door.receiver.envelopes[0].raw == big


def test_it_presents_the_reloaded_certificate_to_the_next_client(authority: trustme.CA) -> None:
    first, client = pair(authority, "mx.shop.example")
    second, _ = pair(authority, "renewed.shop.example")
    with OpenDoor(tls=first) as door:
        with door.talk() as talk:
            secure(talk, client)
        door.configuration.swap(tls=second)
        with door.talk() as talk, pytest.raises(ssl.SSLCertVerificationError):
            secure(talk, client)
        door.configuration.swap(tls=None)
        with door.talk() as talk:
            assert "STARTTLS" not in talk.ask("EHLO x.example")


def test_it_lets_go_of_a_client_that_never_shakes_hands(contexts: Contexts) -> None:
    with (
        OpenDoor(limits=Limits(tls_seconds=0.2), tls=contexts[0]) as door,
        door.talk() as silent,
        door.talk() as babbling,
    ):
        silent.ask("STARTTLS")
        babbling.ask("STARTTLS")
        babbling.send(b"EHLO this.is.no.tls\r\n" * 5)
        ends = time.monotonic() + 10
        while door.listener.connections and time.monotonic() < ends:
            time.sleep(0.02)
        assert door.listener.connections == 0


def test_it_says_421_inside_tls_too(contexts: Contexts) -> None:
    with OpenDoor(limits=Limits(idle_seconds=0.3), tls=contexts[0]) as door, door.talk() as talk:
        inside = secure(talk, contexts[1])
        assert inside.reply().startswith("421 4.4.2")
