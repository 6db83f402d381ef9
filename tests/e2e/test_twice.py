"""The same mail to two processes at the same moment is stored once, on both engines."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from relaydesk_testkit.buyers import Mail, mail
from relaydesk_testkit.serving import PATIENCE, STORED, Serving
from relaydesk_testkit.soundness import copies, unsound

if TYPE_CHECKING:
    from tests.e2e.conftest import Start

BUYERS = 10


def test_it_stores_once_what_two_processes_get_at_once(start_serving: Start, store_url: str):
    # Two machines, as it were: each with one listener of its own, one store for both.
    with ThreadPoolExecutor(2) as clients:
        doors = list(clients.map(lambda _: start_serving(store_url, doors=1, roles=("door",)), range(2)))
        line = threading.Barrier(2, timeout=PATIENCE)
        first = [mail(number) for number in range(BUYERS)]
        replies = list(clients.map(lambda door: [_at_once(door, one, line) for one in first], doors))
        # And two different mails of one buyer at once: one ticket.
        more = [[mail(100 * side + n, thread=1000 + n) for n in range(BUYERS)] for side in (1, 2)]
        replies += clients.map(lambda door, mails: [_at_once(door, one, line) for one in mails], doors, more)
    assert all(reply.startswith(STORED) for to_one in replies for reply in to_one)
    sent = [*first, *more[0], *more[1]]
    stored = copies(store_url, (one.message_id for one in sent))
    assert stored == {one.message_id: [hashlib.sha256(one.raw).hexdigest()] for one in sent}
    tickets = [[told["ticket"] for told in door.logged("message")] for door in doors]
    assert tickets[0] == tickets[1]
    assert len(set(tickets[0])) == 2 * BUYERS
    assert unsound(store_url) == []


def _at_once(door: Serving, one: Mail, line: threading.Barrier) -> str:
    """All but the last dot; then both say the dot together."""
    with door.talk() as talk:
        talk.start_mail(one.rcpt, sender=one.mail_from)
        assert talk.ask("DATA").startswith("354")
        talk.send(one.raw)
        line.wait()
        talk.send(b".\r\n")
        return talk.reply()
