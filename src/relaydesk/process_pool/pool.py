"""The pool's side: processes started when they are wanted, one task each at a time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from relaydesk.logs import log
from relaydesk.process_pool.frames import NUMBER, numbers, packed, unpacked
from relaydesk.process_pool.worker import DONE, TOO_LARGE

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
COMMAND = (sys.executable, "-m", "relaydesk.process_pool.worker")
START_SECONDS = 60.0  # for a process to come up, on a machine that is busy with other things


class TaskTooHeavy(Exception):  # noqa: N818 - a state, named as people say it
    """The task wanted more than it may have; its process was killed, by us or by the system."""


class TaskTimeout(TaskTooHeavy):
    """It took more time than it may."""


class TaskFailed(Exception):  # noqa: N818
    """The task raised, by a bug; or there was no process for it, which is :class:`NoProcess`."""


class NoProcess(TaskFailed):
    """The task was not done, and that says nothing of it: no process could be started, or the pool closed."""


@dataclass(eq=False, slots=True)
class _Worker:
    """One process, whether it has said that it is ready, and which context it was given last."""

    process: subprocess.Popen[bytes]
    line: socket.socket
    ready: bool = False
    context: object = None
    retirement: asyncio.TimerHandle | None = None

    async def tell(self, values: tuple[object, ...]) -> None:
        loop = asyncio.get_running_loop()
        for piece in packed(values):
            await loop.sock_sendall(self.line, piece)

    async def answer(self) -> tuple[Any, ...]:
        """The next that it says. EOFError when it has ended."""
        (count,) = numbers(await self._exactly(NUMBER))
        sizes = numbers(await self._exactly(count * NUMBER))
        return unpacked([await self._exactly(size) for size in sizes])

    async def _exactly(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        pieces = []
        while size:
            piece = await loop.sock_recv(self.line, min(size, 1 << 20))
            if not piece:
                raise EOFError
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


@dataclass(slots=True)
class ProcessPool:
    """At most ``size`` processes, each doing one task at a time.

    A task is a function that can be imported, so of a module's top level; its arguments and its result are
    pickled. It computes and keeps nothing. ``seconds`` bounds the processor time of each task, to which
    ``first_seconds`` are added where a process is given a context, for what is compiled of it; ``patience``
    bounds its time by the clock, for it may get little of a busy processor. Waiting for a process and its
    start are not counted. ``memory`` bounds the data of each process, in bytes (reading a mail of 36 MB takes
    200 MB). A process that has had nothing to do for ``idle_seconds`` ends. Belongs to one event loop; close
    it in the end.
    """

    size: int
    seconds: float
    memory: int = 400 << 20
    idle_seconds: float = 180.0
    first_seconds: float = 2.0
    patience: float = 60.0
    _free: asyncio.Semaphore = field(init=False)
    _idle: list[_Worker] = field(default_factory=list)
    _busy: set[_Worker] = field(default_factory=set)
    _ending: set[asyncio.Future[int]] = field(default_factory=set)
    _closed: bool = False

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.size)

    async def run(self, function: Callable[..., T], *arguments: object, context: object = None) -> T:
        """What ``function(*arguments)`` gives in another process; with ``context`` as its first argument.

        A context is an immutable value that many tasks share, as the rules of a configuration: it is handed
        to a process once, and again only when another object takes its place.

        :raises TaskTimeout: when it takes longer than it may.
        :raises TaskTooHeavy: when it takes too much memory, or its process was killed.
        :raises NoProcess: when there is no process for it.
        :raises TaskFailed: when it raised.
        """
        async with self._free:
            if self._closed:
                raise NoProcess("The pool is closed.")
            worker = self._ready_one() or self._start(function.__module__)
            self._busy.add(worker)
            try:
                state, *result = await self._done(worker, function, arguments, context)
                if state == TOO_LARGE:
                    raise TaskTooHeavy(f"{function.__name__} takes more than {self.memory} bytes.")
            except BaseException as error:
                self._end(worker)
                if isinstance(error, TaskTooHeavy) and not self._closed:
                    task, problem = function.__name__, str(error)
                    log("task_too_heavy", level="warning", limit_by="", task=task, problem=problem)
                    self._replace(worker, function.__module__)
                raise
            finally:
                self._busy.discard(worker)
            self._rest(worker)
        if state != DONE:
            log("task_failed", level="error", limit_by="", task=function.__name__, exception=result[0])
            raise TaskFailed(f"{function.__name__} raised {str(result[0]).splitlines()[-1]}")
        return cast("T", result[0])

    async def close(self) -> None:
        """Ends all processes, also those at work: who waits for their task gets TaskFailed."""
        self._closed = True
        while self._idle:
            self._end(self._idle.pop())
        for worker in self._busy:
            worker.process.kill()  # whoever waits for its answer sees the end of it
        for _ in range(self.size):
            await self._free.acquire()
        for _ in range(self.size):
            self._free.release()
        if self._ending:
            await asyncio.wait(self._ending)

    async def _done(
        self,
        worker: _Worker,
        function: Callable[..., Any],
        arguments: tuple[object, ...],
        context: object,
    ) -> tuple[Any, ...]:
        try:
            if not worker.ready:
                await asyncio.wait_for(worker.answer(), START_SECONDS)
                worker.ready = True
        except (OSError, EOFError, TimeoutError) as error:
            raise NoProcess("A process of the pool did not start.") from error
        try:
            async with asyncio.timeout(self.patience):
                return await self._ask(worker, function, arguments, context)
        except TimeoutError:
            raise TaskTimeout(f"{function.__name__} took over {self.patience} s.") from None
        except (OSError, EOFError) as error:
            raise await self._death(worker, function) from error

    async def _ask(
        self,
        worker: _Worker,
        function: Callable[..., Any],
        arguments: tuple[object, ...],
        context: object,
    ) -> tuple[Any, ...]:
        takes = context is not None
        learnt = context if takes and worker.context is not context else None
        seconds = self.seconds if learnt is None else self.seconds + self.first_seconds
        await worker.tell((function.__module__, function.__qualname__, seconds, takes, learnt, *arguments))
        if takes:
            worker.context = context
        return await worker.answer()

    async def _death(self, worker: _Worker, function: Callable[..., Any]) -> Exception:
        """Why a process ended amid a task."""
        if self._closed:
            return NoProcess("The pool was closed.")
        worker.process.kill()
        status = await asyncio.get_running_loop().run_in_executor(None, worker.process.wait)
        if status == -signal.SIGPROF:
            return TaskTimeout(f"{function.__name__} took over {self.seconds} s of processor time.")
        return TaskTooHeavy(f"The process of {function.__name__} was ended ({status}).")

    def _ready_one(self) -> _Worker | None:
        """A process that waits for work; one that died meanwhile is passed over."""
        while self._idle:
            worker = self._idle.pop()
            if worker.process.poll() is None:
                if worker.retirement is not None:
                    worker.retirement.cancel()
                return worker
            self._end(worker)
        return None

    def _rest(self, worker: _Worker) -> None:
        if self._closed:
            self._end(worker)
            return
        loop = asyncio.get_running_loop()
        worker.retirement = loop.call_later(self.idle_seconds, self._retire, worker)
        self._idle.append(worker)

    def _retire(self, worker: _Worker) -> None:
        if worker in self._idle:
            self._idle.remove(worker)
            self._end(worker)

    def _replace(self, worker: _Worker, ahead: str) -> None:
        """Another process comes up while nobody waits for it yet."""
        self._busy.discard(worker)
        with contextlib.suppress(NoProcess):
            self._rest(self._start(ahead))

    def _end(self, worker: _Worker) -> None:
        if worker.retirement is not None:
            worker.retirement.cancel()
        worker.line.close()
        worker.process.kill()
        if worker.process.returncode is None:
            # Not waited for here: a process of some size takes a moment to go.
            gone = asyncio.get_running_loop().run_in_executor(None, worker.process.wait)
            self._ending.add(gone)
            gone.add_done_callback(self._ending.discard)

    def _start(self, ahead: str) -> _Worker:
        """A process that begins with the import of ``ahead``. No wait: it says when it is ready."""
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise NoProcess(f"No process could be started: {error.strerror}.") from error
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: S603 (the command is ours)
                    (*COMMAND, str(theirs.fileno()), str(self.memory), ahead),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    env=_environment(),
                )
            except OSError as error:
                ours.close()
                raise NoProcess(f"No process could be started: {error.strerror}.") from error
        ours.setblocking(False)
        with contextlib.suppress(OSError):
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        return _Worker(process, ours)


def _environment() -> dict[str, str]:
    """Ours without our settings: what reads strangers' bytes need not know the database's password."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("RELAYDESK_", "_RELAYDESK"))
    }
