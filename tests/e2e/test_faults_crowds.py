"""Crowds of idle strangers, and file descriptors that run out: what the mail of listed networks notices."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from relaydesk_testkit.buyers import mail
from relaydesk_testkit.serving import STORED, Serving
from relaydesk_testkit.smtp import Talk

if TYPE_CHECKING:
    from tests.e2e.conftest import Start

LISTED = "networks: ['127.0.0.1']\nsenders: [support.facebook.com]\n"


def stranger(serving: Serving, number: int) -> Talk:
    source = (f"127.0.1.{number % 20 + 1}", 0)
    return Talk(socket.create_connection(("127.0.0.1", serving.port), timeout=30, source_address=source))


def test_a_crowd_of_idle_strangers_costs_listed_networks_no_421(start_serving: Start, sqlite_url: str):
    serving = start_serving(sqlite_url, lists=LISTED, roles=("door",), limits={"connections": 60})
    with ExitStack() as stack:
        crowd = [stranger(serving, number) for number in range(150)]
        for talk in crowd:
            stack.callback(talk.sock.close)
        greetings = {talk.reply()[:9] for talk in crowd}
        # 421 4.3.2: its place went to another stranger, of whom there were fewer, before it was greeted.
        assert {"220 mx.sh", "421 4.7.0"} <= greetings <= {"220 mx.sh", "421 4.7.0", "421 4.3.2"}
        listed = [stack.enter_context(serving.talk()) for _ in range(20)]
        assert all(talk.ask("NOOP").startswith("250") for talk in listed)
        assert [serving.deliver(mail(number))[:10] for number in range(10)] == [STORED] * 10
    assert len(serving.logged("connections_turned_away")) <= 2  # one for each process and minute


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="only Linux changes the limits of a process from outside"
)
def test_descriptors_that_run_out_neither_stop_listed_mail_nor_flood_the_log(
    start_serving: Start, sqlite_url: str
):
    serving = start_serving(sqlite_url, roles=("door",), lists=LISTED)
    assert serving.deliver(mail(1)).startswith(STORED)
    [door] = serving.children("door")
    before = resource.prlimit(door, resource.RLIMIT_NOFILE)
    in_use = len(list(Path(f"/proc/{door}/fd").iterdir()))
    resource.prlimit(door, resource.RLIMIT_NOFILE, (in_use + 12, before[1]))
    with ExitStack() as stack:
        for number in range(60):
            stack.callback(stranger(serving, number).sock.close)
        assert [serving.deliver(mail(number))[:10] for number in range(2, 8)] == [STORED] * 6
    resource.prlimit(door, resource.RLIMIT_NOFILE, before)
    assert serving.deliver(mail(9)).startswith(STORED)
    assert len(serving.logged("out_of_descriptors")) == 1
    assert "Traceback" not in serving.log_file.read_text()
