"""The real ``relaydesk serve`` in a directory of its own: started, spoken to, signalled and killed."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeVar

from relaydesk_testkit.buyers import MAILBOX, Mail
from relaydesk_testkit.smtp import DIRECT, Talk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SOURCE = Path(__file__).parents[2] / "src"
PATIENCE = 60.0  # seconds; generous, for a machine that is busy with other things
STORED = "250 2.0.0 "
T = TypeVar("T")
Role = Literal["door", "office"]


def eventually(condition: Callable[[], T], what: str = "it", patience: float = PATIENCE) -> T:
    """The first true value of ``condition``; AssertionError when there is none in ``patience`` seconds."""
    until = time.monotonic() + patience
    while not (result := condition()):
        assert time.monotonic() < until, f"{what} did not happen in {patience:.0f} s"
        time.sleep(0.02)
    return result


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


class Serving:
    """One ``relaydesk serve``; all it writes goes to ``directory/log``. ``settings`` are JSON values.

    ``doors`` is the number of listener processes. ``lists`` is the text of its allowlist: loopback is a
    listed network unless a test says otherwise. ``descriptors`` is how many it may open (RLIMIT_NOFILE);
    ``log`` takes what it writes instead of the file.
    """

    def __init__(
        self,
        directory: Path,
        database: str,
        nameserver: str,
        *,
        doors: int = 1,
        lists: str = DIRECT,
        roles: Sequence[Role] = ("door", "office"),
        descriptors: int | None = None,
        log: BinaryIO | int | None = None,
        **settings: object,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.database, self.roles = directory, database, roles
        self.descriptors, self.log = descriptors, log
        self.allowlist, self.log_file = directory / "allowlist.yaml", directory / "log"
        self.allowlist.write_text(with_instagram(lists))
        self.settings: dict[str, object] = {
            "database": database,
            "mailboxes": [MAILBOX],
            "hostname": "mx.shop.example",
            "nameservers": [nameserver],
            "allowlist": str(self.allowlist),
            "processes": doors,
            "sweep_seconds": 0.5,
            "log_format": "json",
            **settings,
        }
        self.port = self.gateway_port = 0
        self.web = ""  # the address of its pages, where `web` is set
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Serving:
        return self if self.process is not None else self.start()

    def __exit__(self, *_: object) -> None:
        self.kill_all()

    def start(self, prefix: Sequence[str] = ()) -> Serving:
        """Starts it, at the same port as before, and returns when it says that it is ready.

        ``prefix`` is a command that runs it.
        """
        options = [word for role in self.roles for word in ("--role", role)]
        bounded = ["prlimit", f"--nofile={self.descriptors}"] if self.descriptors else []
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, *bounded, sys.executable, "-m", "relaydesk", "serve", *options],
                stdout=subprocess.PIPE,
                stderr=log if self.log is None else self.log,
                text=True,
                env=self.environment(),
                cwd=self.directory,
            )
        try:
            announcement = self._announcement()
        except BaseException:
            self.kill_all()
            raise
        announcement, _, self.web = announcement.partition("; the desk on ")
        if "door" in self.roles:
            smtp, _, gateway = announcement.partition("; the gateway on ")
            self.port = int(smtp.rpartition(":")[2])
            self.gateway_port = int(gateway.rpartition(":")[2] or 0)
        return self

    def environment(self) -> dict[str, str]:
        """The environment of its processes: our settings and nobody else's."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RELAYDESK_")}
        for name, value in {**self.settings, "listen": [f"127.0.0.1:{self.port}"]}.items():
            environment[f"RELAYDESK_{name.upper()}"] = value if isinstance(value, str) else json.dumps(value)
        environment["PYTHONPATH"] = str(SOURCE)
        return environment

    def command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a command of relaydesk on the same database and settings."""
        return subprocess.run(
            [sys.executable, "-m", "relaydesk", *words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=self.environment(),
            cwd=self.directory,
        )

    def _announcement(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        assert line.startswith("relaydesk listens on "), (line, self.log_file.read_text()[-2000:])
        return line.strip()

    # --- its processes

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def children(self, role: Role) -> list[int]:
        """The pids of the children of one role that are there now, oldest first."""
        pids = []
        for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.pid and f"run-{role}".encode() in (entry / "cmdline").read_bytes():
                    pids.append(int(entry.name))
        return pids

    def everyone(self) -> list[int]:
        return [self.pid, *self.children("door"), *self.children("office")]

    def kill_all(self) -> None:
        """kill -9, the parent first so that it starts nobody again."""
        if self.process is None:
            return
        pids = self.everyone() if self.process.poll() is None else []
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        for pid in pids:
            eventually(lambda pid=pid: gone(pid), f"the end of process {pid}")  # type: ignore[misc]
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def end(self, number: int = signal.SIGTERM) -> int:
        """Asks it to stop; its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return status

    # --- what it logged

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines of one event so far."""
        records = []
        for line in self.log_file.read_text().splitlines():
            if f'"{event}"' in line:
                with contextlib.suppress(json.JSONDecodeError):
                    records.append(json.loads(line))
        return [line for line in records if line.get("event") == event]

    # --- mail

    @contextlib.contextmanager
    def talk(self) -> Iterator[Talk]:
        """A connection of which the greeting has been read."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else a lone dot waits 40 ms
            talk = Talk(sock)
            greeting = talk.reply()
            if not greeting.startswith("220 "):
                raise ConnectionError(f"no greeting but {greeting!r}")
            yield talk

    def deliver(self, mail: Mail) -> str:
        """Sends one mail over a connection of its own; the last reply, or the first that was no success."""
        with self.talk() as talk:
            return send(talk, mail)


def send(talk: Talk, mail: Mail) -> str:
    """One mail; EHLO is said every time. "" when the connection ended without a reply."""
    for command in ("EHLO mx-out.facebook.com", f"MAIL FROM:<{mail.mail_from}>", f"RCPT TO:<{mail.rcpt}>"):
        reply = talk.ask(command)
        if not reply.startswith("250"):
            return reply
    reply = talk.ask("DATA")
    if not reply.startswith("354"):
        return reply
    talk.send(mail.raw + b".\r\n")  # none of its lines begins with a dot
    return talk.reply()


def with_instagram(lists: str) -> str:
    """An allowlist that also knows the sender of the buyers' mail."""
    return lists.replace("senders: [", "senders: [support.instagram.com, ")
