"""A process says now and then that it is at work, for the health page. Seldom: each time costs a sync."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from relaydesk import __version__
from relaydesk.config import utc_now
from relaydesk.logs import lost_lines
from relaydesk.store import ProcessSeen, StoreError, processes_seen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from relaydesk.config import Configuration
    from relaydesk.store import Store

SEEN_SECONDS = 30.0  # between two words of one process
NEWS_SECONDS = 1.0  # after which a change of its settings is told at the latest


class Shown(Protocol):
    """What is told of a process: its role, its settings, and plain facts of JSON."""

    @property
    def role(self) -> str: ...
    @property
    def store(self) -> Store: ...
    @property
    def configuration(self) -> Configuration: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


@cache
def _name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


async def show_process(process: Shown) -> None:
    """Tells of this process until it is cancelled: every half minute, and when its settings have changed."""
    begun, told_at, state = utc_now(), 0.0, None
    loop = asyncio.get_running_loop()
    while True:
        now = (
            process.configuration.stored.mark,
            process.configuration.problem,
            process.configuration.changes,
        )
        if now != state or loop.time() - told_at >= SEEN_SECONDS:
            with contextlib.suppress(StoreError):  # who needs the store says so
                await asyncio.to_thread(_note, process, begun)
            told_at, state = loop.time(), now
        await asyncio.sleep(NEWS_SECONDS)


def leave(process: Shown) -> None:
    """The process ends as it should, and is not missed."""
    with contextlib.suppress(StoreError), process.store.turn() as session:
        processes_seen.leave(session, _name())


def _note(process: Shown, begun: datetime) -> None:
    configuration = process.configuration
    seen = ProcessSeen(
        name=_name(),
        role=process.role,
        host=socket.gethostname(),
        pid=os.getpid(),
        release=__version__,
        started_at=begun,
        seen_at=utc_now(),
        settings_id=configuration.stored.mark[0],
        problem=configuration.problem,
        facts={**process.facts, "lines_lost": lost_lines()},
    )
    with process.store.turn() as session:
        processes_seen.note(session, seen)
