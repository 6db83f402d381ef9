"""Places for connections: what strangers can take, and what they cannot."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import trustme

from relaydesk.policy.decision import Admission
from relaydesk.smtpd.limits import Limits
from relaydesk_testkit.serving import eventually
from relaydesk_testkit.smtp import MAIL, PROXIED, OpenDoor, Talk
from tests.support.gateway import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LISTED = "networks: ['127.0.0.1']\nsenders: [support.facebook.com]\n"
XCLIENT = "networks: ['127.0.0.2']\nproxies: [{network: 127.0.0.1, xclient: true}]\n"
FEW = Limits(connections=5, connections_per_peer=9, strangers_percent=80)  # 4 for strangers
STRANGER, OTHER = "127.0.1.1", "127.0.1.2"


@pytest.fixture(scope="module")
def server_tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("mx.shop.example").configure_cert(context)
    return context


@pytest.fixture
def crowd() -> Iterator[Callable[..., list[Talk]]]:
    """Opens many connections that end with the test."""
    with ExitStack() as stack:

        def opened(door: OpenDoor, many: int, source: str = STRANGER, *, greeting: bool = True) -> list[Talk]:
            return [
                stack.enter_context(door.talk(greeting=greeting, source=source or f"127.0.1.{number + 1}"))
                for number in range(many)
            ]

        yield opened


def lenient() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_who_is_listed_gets_the_place_of_an_idle_stranger(crowd: Callable[..., list[Talk]]) -> None:
    with OpenDoor(LISTED, FEW) as door:
        strangers = crowd(door, 4)
        [first] = crowd(door, 1, "127.0.0.1")
        with door.talk() as second:
            assert (
                strangers[0].reply()
                == "421 4.3.2 Under load, idle connections must go; please try again later"
            )
            assert strangers[0].closed()
            for listed in (first, second):
                listed.start_mail()
                assert listed.data().startswith("250")
        assert strangers[1].ask("NOOP").startswith("250")


def test_a_stranger_in_the_middle_of_a_message_stays(crowd: Callable[..., list[Talk]]) -> None:
    with OpenDoor(LISTED, FEW) as door:
        door.receiver.admitting = lambda _origin, _rcpt: Admission(
            "accepted"
        )  # as for our own bounce address
        bringing, idle, *_ = strangers = crowd(door, 4)
        bringing.start_mail(sender="")
        assert bringing.ask("DATA").startswith("354")
        crowd(door, 3, "127.0.0.1")
        assert idle.reply().startswith("421 4.3.2")
        bringing.send(b"Subject: bounce\r\n\r\n.\r\n")
        assert bringing.reply().startswith("250")
        assert len(strangers) == 4


def test_421_says_which_cap_is_reached(crowd: Callable[..., list[Talk]]) -> None:
    with OpenDoor(LISTED, replace(FEW, connections_per_peer=2, connections_per_known_peer=3)) as door:
        crowd(door, 2)
        [talk] = crowd(door, 1, greeting=False)
        assert talk.reply() == "421 4.7.0 Too many connections of this host, please try again later"
        crowd(door, 2, OTHER)
        [talk] = crowd(door, 1, "127.0.1.3", greeting=False)  # gets the place of one that holds two
        assert talk.reply().startswith("220 ")
        crowd(door, 1, "127.0.1.4")
        [talk] = crowd(door, 1, "127.0.1.5", greeting=False)
        assert talk.reply() == (
            "421 4.7.0 Too many connections: the places left are kept for known hosts, please try again later"
        )
        assert talk.closed()


def test_strangers_must_hurry_while_places_are_scarce_and_the_listed_need_not(
    crowd: Callable[..., list[Talk]],
) -> None:
    limits = replace(FEW, stress_idle_seconds=1.0, stress_errors=1)
    with OpenDoor(LISTED, limits) as door:
        [listed] = crowd(door, 1, "127.0.0.1")
        early = crowd(door, 3)[0]
        [noisy] = crowd(door, 1)
        assert noisy.ask("NONSENSE").startswith("500")
        assert noisy.ask("NONSENSE").startswith("500")
        assert noisy.reply().startswith("421 4.7.0 Too many errors")
        assert early.reply().startswith("421 4.3.2 Under load")  # it waited already when they became scarce
        assert listed.ask("NOOP").startswith("250")


def test_a_stranger_that_only_keeps_itself_awake_goes_too(crowd: Callable[..., list[Talk]]) -> None:
    with OpenDoor(LISTED, replace(FEW, stress_session_seconds=0.4)) as door:
        awake = crowd(door, 4)[0]
        reply = "250"
        while reply.startswith("250"):
            reply = awake.ask("NOOP")
            time.sleep(0.02)
        assert reply.startswith("421 4.3.2 Under load")


def test_sockets_that_never_start_tls_count_from_accept_on(server_tls: ssl.SSLContext) -> None:
    limits = Limits(connections=8, connections_per_peer=3, strangers_percent=50, tls_seconds=1)
    with (
        OpenDoor(LISTED, limits, tls=server_tls, implicit_tls=True) as door,
        ExitStack() as stack,
    ):
        for number in range(12):
            stack.enter_context(door.talk(greeting=False, source=f"127.0.1.{number % 2 + 1}"))
        with door.talk(greeting=False) as talk:
            talk.sock = lenient().wrap_socket(talk.sock)
            assert talk.reply().startswith("220 ")
            assert door.listener.connections == 5
            talk.start_mail()
            assert talk.data().startswith("250")
            eventually(lambda: door.listener.connections == 1, "the end of the silent ones")


def test_a_proxy_counts_before_its_header_and_its_clients_after(crowd: Callable[..., list[Talk]]) -> None:
    with OpenDoor(PROXIED, Limits(connections_per_known_peer=2, connections_per_peer=1)) as door:
        silent = crowd(door, 2, "127.0.0.1", greeting=False)
        eventually(lambda: door.listener.connections == 2, "both")
        for ip, reply in (("203.0.113.9", "220 "), ("203.0.113.9", "421 4.7.0 Too many connections of this")):
            [talk] = crowd(door, 1, "127.0.0.1", greeting=False)
            talk.send(f"PROXY TCP4 {ip} 127.0.0.1 4 25\r\n".encode())
            assert talk.reply().startswith(reply)
        assert silent[0].reply().startswith("421 4.3.2")  # one more header-less has taken its place


def test_the_clients_of_an_xclient_proxy_count_too(crowd: Callable[..., list[Talk]]) -> None:
    with OpenDoor(XCLIENT, Limits(connections_per_peer=1)) as door:
        first, second, third = crowd(door, 3, "127.0.0.1")
        for talk in (first, second, third):
            talk.ask("EHLO edge.example")
        assert first.ask("XCLIENT ADDR=203.0.113.9").startswith("220 ")
        assert second.ask("XCLIENT ADDR=203.0.113.9").startswith(
            "421 4.7.0 Too many connections of this host"
        )
        assert second.closed()
        assert third.ask("XCLIENT ADDR=203.0.113.8").startswith("220 ")
        assert first.ask("NOOP").startswith("250")


def test_a_host_that_has_logged_in_is_no_stranger_next_time(
    server_tls: ssl.SSLContext, crowd: Callable[..., list[Talk]]
) -> None:
    class Logins:
        async def authenticate(self, ip: str, name: str, password: str) -> str:
            return "right"

    door = OpenDoor("networks: []\n", FEW, tls=server_tls, implicit_tls=True)
    door.endpoint = replace(door.endpoint, logins=Logins())  # type: ignore[arg-type]

    def secured(talk: Talk) -> Talk:
        talk.sock = lenient().wrap_socket(talk.sock)
        assert talk.reply().startswith("220 ")
        return talk

    with door:
        with door.talk(greeting=False) as desk:
            secured(desk).ask("EHLO desk.example")
            assert desk.ask(f"AUTH PLAIN {plain()}").startswith("235")
            assert desk.ask("QUIT").startswith("221")
        crowd(door, 4, "", greeting=False)
        [stranger] = crowd(door, 1, "127.0.1.9", greeting=False)
        assert stranger.closed()
        for talk in crowd(door, 3, "127.0.0.1", greeting=False):
            secured(talk)


def test_a_stranger_that_takes_no_reply_still_counts_and_can_be_sent_away() -> None:
    limits = Limits(connections=3, write_seconds=3600, session_seconds=3600, commands=10**9, errors=10**9)
    lists = LISTED.replace("'127.0.0.1'", "127.0.0.1, 127.0.0.2")
    with OpenDoor(lists, limits) as door, door.talk(source=STRANGER) as deaf:
        deaf.sock.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while True:
                deaf.send(b"HELP\r\n" * 5000)
        with door.talk(), door.talk(), door.talk(greeting=False, source="127.0.0.2") as third:
            assert third.reply().startswith("220 ")
            eventually(lambda: door.listener.connections == 3, "the end of the deaf one")


def test_one_listed_host_that_trickles_leaves_places_for_others_when_there_are_few() -> None:
    lists = LISTED.replace("'127.0.0.1'", "127.0.0.1, 127.0.0.2")
    with OpenDoor(lists, Limits().within(8)) as door, ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(door.talk()).start_mail()
        with door.talk(greeting=False) as talk:
            assert talk.reply() == "421 4.7.0 Too many connections of this host, please try again later"
        with door.talk(source="127.0.0.2") as other:
            other.start_mail()
            assert other.data().startswith("250")


def test_a_stranger_that_connects_again_and_again_is_told_so() -> None:
    with OpenDoor(LISTED, Limits(strangers_per_second=8)) as door:
        greetings = []
        for _ in range(12):
            with door.talk(greeting=False, source=STRANGER) as talk:
                greetings.append(talk.reply())
        assert greetings.count("421 4.7.0 Too many new connections, please try again later") >= 4
        with door.talk() as listed:
            listed.start_mail()
            assert listed.data().startswith("250")


def test_no_idle_client_holds_up_the_end(server_tls: ssl.SSLContext) -> None:
    with OpenDoor(LISTED, tls=server_tls) as door, door.talk() as handshaking, door.talk() as bringing:
        handshaking.ask("EHLO x.example")
        handshaking.ask("STARTTLS")  # and never begins it
        bringing.start_mail()
        assert bringing.ask("DATA").startswith("354")
        closing = asyncio.run_coroutine_threadsafe(door.listener.close(60), door.loop)
        assert handshaking.closed()
        assert not closing.done()
        bringing.send(MAIL + b".\r\n")
        assert bringing.reply().startswith("250")
        closing.result(30)


# What is no TLS, or breaks off within it


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        lenient().wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


def says(said: bytes, ends: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    def attack(sock: socket.socket) -> None:
        sock.sendall(said)
        ends(sock)

    return attack


def inside(
    said: bytes, clear: bytes, ends: Callable[[socket.socket], None]
) -> Callable[[socket.socket], None]:
    """TLS, then ``said`` in it, then ``clear`` outside of it."""

    def attack(sock: socket.socket) -> None:
        secured = lenient().wrap_socket(sock)
        secured.sendall(said)
        raw = socket.socket(fileno=secured.detach())
        raw.sendall(clear)
        ends(raw)

    return attack


HOSTILE = {
    "http": says(b"GET / HTTP/1.1\r\nHost: mx\r\n\r\n", socket.socket.close),
    "garbage": says(bytes(range(256)) * 3, socket.socket.close),
    "sslv2": says(b"\x80\x2e\x01\x00\x02" + bytes(45), socket.socket.close),
    "huge": says(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc" + bytes(16380), reset),
    "hello, then reset": says(hello(), reset),
    "hello, then close": says(hello(), socket.socket.close),
    "half a hello": says(hello()[:90], socket.socket.close),
    "reset": inside(b"", b"", reset),
    "no close_notify": inside(b"", b"", socket.socket.close),
    "commands, then reset": inside(b"EHLO x.example\r\n" * 60, b"", reset),
    "clear inside": inside(b"NOOP\r\n", b"QUIT\r\n" * 9, socket.socket.close),
    "a bad record": inside(b"", b"\x17\x03\x03\x00\x20" + bytes(32), reset),
    "more after QUIT": inside(b"QUIT\r\nNOOP\r\n", b"x" * 20, socket.socket.close),
}


@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "starttls"])
@pytest.mark.parametrize("attack", HOSTILE.values(), ids=HOSTILE)
def test_a_broken_handshake_leaves_no_traceback_and_no_socket(
    server_tls: ssl.SSLContext,
    attack: Callable[[socket.socket], None],
    implicit: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with OpenDoor(LISTED, tls=server_tls, implicit_tls=implicit) as door:
        for _ in range(5):
            talk = Talk(socket.create_connection(("127.0.0.1", door.port), timeout=5))
            with talk.sock, contextlib.suppress(OSError):
                if not implicit:
                    talk.reply()
                    talk.ask("STARTTLS")
                attack(talk.sock)
        eventually(lambda: door.listener.connections == 0, "the end of all")
    lines = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert [record for record in lines if record.exc_info or "Traceback" in record.getMessage()] == []
    assert [record.getMessage() for record in lines] == []


@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "starttls"])
def test_replies_to_a_client_that_is_gone_are_not_logged_one_by_one(
    server_tls: ssl.SSLContext, implicit: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with OpenDoor(LISTED, tls=server_tls, implicit_tls=implicit) as door:
        talk = Talk(socket.create_connection(("127.0.0.1", door.port), timeout=5))
        if not implicit:
            talk.reply()
            talk.ask("STARTTLS")
        talk.sock = lenient().wrap_socket(talk.sock)
        talk.ask("NOOP")
        door.loop.call_soon_threadsafe(time.sleep, 0.3)  # so that commands and reset arrive together
        time.sleep(0.1)
        talk.send(b"NOOP\r\n" * 500)
        reset(talk.sock)
        eventually(lambda: door.listener.connections == 0, "its end")
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG] == []
