"""The pool of processes: what a task may take, what becomes of one that wants more, what a process has."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from relaydesk.process_pool import pool as pool_module
from relaydesk.process_pool.frames import APART, numbers, packed, unpacked
from relaydesk.process_pool.pool import NoProcess, ProcessPool, TaskFailed, TaskTimeout, TaskTooHeavy
from relaydesk_testkit.serving import gone
from tests.support.tasks import (
    busy,
    busy_with,
    die,
    fill,
    pid,
    remembered,
    shouting,
    sleep,
    spin,
    stumble,
    surroundings,
    upper,
    view,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATIENCE = 60.0  # seconds; a guard against hanging, on a machine that is busy with other things


@asynccontextmanager
async def opened(size: int = 1, seconds: float = 20.0, **limits: float) -> AsyncIterator[ProcessPool]:
    pool = ProcessPool(size, seconds, **limits)  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(PATIENCE):
            yield pool
    finally:
        await pool.close()


async def test_it_works_in_another_process_and_keeps_it() -> None:
    async with opened() as pool:
        first = await pool.run(pid)
        assert first != os.getpid()
        assert await pool.run(pid) == first


async def test_it_starts_no_process_before_it_is_asked_and_no_more_than_it_may() -> None:
    async with opened(size=2) as pool:
        assert children() == []
        pids = await asyncio.gather(*(pool.run(pid) for _ in range(6)))
        assert set(pids) == set(children())
        assert len(set(pids)) <= 2


async def test_it_hands_a_context_over_once() -> None:
    rules, others = {"a": 1}, {"a": 1}
    async with opened() as pool:
        assert await pool.run(remembered, 1, context=rules) == (rules, False, (1,))
        assert await pool.run(remembered, 2, context=rules) == (rules, True, (2,))
        assert await pool.run(pid) > 0  # a task without a context leaves it alone
        assert await pool.run(remembered, context=rules) == (rules, True, ())
        assert await pool.run(remembered, context=others) == (others, False, ())


async def test_large_bytes_go_and_come_whole() -> None:
    data = os.urandom(3 << 20)
    async with opened() as pool:
        assert await pool.run(upper, data) == data.upper()


def test_large_bytes_are_neither_copied_into_the_pickle_nor_out_of_it() -> None:
    data, small = bytes(APART), b"x"
    head, pickled, large = packed(("name", data, small))
    assert large is data
    assert numbers(head) == [2, len(pickled), APART]
    assert len(pickled) < 200
    assert unpacked([pickled, large])[1] is data


async def test_a_task_that_takes_too_long_is_ended_and_the_next_one_is_served() -> None:
    async with opened(seconds=0.2) as pool:
        slow = await pool.run(pid)
        with pytest.raises(TaskTimeout):
            await pool.run(spin)
        assert gone(slow)
        assert await pool.run(pid) != slow


async def test_a_task_is_ended_by_the_clock_too() -> None:
    """Whatever it waits for: processor time alone would let it wait for ever."""
    async with opened(patience=0.2) as pool:
        with pytest.raises(TaskTimeout):
            await pool.run(sleep, PATIENCE)


async def test_time_counts_for_each_task_alone() -> None:
    async with opened(seconds=1.0) as pool:
        first = await pool.run(pid)
        for _ in range(4):
            await pool.run(busy, 0.4)
        assert await pool.run(pid) == first


async def test_the_first_task_with_a_context_has_time_to_compile_it() -> None:
    async with opened(seconds=0.1, first_seconds=20.0) as pool:
        await pool.run(busy_with, 0.5, context={})
        with pytest.raises(TaskTimeout):
            await pool.run(busy, 0.5)


async def test_others_go_on_while_one_is_slow() -> None:
    async with opened(size=2, seconds=20.0) as pool:
        slow = asyncio.create_task(pool.run(spin))
        assert await pool.run(pid) > 0
        assert not slow.done()
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow


async def test_memory_is_bounded() -> None:
    async with opened(memory=200 << 20) as pool:
        assert await pool.run(fill, 50) == 50 << 20
        with pytest.raises(TaskTooHeavy):
            await pool.run(fill, 400)
        assert await pool.run(fill, 50) == 50 << 20


async def test_a_process_that_is_killed_at_work_is_too_heavy_a_task() -> None:
    async with opened() as pool:
        with pytest.raises(TaskTooHeavy):
            await pool.run(die, signal.SIGKILL)
        assert await pool.run(pid) > 0


async def test_a_bug_is_told_with_its_traceback_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[dict[str, object]] = []
    monkeypatch.setattr(pool_module, "log", lambda event, **facts: lines.append({"event": event, **facts}))
    async with opened() as pool:
        first = await pool.run(pid)
        with pytest.raises(TaskFailed, match=r"stumble raised KeyError"):
            await pool.run(stumble)
        assert await pool.run(pid) == first
    (line,) = lines
    assert (line["event"], line["task"]) == ("task_failed", "stumble")
    assert "in stumble" in str(line["exception"]) and "KeyError" in str(line["exception"])


async def test_what_cannot_be_pickled_is_a_bug() -> None:
    async with opened() as pool:
        with pytest.raises(TaskFailed, match="view raised TypeError"):
            await pool.run(view)
        assert await pool.run(pid) > 0
        with pytest.raises(TypeError):
            await pool.run(pid, memoryview(b"x"))
        assert await pool.run(pid) > 0


async def test_a_process_that_dies_while_idle_is_replaced_unnoticed() -> None:
    async with opened() as pool:
        first = await pool.run(pid)
        os.kill(first, signal.SIGKILL)
        await ended(first)
        assert await pool.run(pid) != first


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_it_heeds_no_signal_sent_to_the_whole_group(number: signal.Signals) -> None:
    async with opened() as pool:
        first = await pool.run(pid)
        os.kill(first, number)
        assert await pool.run(pid) == first


async def test_it_needs_descriptors_only_when_it_starts_and_recovers_from_their_lack() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with opened(size=2) as pool:
        first = await pool.run(pid)
        before = len(descriptors())
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(before) + 1, hard))
        fillers = []
        try:
            while True:
                fillers.append(os.dup(0))
        except OSError:
            pass
        try:
            held = asyncio.create_task(pool.run(sleep, 1.0))
            await asyncio.sleep(0)
            with pytest.raises(TaskFailed, match="Too many open files"):
                await pool.run(pid)
            await held
            assert await pool.run(pid) == first
        finally:
            for filler in fillers:
                os.close(filler)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert descriptors() == before
        slow = asyncio.create_task(pool.run(sleep, 0.2))
        await asyncio.sleep(0)
        assert await pool.run(pid) != first
        await slow


async def test_a_cancelled_task_ends_its_process_and_leaks_nothing() -> None:
    async with opened() as pool:
        await pool.run(pid)
        before = len(descriptors())
        task = asyncio.create_task(pool.run(spin))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await pool.run(pid)
        assert len(descriptors()) == len(before)


async def test_closing_ends_the_tasks_that_run() -> None:
    async with opened(size=2) as pool:
        idle = await pool.run(pid)
        tasks = [asyncio.create_task(pool.run(spin)) for _ in range(3)]
        await asyncio.sleep(0.2)
        await pool.close()
        assert gone(idle)
        assert children() == []
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [NoProcess] * 3
        with pytest.raises(TaskFailed):
            await pool.run(pid)


async def test_an_idle_process_ends_and_gives_its_memory_back() -> None:
    async with opened(idle_seconds=0.2) as pool:
        first = await pool.run(pid)
        await ended(first)
        assert await pool.run(pid) != first


async def test_a_process_is_given_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither listening sockets and other files, nor settings, in which a password may stand."""
    monkeypatch.setenv("RELAYDESK_DATABASE", "postgresql://u:secret@db/x")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        async with opened() as pool:
            files, environment, core = await pool.run(surroundings)
        assert len([name for name in files if name.startswith("socket:")]) == 1
        assert all(name.startswith(("socket:", "/dev/null", "/proc/")) for name in files), files
    assert not [name for name in environment if "RELAYDESK" in name]
    assert core == 0


