"""The desk in a browser, served by the office process on the sockets that the parent has bound."""

from __future__ import annotations

import asyncio
import contextlib
from ipaddress import ip_network
from typing import TYPE_CHECKING

import uvicorn

from relaydesk.config import desk_config, parts, store_secret, utc_now
from relaydesk.data import data_path
from relaydesk.desk import Desk
from relaydesk.server.checks import CHECKS
from relaydesk.web import WebConfig, change_settings, create_app

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from relaydesk.desk import DeskConfig
    from relaydesk.server.process import ChildProcess

BACKLOG = 512
FOLLOW_SECONDS = 0.25  # between two looks whether the settings of the process have changed
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
        config = self._config(process)
        desk = Desk(process.store, config, utc_now)
        sender = process.configuration.current.sender
        web = WebConfig(
            templates=data_path("templates"),
            shop=sender.shop.name if sender else "",
            address=settings.web_address,
            zone=config.calendar.zone,
            tls=settings.web_tls,
            proxies=tuple(map(ip_network, settings.web_proxies)),
        )
        self._changes = process.configuration.changes
        self._app = create_app(desk, web, checks=CHECKS)
        for sock in process.inherited.sockets:  # who comes before uvicorn serves waits, and is not refused
            sock.listen(BACKLOG)
        self._process, self._live = process, desk.presence.live
        self._server = _Server(
            uvicorn.Config(
                self._app,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=GRACE_SECONDS,
                ssl_context_factory=self._tls if settings.web_tls else None,
            )
        )

    def _tls(self, *_: object) -> ssl.SSLContext:
        """What each connection is secured with: that of the newest snapshot, so that a reload counts."""
        configuration = self._process.configuration
        context = configuration.current.web_tls
        if context is None:
            raise parts.SetupError("Setting web_tls: there is no certificate.")

        def newest(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
            connection.context = configuration.current.web_tls or context

        context.sni_callback = newest
        return context

    async def run(self) -> None:
        """Returns when the process shall end and the last response is out."""
        self._live.start()
        stopping = asyncio.create_task(self._stop())
        following = asyncio.create_task(self._follow())
        try:
            await self._server.serve(sockets=list(self._process.inherited.sockets))
        finally:
            stopping.cancel()
            following.cancel()
            self._live.close()

    @staticmethod
    def _config(process: ChildProcess) -> DeskConfig:
        configuration, store = process.configuration, process.store
        return desk_config(configuration.in_force, lambda: store_secret(store), files=process.settings)

    async def _follow(self) -> None:
        """Requests that come after a change of the settings have a desk of the new ones."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            if self._changes != self._process.configuration.changes:
                self._changes = self._process.configuration.changes
                change_settings(self._app, await asyncio.to_thread(self._config, self._process))

    async def _stop(self) -> None:
        await self._process.stop.wait()
        self._live.close()  # streams have no end of their own
        self._server.should_exit = True
