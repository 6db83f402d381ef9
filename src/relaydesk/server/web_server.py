"""The desk in a browser, served by the office process on the sockets that the parent has bound."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import uvicorn

from relaydesk.config import desk_config, store_secret, utc_now
from relaydesk.data import data_path
from relaydesk.desk import Desk
from relaydesk.web import WebConfig, create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.server.process import ChildProcess

BACKLOG = 512
GRACE_SECONDS = 3  # that a response may take once the process shall end


class _Server(uvicorn.Server):
    """Signals are the process's own affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Serves the pages until the process shall stop."""

    def __init__(self, process: ChildProcess) -> None:
        settings = process.settings
        config = desk_config(settings, lambda: store_secret(process.store))
        desk = Desk(process.store, config, utc_now)
        sender = process.configuration.current.sender
        web = WebConfig(
            templates=data_path("templates"),
            shop=sender.shop.name if sender else "",
            address=settings.web_address,
            zone=config.calendar.zone,
        )
        for sock in process.inherited.sockets:  # who comes before uvicorn serves waits, and is not refused
            sock.listen(BACKLOG)
        self._process, self._live = process, desk.presence.live
        self._server = _Server(
            uvicorn.Config(
                create_app(desk, web),
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    async def run(self) -> None:
        """Returns when the process shall end and the last response is out."""
        self._live.start()
        stopping = asyncio.create_task(self._stop())
        try:
            await self._server.serve(sockets=list(self._process.inherited.sockets))
        finally:
            stopping.cancel()
            self._live.close()

    async def _stop(self) -> None:
        await self._process.stop.wait()
        self._live.close()  # streams have no end of their own
        self._server.should_exit = True