async def test_what_a_process_writes_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    async with opened() as pool:
        await pool.run(shouting)
    assert capfd.readouterr() == ("", "")


def test_processes_end_with_the_one_that_asked_however_it_ends() -> None:
    script = (
        "import asyncio, os, signal, sys\n"
        "from relaydesk.process_pool import ProcessPool\n"
        "from tests.support.tasks import pid, spin\n"
        "async def main():\n"
        "    pool = ProcessPool(2, 60.0)\n"
        "    busy = asyncio.create_task(pool.run(spin))\n"
        "    print(await pool.run(pid), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        idle = int(parent.stdout.readline())
        workers = children(parent.pid)
        assert idle in workers
        parent.kill()
    until = time.monotonic() + PATIENCE
    while not all(map(gone, workers)):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_worker_itself_imports_little() -> None:
    script = "import sys, relaydesk.process_pool.worker; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names = set(modules.stdout.split())
    assert not names & {"asyncio", "structlog", "email", "subprocess"}
    rooms = {name.split(".")[1] for name in names if name.startswith("relaydesk.")}
    assert rooms == {"process_pool"}


async def ended(process: int) -> None:
    while not gone(process):  # noqa: ASYNC110 - no child of this test's own making
        await asyncio.sleep(0.01)


def descriptors() -> list[int]:
    return sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir() if entry.exists())


def children(parent: int | None = None) -> list[int]:
    """The workers of a process, those not yet waited for excluded."""
    pids = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            is_worker = b"process_pool.worker" in (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if above == (parent or os.getpid()) and is_worker:
            pids.append(int(entry.name))
    return pids


async def test_tasks_that_kill_their_process_again_and_again_exhaust_nothing() -> None:
    async with opened(size=2) as pool:
        await pool.run(pid)
        before = len(descriptors())
        deaths = await asyncio.gather(
            *(pool.run(die, signal.SIGKILL) for _ in range(20)), return_exceptions=True
        )
        assert {type(death) for death in deaths} == {TaskTooHeavy}
        assert await pool.run(pid) > 0
        assert len(children()) <= 2
        assert len(descriptors()) <= before + 1
