"""The supervisor with real processes, sockets and signals."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relaydesk.config.listen import ListenAddress
from relaydesk.server.listening import ListenError, bind
from relaydesk.server.supervisor import SupervisorTiming

SUPPORT = Path(__file__).parents[1] / "support"
SOURCE = Path(__file__).parents[2] / "src"
PATIENCE = 20.0
HAS_IPV6 = socket.has_ipv6 and Path("/proc/net/if_inet6").exists() and Path("/proc/net/if_inet6").read_text()


class Serve:
    """A running fake ``serve``: its process, its addresses, and the log it wrote."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None, **options) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SUPPORT / "fake_serve.py"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE), **(env or {})},
            start_new_session=True,
            **options,
        )
        self.addresses: list[ListenAddress] = []

    def wait_ready(self) -> Serve:
        line = self.process.stdout.readline()
        assert line.startswith("relaydesk listens on "), (line, self.process.stderr.read())
        self.addresses = [
            ListenAddress.parse(one) for one in line.removeprefix("relaydesk listens on ").split(",")
        ]
        return self

    def ask(self, which: int = 0) -> list[str]:
        """One connection: name, pid, reloads of the child that took it."""
        with self.connect(which) as connection:
            return connection.makefile().readline().split()

    def connect(self, which: int = 0) -> socket.socket:
        address = self.addresses[which]
        return socket.create_connection((address.host, address.port), timeout=PATIENCE)

    def pids(self, wanted: int) -> dict[str, int]:
        """The children's pids by name, once so many have answered."""
        found: dict[str, int] = {}
        eventually(lambda: found.update({(a := self.ask())[0]: int(a[1])}) or len(found) == wanted)
        return found

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


def eventually(condition, patience: float = PATIENCE):
    until = time.monotonic() + patience
    while not (result := condition()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)
    return result


def gone(pid: int) -> bool:
    try:
        # A zombie is gone too: it holds nothing.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def refused(serve: Serve) -> bool:
    with contextlib.suppress(OSError):
        serve.connect().close()
        return False
    return True


@pytest.fixture
def serve():
    running: list[Serve] = []

    def start(*arguments: str, **options) -> Serve:
        running.append(Serve(*arguments, **options))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
        with contextlib.suppress(ValueError):
            one.process.communicate(timeout=PATIENCE)


def test_it_shares_one_port_among_its_listeners(serve):
    one = serve("127.0.0.1:0", "serve", "serve", "office").wait_ready()
    assert one.addresses[0].port > 0
    assert set(one.pids(2)) == {"serve-1", "serve-2"}
    assert one.end()[0] == 0


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
def test_it_listens_on_ipv4_and_ipv6_with_the_port_it_was_given(serve):
    one = serve("127.0.0.1:0,[::1]:0", "serve").wait_ready()
    assert [address.host for address in one.addresses] == ["127.0.0.1", "::1"]
    assert one.ask(0)[0] == one.ask(1)[0] == "serve-1"


def test_it_restarts_a_killed_child_and_no_connection_is_refused_meanwhile(serve):
    one = serve("127.0.0.1:0", "serve").wait_ready()
    before = one.pids(1)["serve-1"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: gone(before))
    name, pid, _ = one.ask()  # waits in the socket's queue for the next child
    assert name == "serve-1"
    assert int(pid) != before
    status, errors = one.end()
    assert status == 0
    ended = [json.loads(line) for line in errors.splitlines() if '"child_ended"' in line]
    assert [(line["child"], line["how"]) for line in ended] == [("serve-1", "signal SIGKILL")]


def test_it_leaves_growing_pauses_between_crashes(serve):
    one = serve("127.0.0.1:0", "crash", "serve")
    lines = []
    while len(lines) < 3:
        if '"child_ended"' in (line := one.process.stderr.readline()):
            lines.append(json.loads(line))
    assert [line["restart_in"] for line in lines] == [0.1, 0.2, 0.4]


def test_it_never_pauses_longer_than_its_longest_pause():
    pace = SupervisorTiming(first_pause=0.2, longest_pause=30.0)
    assert [pace.pause(n) for n in (1, 2, 3, 9, 10_000)] == [0.2, 0.4, 0.8, 30.0, 30.0]


def test_it_does_not_start_at_all_when_a_child_refuses_to(serve):
    one = serve("127.0.0.1:0", "serve", "refuse")
    out, errors = one.process.communicate(timeout=PATIENCE)
    assert one.process.returncode == 3
    assert "a bad value" in errors
    assert '"child_cannot_start"' in errors
    assert "relaydesk listens" not in out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_drains_what_is_open_and_takes_nothing_new(serve, number):
    one = serve("127.0.0.1:0", "serve", "serve").wait_ready()
    with one.connect() as connection, connection.makefile() as lines:
        lines.readline()
        one.process.send_signal(number)
        assert lines.readline() == "bye\n"
        assert refused(one)
    one.process.communicate(timeout=PATIENCE)
    assert one.process.returncode == 0


def test_it_kills_after_the_grace_whoever_does_not_end(serve):
    one = serve("127.0.0.1:0", "stubborn", "serve", "--grace", "0.5").wait_ready()
    pids = one.pids(2)
    status, errors = one.end()
    assert status == 1
    assert '"child_killed"' in errors
    assert all(gone(pid) for pid in pids.values())


