"""What every child of ``relaydesk serve`` has: store, configuration, workers, and the word to stop."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.config import Configuration, open_store, parts, store_secret
from relaydesk.server.inherited import inherited

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from relaydesk.config import Settings
    from relaydesk.dns import Resolver
    from relaydesk.server.inherited import Inherited
    from relaydesk.store import Store


@dataclass(frozen=True, slots=True)
class ChildProcess:
    """What a child works with. ``workers`` do the store's work; ``stop`` is set when it shall end."""

    settings: Settings
    inherited: Inherited
    store: Store
    configuration: Configuration
    resolver: Resolver
    workers: ThreadPoolExecutor
    stop: asyncio.Event

    async def stops_within(self, seconds: float) -> bool:
        """Whether the word to stop comes in so many seconds; returns as soon as it does."""
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except TimeoutError:
            return False
        return True


@asynccontextmanager
async def child_process(settings: Settings) -> AsyncIterator[ChildProcess]:
    """From the start of a child to its end: SIGTERM and the parent's death stop it, SIGHUP reloads its files.

    SetupError when no parent has started this process.
    """
    handed_down = inherited()
    if handed_down is None:
        raise parts.SetupError("This is a part of `relaydesk serve`; start that instead.")
    store = open_store(settings)
    try:
        configuration = Configuration(settings, store_secret(store))
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, configuration.reload)
        handed_down.watch_parent(lambda: _set_soon(loop, stop), settings.drain_seconds)
        with ThreadPoolExecutor(settings.workers, "store") as workers:
            yield ChildProcess(
                settings=settings,
                inherited=handed_down,
                store=store,
                configuration=configuration,
                resolver=parts.resolver(settings),
                workers=workers,
                stop=stop,
            )
    finally:
        store.close()


def _set_soon(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)
