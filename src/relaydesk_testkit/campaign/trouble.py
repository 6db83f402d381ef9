"""Trouble of our own machine: a log that cannot be written, a full disk, little memory."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from typing import TYPE_CHECKING

from relaydesk_testkit.campaign.floods import together
from relaydesk_testkit.campaign.target import LISTED_TOO, LISTS, deliver
from relaydesk_testkit.memory import PeakMemory
from relaydesk_testkit.serving import STORED, Serving, eventually

if TYPE_CHECKING:
    from relaydesk_testkit.campaign.attack import Outcome
    from relaydesk_testkit.campaign.target import Target

DOORS = 2
BIG = 18_500_000  # bytes before base64, which makes 25 MB of them
MOST_MEMORY = 900_000_000


def log_gone(target: Target, outcome: Outcome) -> None:
    """The reader of the log is gone, the log's disk is full, or nobody reads."""
    reader, writer = os.pipe()
    silent, unread = os.pipe()
    os.close(reader)
    places = {
        "a pipe without a reader": writer,
        "a full disk": os.open("/dev/full", os.O_WRONLY),
        "a pipe that nobody reads": unread,
    }
    former = target.serving
    former.end()
    for name, descriptor in places.items():
        with os.fdopen(descriptor, "wb", buffering=0) as log:
            serving = Serving(former.directory, former.database, "", log=log, lists=LISTS)
            serving.settings, serving.port = former.settings, former.port
            target.serving = serving
            try:
                with serving.start():
                    _without_log(target, outcome, name)
            except (AssertionError, OSError) as error:
                outcome.count(False, f"{name}: {type(error).__name__}: {str(error)[:80]}")
    os.close(silent)
    target.serving = former
    former.start()


def _without_log(target: Target, outcome: Outcome, name: str) -> None:
    """Enough mail to fill a pipe, the last of it twice; then a child crashes."""
    for _ in range(400):
        mail = target.mail()
        reply = deliver(target, mail)
        if not reply.startswith(STORED):
            break
    outcome.count(reply.startswith(STORED), f"{name}: {reply!r}")
    again = deliver(target, mail)
    outcome.count(again.startswith(STORED), f"{name}, the same again: {again!r}")
    [child, *_] = target.serving.children("door")
    os.kill(child, signal.SIGKILL)
    eventually(lambda: child not in target.serving.children("door"), "the end of a child", 10)
    eventually(lambda: len(target.serving.children("door")) == DOORS, "another child", 20)
    outcome.count(target.works(), f"{name}: nothing is taken after a child's crash")


def disk_full(target: Target, outcome: Outcome) -> None:
    """No file may grow: mail is put off, none is acknowledged, and all goes on afterwards."""
    doors = target.serving.children("door")
    former = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in doors}
    for pid, (_, hard) in former.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
    mails = [target.mail() for _ in range(20)]
    for mail in mails:
        reply = deliver(target, mail)
        outcome.count(reply.startswith("4"), f"on a full disk: {reply!r}")
    for pid, limits in former.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    for mail in mails:
        reply = deliver(target, mail)
        outcome.count(reply.startswith(STORED), f"after a full disk: {reply!r}")


def big_mails(target: Target, outcome: Outcome) -> None:
    """25 mails of 25 MB at once; those that are put off come again."""
    photo = os.urandom(BIG)
    mails = [target.mail(photo=photo) for _ in range(25)]
    put_off = [0]

    def send(place: int) -> None:
        for _ in range(40):
            reply = deliver(target, mails[place])
            if reply.startswith(STORED):
                outcome.count(True, "")
                return
            put_off[0] += 1
            if not reply.startswith("4"):
                break
            time.sleep(1)
        outcome.count(False, f"a big mail: {reply!r}")

    with PeakMemory(target.serving) as peak:
        together(25, send)
    outcome.note(f"peak {peak.bytes / 1e6:.0f} MB of all processes; {put_off[0]} put off")
    outcome.count(peak.bytes <= MOST_MEMORY, f"{peak.bytes / 1e6:.0f} MB at the peak")


def beside_big_mail(target: Target, outcome: Outcome) -> None:
    """Mails of 25 MB, two at a time, beside the good ones."""
    photo, ended = os.urandom(BIG), threading.Event()

    def send(_: int) -> None:
        while not ended.is_set():
            mail = target.mail(photo=photo)
            reply = deliver(target, mail, LISTED_TOO)
            outcome.count(reply[:1] in ("2", "4"), f"a big mail: {reply!r}")

    threading.Timer(target.seconds, ended.set).start()
    together(2, send)
