"""Mails so big, and so many at once, that memory is what they contend for."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from relaydesk_testkit.buyers import BOUNCES, MAILBOX, mail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from relaydesk_testkit.serving import Serving

LONG = 300.0  # seconds


def big_mails(directory: Path, count: int, size: int, *, first: int = 1) -> list[Path]:
    """``count`` signed mails of about ``size`` bytes each, in files: the client need not hold them."""
    photo = random.Random(first).randbytes(size * 3 * 76 // (4 * 78))
    paths = []
    for number in range(first, first + count):
        path = directory / f"big-{number}"
        path.write_bytes(mail(number, photo=photo).raw)
        paths.append(path)
    return paths


def deliver_file(serving: Serving, path: Path, *, size: int | None = None) -> str:
    """Sends the mail in a file over a connection of its own; the last reply. ``size`` is said with MAIL."""
    declared = f" SIZE={size}" if size is not None else ""
    with serving.talk() as talk, path.open("rb") as content:
        talk.sock.settimeout(LONG)  # it waits for its turn while others send
        for command in (
            "EHLO mx-out.facebook.com",
            f"MAIL FROM:<{BOUNCES}>{declared}",
            f"RCPT TO:<{MAILBOX}>",
        ):
            reply = talk.ask(command)
            if not reply.startswith("250"):
                return reply
        reply = talk.ask("DATA")
        if not reply.startswith("354"):
            return reply
        talk.sock.sendfile(content)
        talk.send(b".\r\n")
        return talk.reply()


def deliver_at_once(serving: Serving, paths: Sequence[Path]) -> list[str]:
    """The replies to all these mails, each sent over a connection of its own at the same time."""
    with ThreadPoolExecutor(len(paths)) as clients:
        return list(clients.map(lambda path: deliver_file(serving, path), paths))
