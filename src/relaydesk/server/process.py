"""What every child of ``relaydesk serve`` has: store, configuration, workers, and the word to stop."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from relaydesk.config import Configuration, kept_secret, open_store, parts, store_secret
from relaydesk.logs import log
from relaydesk.server.inherited import STORE_LOST, inherited
from relaydesk.server.seen import leave, show_process
from relaydesk.store import StoreLost, StoreUnavailable, stored_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from relaydesk.config import Settings
    from relaydesk.dns import Resolver
    from relaydesk.server.inherited import Inherited
    from relaydesk.store import Store


LOOK_SECONDS = 2.0  # between two looks whether the database is still the one that was opened


@dataclass(frozen=True, slots=True)
class ChildProcess:
    """What a child works with. ``workers`` do the store's work; ``stop`` is set when it shall end."""

    role: str
    settings: Settings
    inherited: Inherited
    store: Store
    configuration: Configuration
    resolver: Resolver
    workers: ThreadPoolExecutor
    stop: asyncio.Event
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    facts: dict[str, Any] = field(default_factory=dict)
    """What the health page is told of this process; plain values of JSON."""

    @property
    def status(self) -> int:
        """The exit status: not 0 where the database was taken away."""
        return STORE_LOST if self.lost.is_set() else 0

    async def stops_within(self, seconds: float) -> bool:
        """Whether the word to stop comes in so many seconds; returns as soon as it does."""
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except TimeoutError:
            return False
        return True


@asynccontextmanager
async def child_process(settings: Settings, role: str) -> AsyncIterator[ChildProcess]:
    """From the start of a child to its end: SIGTERM and the parent's death stop it, SIGHUP reloads its files.

    ``role`` is what it is called on the health page. SetupError when no parent has started this process.
    """
    handed_down = inherited()
    if handed_down is None:
        raise parts.SetupError("This is a part of `relaydesk serve`; start that instead.")
    store = open_store(settings)
    try:
        with store.reading() as session:
            stored = stored_settings.read(session)
        secret = store_secret(store)
        configuration = Configuration(settings, secret, stored)
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, configuration.reload)
        handed_down.watch_parent(lambda: _set_soon(loop, stop), settings.drain_seconds)
        with ThreadPoolExecutor(settings.workers, "store") as workers:
            process = ChildProcess(
                role=role,
                settings=settings,
                inherited=handed_down,
                store=store,
                configuration=configuration,
                resolver=parts.resolver(settings),
                workers=workers,
                stop=stop,
            )
            watch = asyncio.create_task(_watch_store(process, secret))
            seen = asyncio.create_task(show_process(process))
            yield process
            watch.cancel()
            seen.cancel()
            if not process.lost.is_set():  # there it was never seen
                await asyncio.to_thread(leave, process)
    finally:
        store.close()


async def _watch_store(process: ChildProcess, secret: bytes) -> None:
    """Stops the process when another database has taken the place of the one it works on.

    What is kept in memory would not fit it, such as ``secret``, which seals what goes out.
    """

    def look() -> None:
        process.store.demand_same()
        if kept_secret(process.store) != secret:
            raise StoreLost(
                "Another database is in the place of the one that relaydesk opened; start it again."
            )
        follow_stored(process)

    while not await process.stops_within(LOOK_SECONDS):
        try:
            await asyncio.to_thread(look)
        except StoreLost as error:
            log("store_lost", level="error", problem=str(error))
            process.lost.set()
            process.stop.set()
        except StoreUnavailable:
            continue  # who needs it says so


def follow_stored(process: ChildProcess) -> None:
    """Puts in force what an admin has stored since the last look, on whichever machine."""
    with process.store.reading() as session:
        if stored_settings.mark(session) == process.configuration.stored.mark:
            return
        stored = stored_settings.read(session)
    process.configuration.take(stored)


def _set_soon(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)
