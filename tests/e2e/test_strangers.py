"""A stranger's heavy mail at the real serve: another process reads it, good mail goes on, nothing is left."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk_testkit.buyers import MAILBOX, ZONE, mail
from relaydesk_testkit.serving import Serving, eventually, gone
from relaydesk_testkit.zones import dns_server

if TYPE_CHECKING:
    from relaydesk_testkit.buyers import Mail

RELAY = "relays: [127.0.0.0/8]\nsenders: [support.facebook.com]\n"
HEAVY = (
    b"From: a@stranger.example\r\nSubject: %d\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
    + b"<blockquote><font color=#fff><table><tr><td>x<p>\r\n" * 40_000
)


def send(port: int, raw: bytes, mail_from: str) -> int:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo("client.example")
        client.mail(mail_from)
        client.rcpt(MAILBOX)
        return client.data(raw)[0]


def readers(parent: int) -> list[int]:
    """The processes that read for a listener process."""
    pids = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            is_reader = b"process_pool.worker" in (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if above == parent and is_reader:
            pids.append(int(entry.name))
    return pids


def test_heavy_mail_is_kept_unread_while_good_mail_goes_on(tmp_path: Path) -> None:
    with (
        dns_server(ZONE) as names,
        Serving(
            tmp_path / "serve",
            f"sqlite:///{tmp_path / 'mail.db'}",
            names.address,
            doors=1,
            lists=RELAY,
            roles=("door",),
            limits={"reading_seconds": 0.2},
        ) as serving,
    ):
        (door,) = serving.children("door")
        assert readers(door) == []  # none before it is needed
        replies: list[int] = []

        def attack(number: int) -> None:
            replies.append(send(serving.port, HEAVY % number, "a@stranger.example"))

        attacks = [threading.Thread(target=attack, args=(number,)) for number in range(4)]
        for thread in attacks:
            thread.start()
        good: list[Mail] = [mail(number, size=20_000 * (number % 2)) for number in range(6)]
        assert {send(serving.port, sent.raw, sent.mail_from) for sent in good} == {250}
        for thread in attacks:
            thread.join(60)
        assert replies == [250] * 4  # not refused for being heavy, and not lost
        log = serving.log_file.read_text()
        lines = [line for line in log.splitlines() if line.startswith("{")]
        unread = [line for line in map(json.loads, lines) if line["event"] == "content_unread"]
        assert unread  # the first that a process reads has time for the rules
        assert all(line["size"] > 100_000 for line in unread)
        assert "unexpected_error" not in log
        reading = readers(door)
        assert 1 <= len(reading) <= 2
        os.kill(door, signal.SIGKILL)  # however a listener process ends, its readers do
        eventually(lambda: all(map(gone, reading)), "the end of the readers")
