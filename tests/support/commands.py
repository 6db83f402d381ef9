"""Commands as people call them: in this process, on a terminal of a given width, or in one of its own."""

from __future__ import annotations

import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import chdir, suppress
from dataclasses import replace
from fcntl import ioctl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner, Result
from rich.cells import cell_len

from relaydesk.cli import cli
from relaydesk.store import messages
from relaydesk_testkit.arriving import ALICE, AUTH, NOON, decision, envelope, parsed_message, planned

if TYPE_CHECKING:
    from datetime import datetime

    import pytest

    from relaydesk.policy.decision import Placement
    from relaydesk.store.engine import Store
    from relaydesk_testkit.serving import Serving

SGR = re.compile("\x1b\\[[0-9;]*m")
SETTINGS = "mailboxes: [help@shop.example]\nhostname: mx.shop.example\n"
_UPGRADED: list[bytes] = []  # the first shop's empty database, from which the others have theirs


def make_shop(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop's folder with settings and a store, and the commands run in it."""
    monkeypatch.chdir(directory)
    Path("relaydesk.yaml").write_text(SETTINGS)
    if not _UPGRADED:
        assert run("db", "upgrade").exit_code == 0
        _UPGRADED.append(Path("relaydesk.db").read_bytes())
    Path("relaydesk.db").write_bytes(_UPGRADED[0])
    Path("relaydesk.db").chmod(0o600)
    return directory


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), input=stdin, catch_exceptions=False)


def run_for(serving: Serving, *arguments: str) -> Result:
    """A command on the database and settings of a running serve, typed in this process."""
    with chdir(serving.directory):
        return CliRunner(env=serving.environment()).invoke(cli, list(arguments), catch_exceptions=False)


def data(*arguments: str, code: int = 0) -> Any:
    found = run(*arguments, "--json")
    assert found.exit_code == code, found.output
    return json.loads(found.stdout)


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, *arguments: str) -> list[str]:
    """The lines of a command for a terminal of so many columns, with their colours."""
    with monkeypatch.context() as patch:
        patch.setattr("relaydesk.cli.output.is_terminal", lambda **_: True)
        patch.setattr("relaydesk.cli.queues.is_terminal", lambda **_: True)
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("TERM", "xterm")
        patch.setenv("FORCE_COLOR", "1")  # what makes rich take the output for a terminal's
        patch.delenv("NO_COLOR", raising=False)
        return run(*arguments).output.splitlines()


def on_pty(columns: int, *arguments: str, **environment: str) -> str:
    """All that a command of its own process writes to a real terminal of so many columns."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "relaydesk", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=inherited | {"TERM": "xterm"} | environment,
    )
    os.close(theirs)
    written = b""
    with suppress(OSError):  # the other end is closed
        while piece := os.read(ours, 65_536):
            written += piece
    os.close(ours)
    assert process.wait(30) == 0, written
    return written.decode().replace("\r\n", "\n")


def plain(line: str) -> str:
    """A line without its colours."""
    return SGR.sub("", line)


def cells(line: str) -> int:
    """How many cells of a terminal a line takes."""
    return cell_len(plain(line))


def deliver(
    store: Store,
    body: bytes,
    placement: Placement,
    *,
    subject: str = "Hello",
    at: datetime = NOON,
    name: str = "",
    **facts: Any,
) -> tuple[int, int]:
    """Stores a message with these MIME fields and body; its ticket's number and its own.

    ``name`` is that of the sender as the form gave it; ``facts`` are of :func:`decision`.
    """
    raw = f"From: Alice <{ALICE}>\r\nSubject: {subject}\r\n".encode() + body
    facts.setdefault("clocks", (planned(start=at),) if placement.action == "open" else ())
    decided = decision(placement, **facts)
    if name:
        decided = replace(decided, findings=replace(decided.findings, username=name))
    with store.transaction() as session:
        recorded = messages.record(
            session,
            replace(envelope(at=at), raw=raw),
            parsed_message(subject),
            AUTH,
            decided,
            trace="Received: by us",
            now=at,
        )
    assert recorded.ticket_id is not None
    return recorded.ticket_id, recorded.message_id