def test_it_kills_at_once_when_asked_twice(serve):
    one = serve("127.0.0.1:0", "stubborn", "--grace", "3600").wait_ready()
    pid = one.pids(1)["stubborn-1"]
    one.process.send_signal(signal.SIGINT)
    eventually(lambda: '"draining"' in one.process.stderr.readline())
    assert one.end(signal.SIGINT)[0] == 1
    assert gone(pid)


def test_it_keeps_ctrl_c_in_a_terminal_from_its_children(serve):
    one = serve("127.0.0.1:0", "serve").wait_ready()
    with one.connect() as connection, connection.makefile() as lines:
        lines.readline()
        os.killpg(one.process.pid, signal.SIGINT)  # what a terminal does: the whole foreground group
        assert lines.readline() == "bye\n"
    one.process.communicate(timeout=PATIENCE)
    assert one.process.returncode == 0


def test_it_hands_sighup_on(serve):
    one = serve("127.0.0.1:0", "serve", "office").wait_ready()
    before = one.ask()
    one.process.send_signal(signal.SIGHUP)
    eventually(lambda: one.ask()[2] == "1")
    assert one.ask()[:2] == before[:2]


def test_it_lets_no_orphan_live_or_hold_the_port(serve):
    one = serve("127.0.0.1:0", "serve", "stubborn").wait_ready()
    pids = one.pids(2)
    one.process.kill()
    again = serve(str(one.addresses[0]), "serve", "--timeout", "15").wait_ready()
    assert again.ask()[0] == "serve-1"
    eventually(lambda: all(gone(pid) for pid in pids.values()))


def test_it_refuses_a_port_that_another_holds(serve):
    one = serve("127.0.0.1:0", "serve").wait_ready()
    two = serve(str(one.addresses[0]), "serve", "--timeout", "0")
    _, errors = two.process.communicate(timeout=PATIENCE)
    assert two.process.returncode == 2
    assert errors == f"Cannot listen on {one.addresses[0]}: another program listens there; " + (
        "stop it or choose another address.\n"
    )


def test_it_tells_systemd_when_all_are_ready_and_when_it_stops(serve, tmp_path):
    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(place)
        manager.settimeout(PATIENCE)
        one = serve("127.0.0.1:0", "serve", env={"NOTIFY_SOCKET": place}).wait_ready()
        assert manager.recv(256).startswith(b"READY=1\n")
        one.end()
        assert manager.recv(256) == b"STOPPING=1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can bind a low port and change user")
def test_it_binds_a_low_port_and_gives_up_root(serve):
    port = next(p for p in range(1023, 512, -1) if not taken(p))
    nobody = pwd.getpwnam("nobody")
    one = serve(f"127.0.0.1:{port}", "shell", "--user", "nobody", extra_groups=[0, 1, 12])
    who = one.process.stdout.readline().split()
    assert who == [str(nobody.pw_uid), *[str(nobody.pw_gid)] * 2, nobody.pw_dir, "nobody"]
    one.wait_ready()
    assert one.addresses == [ListenAddress("127.0.0.1", port)]
    status = Path(f"/proc/{one.process.pid}/status").read_text()
    assert "Uid:" + f"\t{nobody.pw_uid}" * 4 in status
    assert one.end()[0] == 0


def test_it_does_not_start_at_all_when_a_child_cannot_be_run(serve):
    one = serve("127.0.0.1:0", "serve", "missing", "serve")
    _, errors = one.process.communicate(timeout=PATIENCE)
    assert one.process.returncode == 1
    assert '"event": "child_not_started"' in errors and "No such file or directory" in errors


def test_it_names_an_unknown_user(serve):
    one = serve("127.0.0.1:0", "serve", "--user", "nosuchuser")
    _, errors = one.process.communicate(timeout=PATIENCE)
    assert one.process.returncode == 2
    assert errors == "There is no user 'nosuchuser' on this machine: create it or change `user`.\n"


def taken(port: int) -> bool:
    try:
        bind([ListenAddress("127.0.0.1", port)], 1, timeout=0).close()
    except ListenError:
        return True
    return False


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:25", "127.0.0.1", 25), ("[::]:25", "::", 25), (" [fe80::1]:0 ", "fe80::1", 0)],
)
def test_it_reads_an_address(text, host, port):
    assert ListenAddress.parse(text) == ListenAddress(host, port)


@pytest.mark.parametrize(
    "text",
    ["", "25", ":25", "localhost:25", "::1:25", "[127.0.0.1]:25", "[::1]", "1.2.3.4:", "1.2.3.4:65536"],
)
def test_it_says_what_an_address_looks_like(text):
    with pytest.raises(ValueError, match=r"use address and port, such as 0\.0\.0\.0:25 or \[::\]:25"):
        ListenAddress.parse(text)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux spreads connections")
def test_it_gives_each_sibling_a_socket_of_its_own_on_each_address():
    bound = bind([ListenAddress("127.0.0.1", 0), ListenAddress("127.0.0.1", 0)], 3)
    try:
        ports = [[one.getsockname()[1] for one in sockets] for sockets in bound.sockets]
        assert ports == [[address.port for address in bound.addresses]] * 3
        assert len({one.fileno() for sockets in bound.sockets for one in sockets}) == 6
    finally:
        bound.close()


def test_it_closes_what_it_bound_when_a_later_address_fails():
    with socket.create_server(("127.0.0.1", 0)) as held:
        bad = ListenAddress("127.0.0.1", held.getsockname()[1])
        with pytest.raises(ListenError):
            bind([ListenAddress("127.0.0.1", 0), bad], 2, timeout=0)
