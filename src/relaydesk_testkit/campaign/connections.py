"""Attacks by many connections, slow ones, and ones that never say what they should."""

from __future__ import annotations

import contextlib
import resource
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk_testkit.campaign.target import LISTED, LISTED_TOO, RELAY, lenient, stranger
from relaydesk_testkit.serving import STORED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk_testkit.campaign.attack import Outcome
    from relaydesk_testkit.campaign.target import Target

IDLE = 1000
HOSTS = 20


@contextlib.contextmanager
def crowd(target: Target, number: int, hosts: int, *, gateway: bool = False) -> Iterator[list[socket.socket]]:
    """So many connections of strangers; those that were not let in are not among them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * number + 500)), hard))
    sockets: list[socket.socket] = []
    try:
        for place in range(number):
            with contextlib.suppress(OSError):
                sockets.append(target.connect(stranger(place % hosts), gateway=gateway, patience=5))
        yield sockets
    finally:
        for sock in sockets:
            sock.close()


def idle(target: Target, outcome: Outcome) -> None:
    """1,000 strangers who say nothing; listed hosts come in all the same."""
    with crowd(target, IDLE, HOSTS) as sockets:
        outcome.note(f"{len(sockets)} strangers connected")
        until = time.monotonic() + target.seconds
        while time.monotonic() < until:
            for source in (LISTED, LISTED_TOO, RELAY):
                with target.connect(source) as sock:
                    greeting = sock.recv(200)
                outcome.count(greeting.startswith(b"220"), f"{source} was greeted with {greeting!r}")
            time.sleep(0.2)
        reply = target.good(LISTED_TOO)
        outcome.count(reply.startswith(STORED), f"good mail of another listed host: {reply!r}")


def returning(target: Target, outcome: Outcome) -> None:
    """Strangers who come back at once whenever they are sent away."""
    ended = threading.Event()
    tries = [0] * 40

    def knock(place: int) -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError), target.connect(stranger(place), patience=5) as sock:
                tries[place] += 1
                sock.recv(200)
                ended.wait(0.05)

    threads = [threading.Thread(target=knock, args=(place,)) for place in range(len(tries))]
    for thread in threads:
        thread.start()
    ended.wait(target.seconds)
    ended.set()
    for thread in threads:
        thread.join()
    outcome.count(sum(tries) > len(tries), "the strangers could not even connect")
    outcome.note(f"{sum(tries) / target.seconds:.0f} connections a second")


def slow(target: Target, outcome: Outcome) -> None:
    """Clients that send a byte now and then: commands of strangers, content of a listed host."""
    with contextlib.ExitStack() as stack:
        trickling = []
        for _ in range(40):
            sock = stack.enter_context(target.connect(LISTED_TOO))
            with contextlib.suppress(OSError):
                sock.recv(400)
                sock.sendall(
                    b"EHLO x.example\r\nMAIL FROM:<a@support.facebook.com>\r\n"
                    b"RCPT TO:<help@shop.example>\r\nDATA\r\n"
                )
                trickling.append(sock)
        strangers = stack.enter_context(crowd(target, 200, HOSTS))
        until = time.monotonic() + target.seconds
        sent = 0
        while time.monotonic() < until:
            for sock in [*trickling, *strangers]:
                with contextlib.suppress(OSError):
                    sock.settimeout(0.01)
                    sent += sock.send(b"a")
            time.sleep(0.1)
        outcome.note(f"{len(trickling) + len(strangers)} slow clients, {sent} bytes")
        reply = target.good(RELAY)
        outcome.count(reply.startswith(STORED), f"good mail of a relay: {reply!r}")


def no_handshake(target: Target, outcome: Outcome) -> None:
    """Connections to an implicit TLS port that never begin TLS; the desk and mail come in all the same."""
    password = target.password()
    with crowd(target, 2_538, 1, gateway=True) as sockets:
        outcome.note(f"{len(sockets)} connected and said nothing")
        open_now = sum(map(_is_open, sockets))
        outcome.note(f"{open_now} of them are held")
        outcome.count(open_now <= 600, f"{open_now} silent connections are held")
        reply = target.good()
        outcome.count(reply.startswith(STORED), f"good mail: {reply!r}")
        with target.desk(password, implicit=True) as talk:
            reply = talk.ask("NOOP")
            outcome.count(reply.startswith("250"), f"the desk: {reply!r}")


def _is_open(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return sock.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def no_tls(target: Target, outcome: Outcome) -> None:
    """What is no TLS at all, where TLS is to begin; nothing of it may leave a trace in the log."""
    first = (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"EHLO x.example\r\n",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x00\x00\x2f" + bytes(47),
        b"\x80\x2e\x01\x00\x02",
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\x16\x03\x01\xff\xff" + b"\xff" * 300,
        b"",
        bytes(4096),
    )
    for implicit in (False, True):
        for words in first:
            for reset in (False, True):
                _no_tls(target, words, implicit=implicit, reset=reset)
                outcome.count(True, "")
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = lenient()
        with contextlib.suppress(OSError, ValueError, ssl.SSLError):
            context.minimum_version = context.maximum_version = version
            context.wrap_socket(target.connect(gateway=True)).close()
        outcome.count(True, "")
    lines = len(target.serving.log_file.read_bytes().splitlines())
    outcome.note(f"{lines} log lines")
    outcome.count(lines < 200, f"{lines} log lines")


def _no_tls(target: Target, words: bytes, *, implicit: bool, reset: bool) -> None:
    with contextlib.suppress(OSError), target.connect(gateway=implicit) as sock:
        sock.settimeout(2)
        if not implicit:
            sock.recv(400)
            sock.sendall(b"EHLO x.example\r\n")
            sock.recv(800)
            sock.sendall(b"STARTTLS\r\n")
            sock.recv(400)
        sock.sendall(words)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        else:
            sock.shutdown(socket.SHUT_WR)
            sock.recv(400)


def descriptors(target: Target, outcome: Outcome) -> None:
    """More connections than the process may open descriptors."""
    size = target.serving.log_file.stat().st_size
    busy = _processor_seconds(target)
    started = time.monotonic()
    with crowd(target, 700, 100), contextlib.ExitStack() as stack:
        for _ in range(100):
            with contextlib.suppress(OSError):
                stack.enter_context(target.connect(gateway=True, patience=2))
        until = time.monotonic() + target.seconds
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                reply = target.good(LISTED_TOO)
                outcome.count(reply.startswith(STORED), f"good mail of a listed host: {reply!r}")
            time.sleep(0.5)
    written = target.serving.log_file.stat().st_size - size
    share = (_processor_seconds(target) - busy) / (time.monotonic() - started)
    outcome.note(f"log grew by {written / 1000:.0f} KB; {share:.2f} processors busy")
    outcome.count(written < 1_000_000, f"the log grew by {written} bytes")


def _processor_seconds(target: Target) -> float:
    total = 0.0
    for pid in target.serving.everyone():
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / 100
    return total
