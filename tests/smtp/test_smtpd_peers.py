"""Who speaks: PROXY headers and XCLIENT, believed from listed proxies only."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from relaydesk.smtpd.limits import Limits
from relaydesk_testkit.smtp import DIRECT, MAIL, ORIGIN, PROXIED, XCLIENT, OpenDoor, Talk

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def v1(ip: str, family: str = "TCP4") -> bytes:
    ours = "127.0.0.1" if family == "TCP4" else "::1"
    return f"PROXY {family} {ip} {ours} 40000 25\r\n".encode()


def v2(ip: str, command: int = 1, protocol: int = 1, extra: bytes = b"") -> bytes:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    source = socket.inet_pton(family, ip)
    body = source + source + struct.pack("!HH", 40000, 25) + extra
    kind = (2 if ":" in ip else 1) << 4 | protocol
    return SIGNATURE + bytes([0x20 | command, kind]) + struct.pack("!H", len(body)) + body


def eventually_refused(door: OpenDoor) -> bool:
    ends = time.monotonic() + 5
    while not door.receiver.turned and time.monotonic() < ends:
        time.sleep(0.01)
    told = [(peer, why.code) for peer, _, why in door.receiver.turned]
    return told == [("127.0.0.1", "proxy_without_header")]  # counted under the proxy that must be mended


@pytest.mark.parametrize(
    ("header", "ip"),
    [
        (v1(ORIGIN), ORIGIN),
        (v1("2001:db8::7", "TCP6"), "2001:db8::7"),
        (v1(f"::ffff:{ORIGIN}", "TCP6"), ORIGIN),
        (v2(ORIGIN), ORIGIN),
        (v2("2001:db8::7"), "2001:db8::7"),
        (v2(f"::ffff:{ORIGIN}"), ORIGIN),
        (v2(ORIGIN, extra=b"\x04\x00\x03abc"), ORIGIN),
    ],
)
def test_it_takes_the_clients_address_from_a_proxy_header(header: bytes, ip: str) -> None:
    with OpenDoor(PROXIED) as door, door.talk(greeting=False) as talk:
        talk.send(header)
        assert talk.reply().startswith("220 ")
        talk.start_mail()
        assert talk.data().startswith("250")
        [envelope] = door.receiver.envelopes
        assert envelope.peer == ip
        assert (
            envelope.origin.ip,
            envelope.origin.how,
            envelope.origin.role,
            envelope.origin.allowlisted,
        ) == (
            ip,
            "proxy",
            "origin",
            True,
        )


def test_it_takes_header_and_commands_in_one_piece_or_byte_by_byte() -> None:
    for size in (1, 1000):
        with OpenDoor(PROXIED) as door, door.talk(greeting=False) as talk:
            said = v2(ORIGIN) + b"EHLO x.example\r\n"
            for start in range(0, len(said), size):
                talk.send(said[start : start + size])
                time.sleep(0.001)
            assert talk.reply().startswith("220 ")
            assert talk.reply().startswith("250-")


def test_it_gives_a_proxied_stranger_no_role() -> None:
    with OpenDoor(PROXIED) as door, door.talk(greeting=False) as talk:
        talk.send(v1("203.0.113.9"))
        talk.reply()
        talk.ask("EHLO x.example")
        talk.ask("MAIL FROM:<>")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("550 5.7.1")
        assert door.receiver.admitted[0][0].ip == "203.0.113.9"


@pytest.mark.parametrize(
    "said",
    [
        b"EHLO client.example\r\n",
        b"PROXY TCP4 nonsense 127.0.0.1 1 25\r\n",
        b"PROXY TCP4 66.220.144.130\r\n",
        b"PROXY TCP4 66.220.144.130 127.0.0.1 1 25" + b" " * 120 + b"\r\n",
        b"PROXY UDP4 66.220.144.130 127.0.0.1 1 25\r\n",
        b"PROXY TCP6 66.220.144.130 127.0.0.1 1 25\r\n",
        b"PROXY TCP4 66.220.144.130 127.0.0.1 1 25 x\r\n",
        b"PROXY TCP4 66.220.144.130 127.0.0.1 99999 25\r\n",
        SIGNATURE + b"\x31\x11\x00\x0c" + b"x" * 12,
        v2(ORIGIN, command=7),
        SIGNATURE + b"\x21\x11\x00\x04abcd",
        b"PROXY " + b"x" * 300_000 + b"\r\n",
    ],
)
def test_it_refuses_a_listed_proxy_without_a_good_header(said: bytes) -> None:
    with OpenDoor(PROXIED) as door, door.talk(greeting=False) as talk:
        talk.send(said)
        assert talk.reply().startswith("554 5.7.1")
        assert talk.closed()
        assert eventually_refused(door)


def close(sock: socket.socket) -> None:
    sock.close()


def half_close(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(100):
        pass


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def after(said: bytes, ends: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    def probe(sock: socket.socket) -> None:
        sock.sendall(said)
        sock.recv(100)
        ends(sock)

    return probe


def settled(door: OpenDoor) -> bool:
    """Whether the connections so far were taken and ended, by the word of one that comes after them."""
    with door.talk(greeting=False) as talk:
        if door.configuration.current.allowlist.role("127.0.0.1")[0] == "proxy":
            talk.send(v1(ORIGIN))
        assert talk.reply().startswith("220 ")
        assert talk.ask("QUIT").startswith("221")
    ends = time.monotonic() + 5
    while door.listener.connections and time.monotonic() < ends:
        time.sleep(0.01)
    door.run(asyncio.sleep(0.05))
    return door.listener.connections == 0


@pytest.mark.parametrize("lists", [PROXIED, XCLIENT, DIRECT], ids=["proxy", "xclient", "plain"])
@pytest.mark.parametrize("probe", [close, half_close, reset])
def test_a_connection_that_ends_before_a_byte_turned_no_mail_away(
    lists: str, probe: Callable[[socket.socket], None], caplog: pytest.LogCaptureFixture
) -> None:
    with OpenDoor(lists) as door:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", door.port), timeout=5) as sock:
                if lists != PROXIED:
                    assert sock.recv(100).startswith(b"220 ")
                probe(sock)
        assert settled(door)
    assert door.receiver.turned == []
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


@pytest.mark.parametrize(
    ("lists", "probe"),
    [
        (DIRECT, after(b"QUIT\r\n", close)),
        (DIRECT, after(b"EHLO check.example\r\nQUIT\r\n", close)),
        (DIRECT, after(b"NOOP\r\n", reset)),
        (XCLIENT, after(b"QUIT\r\n", half_close)),
        (PROXIED, after(b"PROXY UNKNOWN\r\n", close)),
        (PROXIED, after(SIGNATURE + b"\x20\x00\x00\x00", reset)),
        (PROXIED, after(v1(ORIGIN), close)),
    ],
)
def test_a_health_check_that_speaks_is_none_either(
    lists: str, probe: Callable[[socket.socket], None], caplog: pytest.LogCaptureFixture
) -> None:
    with OpenDoor(lists) as door:
        with socket.create_connection(("127.0.0.1", door.port), timeout=5) as sock, suppress(OSError):
            probe(sock)
        assert settled(door)
    assert door.receiver.turned == []
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


@pytest.mark.parametrize("said", [b"\r", b"PROX", b"PROXY TCP4 ", SIGNATURE, v2(ORIGIN)[:-1], b"EHLO x"])
def test_a_listed_proxy_that_breaks_off_within_its_header_is_refused(said: bytes) -> None:
    with OpenDoor(PROXIED) as door:
        with socket.create_connection(("127.0.0.1", door.port), timeout=5) as sock:
            sock.sendall(said)
        assert eventually_refused(door)
        assert settled(door)


def test_it_refuses_a_listed_proxy_that_says_nothing() -> None:
    with OpenDoor(PROXIED, Limits(proxy_seconds=0.2)) as door, door.talk(greeting=False) as talk:
        assert talk.reply().startswith("554 5.7.1")
        assert talk.closed()
        assert eventually_refused(door)


@pytest.mark.parametrize(
    "header",
    [
        v2("192.0.2.1", command=0),
        SIGNATURE + b"\x20\x00\x00\x00",
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN 1 2 3 4\r\n",
        v2(ORIGIN, protocol=2),
        SIGNATURE + b"\x21\x31" + struct.pack("!H", 216) + b"/" * 216,
        v1("127.0.0.1"),
    ],
)
def test_it_gives_no_rcpt_to_a_proxy_that_speaks_for_itself(header: bytes) -> None:
    with OpenDoor(PROXIED) as door, door.talk(greeting=False) as talk:
        talk.send(header)
        assert talk.reply().startswith("220 ")
        assert talk.ask("EHLO check.example").startswith("250-")
        assert talk.ask("MAIL FROM:<>").startswith("250")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("550 5.7.1")
        assert talk.ask("QUIT").startswith("221")
        assert door.receiver.admitted == []
        assert eventually_refused(door)


def test_it_believes_no_proxy_header_of_a_peer_that_is_not_listed() -> None:
    with OpenDoor(DIRECT) as door, door.talk() as talk:
        talk.send(v1(ORIGIN))
        assert talk.reply().startswith("500 5.5.2")
        talk.start_mail()
        talk.data()
        assert door.receiver.envelopes[0].peer == "127.0.0.1"


def test_it_counts_connections_by_the_proxied_address() -> None:
    with (
        OpenDoor(PROXIED, Limits(connections_per_known_peer=1)) as door,
        door.talk(greeting=False) as first,
    ):
        first.send(v1(ORIGIN))
        assert first.reply().startswith("220")
        with door.talk(greeting=False) as second:
            second.send(v1(ORIGIN))
            assert second.reply().startswith("421 4.7.0 Too many connections of this host")
        with door.talk(greeting=False) as third:
            third.send(v1("66.220.144.131"))
            assert third.reply().startswith("220")


def xclient(talk: Talk, arguments: str) -> str:
    talk.ask("EHLO edge.example")
    return talk.ask(f"XCLIENT {arguments}")


def test_it_offers_xclient_to_allowed_peers_only() -> None:
    for lists, offered in ((XCLIENT, True), (DIRECT, False)):
        with OpenDoor(lists) as door, door.talk() as talk:
            assert ("XCLIENT NAME ADDR PORT PROTO HELO" in talk.ask("EHLO x.example")) == offered


@pytest.mark.parametrize(
    ("arguments", "ip", "role"),
    [
        (f"NAME=x.example ADDR={ORIGIN} PORT=4711 PROTO=ESMTP HELO=mx-out.facebook.com", ORIGIN, "origin"),
        ("addr=IPV6:2001:db8::7 name=[UNAVAILABLE]", "2001:db8::7", "origin"),
        (f"ADDR=IPV6:::ffff:{ORIGIN}", ORIGIN, "origin"),
        ("ADDR=203.0.113.9 NAME=[TEMPUNAVAIL]", "203.0.113.9", "none"),
        ("ADDR=66.220.144.13+30", ORIGIN, "origin"),
    ],
)  # fmt: skip
def test_it_takes_the_clients_address_from_xclient(arguments: str, ip: str, role: str) -> None:
    with OpenDoor(XCLIENT) as door, door.talk() as talk:
        assert xclient(talk, arguments) == "220 mx.shop.example ESMTP relaydesk"
        talk.ask("EHLO client.example")
        talk.ask("MAIL FROM:<a@b.example>")
        talk.ask("RCPT TO:<help@shop.example>")
        [(origin, helo, *_)] = door.receiver.admitted
        assert (origin.ip, origin.role, origin.how) == (ip, role, "xclient")
        assert helo == ("mx-out.facebook.com" if "HELO=" in arguments else "client.example")


def test_it_starts_afresh_after_xclient_and_takes_another_client_next() -> None:
    with OpenDoor(XCLIENT) as door, door.talk() as talk:
        assert xclient(talk, f"ADDR={ORIGIN} HELO=first.example").startswith("220")
        assert talk.ask("MAIL FROM:<>").startswith("503")
        talk.start_mail()
        assert talk.ask(f"XCLIENT ADDR={ORIGIN}").startswith("503 5.5.1")
        assert talk.data(MAIL).startswith("250")
        assert xclient(talk, "ADDR=203.0.113.9 HELO=[UNAVAILABLE]").startswith("220")
        talk.ask("EHLO second.example")
        talk.ask("MAIL FROM:<>")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("550 5.7.1")
        assert [helo for _, helo, *_ in door.receiver.admitted] == ["first.example", "second.example"]


@pytest.mark.parametrize("arguments", ["NAME=[UNAVAILABLE]", "ADDR=[UNAVAILABLE]", "ADDR=127.0.0.1", ""])
def test_it_gives_no_rcpt_while_the_client_is_unknown(arguments: str) -> None:
    with OpenDoor(XCLIENT) as door, door.talk() as talk:
        if arguments:
            assert xclient(talk, arguments).startswith("220")
        talk.ask("EHLO x.example")
        talk.ask("MAIL FROM:<>")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("550 5.7.1 This proxy")
        assert door.receiver.admitted == []


@pytest.mark.parametrize(
    "arguments",
    [
        "", "ADDR", "ADDR=", "ADDR=nonsense", "ADDR=2001:db8::1", "ADDR=IPV6:1.2.3.4",
        "ADDR=1.2.3.4 ADDR=1.2.3.5",
        "LOGIN=x", "PORT=0", "PORT=70000", "PORT=x", "PROTO=LMTP", "HELO=a+0D+0A", "HELO=a+zz", "NAME=a=b",
        "HELO=<a>",
    ],
)  # fmt: skip
def test_it_refuses_a_malformed_xclient(arguments: str) -> None:
    with OpenDoor(XCLIENT) as door, door.talk() as talk:
        assert xclient(talk, arguments).startswith("501 5.5.4")
        assert talk.ask("NOOP").startswith("250")


def test_it_takes_a_proxy_header_from_an_xclient_peer_too() -> None:
    for header in (v1(ORIGIN), v2(ORIGIN)):
        with OpenDoor(XCLIENT) as door, door.talk() as talk:
            talk.send(header)
            talk.start_mail()
            talk.data()
            assert (door.receiver.envelopes[0].peer, door.receiver.envelopes[0].origin.how) == (
                ORIGIN,
                "proxy",
            )


def test_it_serves_an_ipv6_proxy() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with OpenDoor(PROXIED, host="::1") as door, door.talk(greeting=False) as talk:
        talk.send(v2("2001:db8::9"))
        assert talk.reply().startswith("220")
        talk.start_mail()
        talk.data()
        assert door.receiver.envelopes[0].origin.ip == "2001:db8::9"
