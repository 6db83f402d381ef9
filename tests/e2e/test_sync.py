"""A 250 is said only after the store was synced: system calls, as strace sees them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from relaydesk_testkit.buyers import mail
from relaydesk_testkit.serving import STORED, Serving
from relaydesk_testkit.soundness import backends
from tests.support.straced import Call, CannotTraceError, calls, straced

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from relaydesk_testkit.postgres import Server
    from tests.e2e.conftest import Start

MAILS = 3


def cannot(why: str) -> None:
    """Says aloud that nothing was checked; never where the result counts."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(autouse=True)
def strace() -> None:
    if shutil.which("strace") is None:
        cannot("strace is not installed, so no sync before the 250 was checked: install strace.")


def recorded(door: Serving, others: Sequence[int], record: Path) -> list[Call]:
    """The calls of the listener and of others while it takes some mails."""
    try:
        with straced([*door.children("door"), *others], record):
            for number in range(MAILS):
                assert door.deliver(mail(number)).startswith(STORED)
    except CannotTraceError as error:
        cannot(f"strace may not trace here, so no sync before the 250 was checked: {error}")
    return calls(record)


def syncs_before_replies(found: list[Call]) -> list[list[Call]]:
    """For each mail, the syncs that lie whole between the end of its DATA and its 250."""
    dots = [call for call in found if call.name == "recvfrom" and r'\r\n.\r\n", ' in call.text]
    stored = [call for call in found if call.name == "sendto" and f'"{STORED}Ok: stored' in call.text]
    assert len(dots) == len(stored) == MAILS
    assert [dot.file for dot in dots] == [reply.file for reply in stored]
    return [
        [call for call in found if call.syncs and call.begun > dot.ended and call.ended < reply.begun]
        for dot, reply in zip(dots, stored, strict=True)
    ]


def test_it_syncs_the_log_of_sqlite_before_each_250(start_serving: Start, sqlite_url: str, tmp_path: Path):
    door = start_serving(sqlite_url, doors=1, roles=("door",))
    for syncs in syncs_before_replies(recorded(door, (), tmp_path / "calls")):
        assert any(call.file.endswith("/relaydesk.db-wal>") for call in syncs)


def test_it_has_its_backend_sync_the_log_of_postgresql_before_each_250(
    start_serving: Start, own_postgres: Server, tmp_path: Path
):
    door = start_serving(own_postgres.url(), doors=1, roles=("door",), workers=1)
    assert door.deliver(mail(1000)).startswith(STORED)  # its connections are open now
    ours = backends(own_postgres.url())
    found = recorded(door, ours, tmp_path / "calls")
    assert ours == backends(own_postgres.url())
    for syncs in syncs_before_replies(found):
        assert any(call.pid in ours and "/pg_wal/" in call.file for call in syncs)
