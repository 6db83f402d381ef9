"""The parent's side: processes started when they are wanted, one task each at a time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from relaydesk.logs import log
from relaydesk.process_pool.frames import receive, send

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
COMMAND = (sys.executable, "-m", "relaydesk.process_pool.worker")


class TaskTimeout(Exception):  # noqa: N818 - a state, named as people say it
    """The task took longer than it may; its process was killed."""


class TaskFailed(Exception):  # noqa: N818
    """The task raised (the text names it), or its process died."""


@dataclass(eq=False, slots=True)
class _Worker:
    """One process, and which context it was given last."""

    process: subprocess.Popen[bytes]
    line: socket.socket
    context: object = None

    def end(self) -> None:
        self.line.close()
        self.process.kill()
        self.process.wait()


@dataclass(slots=True)
class ProcessPool:
    """At most ``size`` processes, each doing one task at a time.

    A task is a function that can be imported, so of a module's top level; its arguments and its result are
    pickled. It computes and keeps nothing. ``seconds`` bounds each task from when a process takes it up; the
    wait for a process is not counted. Belongs to one event loop; close it in the end.
    """

    size: int
    seconds: float
    _free: asyncio.Semaphore = field(init=False)
    _idle: deque[_Worker] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.size)

    async def run(self, function: Callable[..., T], *arguments: object, context: object = None) -> T:
        """What ``function(*arguments)`` gives in another process; with ``context`` as its first argument.

        A context is an immutable value that many tasks share, as the rules of a configuration: it is handed
        to a process once, and again only when another object takes its place.

        :raises TaskTimeout: after ``seconds``.
        :raises TaskFailed: when it raised there, or the process came to its end.
        """
        async with self._free:
            worker = self._idle.pop() if self._idle else self._start()
            try:
                async with asyncio.timeout(self.seconds):
                    answer = await self._ask(worker, function, arguments, context)
            except BaseException as error:
                worker.end()
                if isinstance(error, TimeoutError):
                    log(
                        "task_too_slow",
                        level="warning",
                        limit_by="",
                        task=function.__name__,
                        seconds=self.seconds,
                    )
                    raise TaskTimeout(f"{function.__name__} took over {self.seconds} s") from None
                if isinstance(error, OSError | EOFError):
                    raise TaskFailed(f"the process of {function.__name__} ended") from error
                raise
            self._idle.append(worker)
        succeeded, result = answer
        if not succeeded:
            raise TaskFailed(result)
        return cast("T", result)

    async def close(self) -> None:
        """Ends the processes that are idle; those at work end with their task's caller."""
        while self._idle:
            self._idle.pop().end()

    @staticmethod
    async def _ask(
        worker: _Worker, function: Callable[..., Any], arguments: tuple[object, ...], context: object
    ) -> Any:
        fresh = context is not None and worker.context is not context
        name = (function.__module__, function.__qualname__)
        # Whether a context counts, whether it is this one's turn to be learnt, and the rest.
        await send(worker.line, (name, context is not None, context if fresh else None, arguments))
        worker.context = context if context is not None else worker.context
        return await receive(worker.line)

    @staticmethod
    def _start() -> _Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: S603 (the command is ours)
                    (*COMMAND, str(theirs.fileno())), stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),)
                )
            except BaseException:
                ours.close()
                raise
        ours.setblocking(False)
        with contextlib.suppress(OSError):
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        return _Worker(process, ours)
