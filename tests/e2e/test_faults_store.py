"""The store fails: every message is put off with 4xx, never taken or refused; then all goes on by itself."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from relaydesk_testkit.buyers import Mail, mail
from relaydesk_testkit.serving import STORED, Serving, eventually
from relaydesk_testkit.soundness import backends, copies, unsound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from relaydesk_testkit.postgres import Server
    from tests.e2e.conftest import Start

PUT_OFF = "451 4.3.0 "


class Calm:
    """Watches over one fault: nobody is restarted, and what was put off is taken once it is over."""

    def __init__(self, serving: Serving) -> None:
        self.serving, self.before = serving, serving.everyone()
        self.waiting: list[Mail] = []

    def put_off(self, *mails: Mail) -> None:
        """All of these, sent at once, get 451."""
        with ThreadPoolExecutor(len(mails)) as clients:
            replies = list(clients.map(self.serving.deliver, mails))
        assert [reply[:10] for reply in replies] == [PUT_OFF] * len(mails), replies
        self.waiting += mails

    def taken_again(self) -> None:
        """The same processes take what was put off; each is stored once."""
        first, *others = self.waiting
        eventually(lambda: self.serving.deliver(first).startswith(STORED), "the first 250 after the fault")
        replies = [self.serving.deliver(one) for one in others]
        assert all(reply.startswith(STORED) for reply in replies), replies
        assert self.serving.everyone() == self.before
        database = self.serving.database
        stored = copies(database, (one.message_id for one in self.waiting))
        assert {len(found) for found in stored.values()} == {1}
        assert unsound(database) == []
        assert self.serving.logged("store_unavailable")
        assert not self.serving.logged("unexpected_error")
        assert not self.serving.logged("office_failed")


def test_it_puts_off_while_another_holds_the_lock(start_serving: Start, sqlite_url: str):
    serving = start_serving(sqlite_url)
    calm = Calm(serving)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        calm.put_off(*(mail(number) for number in range(4)))
        other.execute("ROLLBACK")
    calm.taken_again()


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "relaydesk-test", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount; the test of failing writes runs instead")
def test_it_puts_off_while_the_disk_is_full(start_serving: Start, tmp_path: Path):
    disk = tmp_path / "disk"
    with small_disk(disk):
        serving = start_serving(f"sqlite:///{disk / 'relaydesk.db'}")
        assert serving.deliver(mail(0)).startswith(STORED)
        calm = Calm(serving)
        fill(disk / "filler")
        # What is left in the log's last block may still hold a small mail: these are larger.
        calm.put_off(*(mail(number, size=60_000) for number in range(1, 5)))
        calm.put_off(mail(5, size=60_000))
        (disk / "filler").unlink()
        calm.taken_again()
        serving.kill_all()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space left"):
        while True:
            filler.write(bytes(4096))


def test_it_puts_off_while_writes_fail(start_serving: Start, sqlite_url: str):
    serving = start_serving(sqlite_url, roles=("door",))
    assert serving.deliver(mail(0)).startswith(STORED)
    calm = Calm(serving)
    doors = serving.children("door")
    former = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in doors}
    for pid, (_, hard) in former.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))  # no file may grow beyond its first page
    calm.put_off(*(mail(number) for number in range(1, 5)))
    for pid, both in former.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, both)
    calm.taken_again()


def test_it_puts_off_while_postgresql_is_away(start_serving: Start, own_postgres: Server):
    serving = start_serving(own_postgres.url())
    calm = Calm(serving)
    own_postgres.stop()
    calm.put_off(*(mail(number) for number in range(4)))
    own_postgres.start()
    calm.taken_again()


def test_it_puts_off_while_postgresql_hangs_and_then_knows_the_resend(
    start_serving: Start, own_postgres: Server
):
    serving = start_serving(own_postgres.url(), roles=("door",), limits={"handler_seconds": 1})
    eventually(lambda: serving.deliver(mail(0)).startswith(STORED), "the first 250")
    before = serving.everyone()
    hanging = backends(own_postgres.url())
    for pid in hanging:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert serving.deliver(mail(1)).startswith(PUT_OFF)
    finally:
        for pid in hanging:
            os.kill(pid, signal.SIGCONT)
    # The work goes on behind the 451, so the mail is stored, or just about to be, when it comes again.
    eventually(lambda: serving.deliver(mail(1)).startswith(STORED), "the 250 after the hang")
    # Whichever of the two comes second finds the mail stored; its line may follow a moment later.
    eventually(lambda: any("resend" in line for line in serving.logged("message")), "a resend")
    assert [len(found) for found in copies(serving.database, [mail(1).message_id]).values()] == [1]
    assert unsound(serving.database) == []
    assert serving.everyone() == before
