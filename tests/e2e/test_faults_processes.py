"""Processes are stopped, told to reload, or die: what the mail notices of it."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from relaydesk_testkit.buyers import mail
from relaydesk_testkit.serving import STORED, Serving, eventually, gone, send, with_instagram
from relaydesk_testkit.smtp import DIRECT
from relaydesk_testkit.soundness import copies, unsound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Start

STRANGERS = "550 5.7.1 "


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, nameserver: str) -> Iterator[Serving]:
    """A ``serve`` for the tests that leave it running."""
    directory = tmp_path_factory.mktemp("shop")
    with Serving(directory, f"sqlite:///{directory / 'relaydesk.db'}", nameserver) as serving:
        yield serving


def test_it_finishes_the_mail_in_hand_on_sigterm(start_serving: Start, sqlite_url: str):
    serving = start_serving(sqlite_url, roles=("door",))
    one = mail(1)
    with ExitStack() as stack:
        idle, busy = stack.enter_context(serving.talk()), stack.enter_context(serving.talk())
        busy.start_mail(one.rcpt, sender=one.mail_from)
        assert busy.ask("DATA").startswith("354")
        busy.send(one.raw[:100])
        assert serving.process is not None
        serving.process.send_signal(signal.SIGTERM)
        assert idle.reply().startswith("421 4.3.2 ")
        eventually(lambda: refuses(serving), "the closing of the port")
        busy.send(one.raw[100:] + b".\r\n")
        assert busy.reply().startswith(STORED)
        assert busy.reply().startswith("421 4.3.2 ")
    assert serving.process.wait(30) == 0
    assert [len(found) for found in copies(sqlite_url, [one.message_id]).values()] == [1]
    assert unsound(sqlite_url) == []


def refuses(serving: Serving) -> bool:
    try:
        with serving.talk():
            return False
    except OSError:
        return True


def test_it_takes_a_changed_list_on_sighup_and_keeps_the_old_one_when_it_is_broken(shop: Serving):
    with shop.talk() as before:
        assert send(before, mail(10)).startswith(STORED)
        reload(shop, with_instagram(DIRECT.replace("127.0.0.0/8", "192.0.2.0/24")), "reloaded")
        assert shop.deliver(mail(11)).startswith(STRANGERS)
    reload(shop, "networks: [127.0.0.0/40]\n", "reload_failed")
    assert shop.deliver(mail(11)).startswith(STRANGERS)
    told = shop.logged("reload_failed")[-1]
    assert told["level"] == "error"
    assert "127.0.0.0/40" in told["problem"]
    reload(shop, with_instagram(DIRECT), "reloaded")
    assert shop.deliver(mail(11)).startswith(STORED)


def reload(serving: Serving, lists: str, event: str) -> None:
    """Puts other lists in place and waits until every listener and the office have said ``event``."""
    wanted = len(serving.logged(event)) + len(serving.everyone()) - 1
    serving.allowlist.write_text(lists)
    os.kill(serving.pid, signal.SIGHUP)
    eventually(lambda: len(serving.logged(event)) >= wanted, f"{event!r} from all")


@pytest.mark.parametrize("role", ["door", "office"])
def test_it_starts_a_killed_process_again(shop: Serving, role: str):
    before = shop.children(role)  # type: ignore[arg-type]
    os.kill(before[0], signal.SIGKILL)
    assert shop.deliver(mail(20 if role == "door" else 21)).startswith(STORED)
    after = eventually(lambda: again(shop, role, before), f"the next {role}")
    assert len(after) == len(before)
    ended = [line for line in shop.logged("child_ended") if line["child"].startswith(role)]
    assert [line["how"] for line in ended] == ["signal SIGKILL"]


def again(serving: Serving, role: str, before: list[int]) -> list[int]:
    now = serving.children(role)  # type: ignore[arg-type]
    return now if before[0] not in now and len(now) == len(before) else []


def test_it_leaves_no_orphans_and_no_held_port_when_the_parent_is_killed(
    start_serving: Start, sqlite_url: str
):
    serving = start_serving(sqlite_url)
    orphans = serving.everyone()[1:]
    assert len(orphans) == 2
    with serving.talk() as talk:
        os.kill(serving.pid, signal.SIGKILL)
        # A child that has lost its parent drains like any other.
        assert talk.reply().startswith("421 4.3.2 ")
    for pid in orphans:
        eventually(lambda pid=pid: gone(pid), f"the end of orphan {pid}")  # type: ignore[misc]
    serving.kill_all()
    serving.roles = ("door",)  # which has the port
    serving.start()
    assert serving.deliver(mail(30)).startswith(STORED)
