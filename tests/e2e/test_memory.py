"""What many big mails at once take of the memory, over all processes of a serve."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

from relaydesk_testkit.big_mails import LONG, big_mails
from relaydesk_testkit.buyers import Mail, mail
from relaydesk_testkit.memory import PeakMemory, family, proportional

if TYPE_CHECKING:
    from pathlib import Path

    from relaydesk_testkit.smtp import Talk
    from tests.e2e.conftest import Start

SIZE, COUNT = 6_000_000, 10
LIMITS = {"message_bytes": 7_000_000, "bytes_in_flight": 21_000_000}


def push(talk: Talk, raw: bytes) -> int:
    """Sends as much as the server takes before it lets us wait; how much that was."""
    talk.sock.settimeout(1.0)
    sent = 0
    while sent < len(raw):
        try:
            sent += talk.sock.send(raw[sent : sent + 65_536])
        except TimeoutError:
            break
    return sent


def finish(talk: Talk, rest: bytes) -> str:
    talk.sock.settimeout(LONG)
    talk.send(rest + b".\r\n")
    return talk.reply()


def test_it_bounds_the_memory_of_many_big_mails_at_once(
    start_serving: Start, sqlite_url: str, tmp_path: Path
) -> None:
    first, *raws = (path.read_bytes() for path in big_mails(tmp_path, COUNT + 1, SIZE))
    with ExitStack() as stack:
        serving = stack.enter_context(start_serving(sqlite_url, doors=1, limits=LIMITS))
        # The processes that read big mail are there, and the office has read this one for the index.
        assert serving.deliver(Mail(9_000, first)).startswith("250")
        time.sleep(1.0)
        before = proportional(family(serving.pid))
        talks = [stack.enter_context(serving.talk()) for _ in raws]
        for talk in talks:
            talk.start_mail()
            assert talk.ask("DATA").startswith("354")
        clients = stack.enter_context(ThreadPoolExecutor(COUNT))
        sent = list(clients.map(push, talks, raws))
        half_received = proportional(family(serving.pid))
        assert half_received - before < LIMITS["bytes_in_flight"] + COUNT * 600_000
        small = serving.deliver(mail(9_001))
        with PeakMemory(serving) as memory:
            rests = [raw[done:] for raw, done in zip(raws, sent, strict=True)]
            replies = list(clients.map(finish, talks, rests))
        assert [reply[:3] for reply in (small, *replies)] == ["250"] * (COUNT + 1)
        # Each in flight at three times its size, one that the office reads for the index, and a little.
        assert memory.bytes - before < 3 * (LIMITS["bytes_in_flight"] + 2 * SIZE)
