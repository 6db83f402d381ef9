"""A listener process: the SMTP server before the intake, and the gateway for other help desks beside it.

connection → session → ``Intake`` or ``Gateway`` → store. Several such processes share the ports and the caps.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from relaydesk.config import GatewayConfiguration, utc_now
from relaydesk.gateway import Gateway
from relaydesk.intake import GatherLimits, Intake
from relaydesk.logs import configure, log
from relaydesk.places import FairPlaces
from relaydesk.process_pool import ProcessPool
from relaydesk.server.descriptors import fitting_limits
from relaydesk.server.process import child_process
from relaydesk.smtpd import Endpoint, Server, open_listener

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from relaydesk.config import Settings
    from relaydesk.server.process import ChildProcess
    from relaydesk.smtpd import Limits, Listener

FLUSH_SECONDS = 2.0  # between two writings of the counted refusals


def run_door(settings: Settings, share: int) -> int:
    """One listener process. ``share`` is how many of them divide the caps."""
    configure(settings.log_level, settings.log_format)
    return asyncio.run(_receive(settings, share))


async def _receive(settings: Settings, share: int) -> int:
    async with child_process(settings, "listener") as process:
        limits = settings.limits.divided(share)
        pool = ProcessPool(limits.reading_processes, limits.reading_seconds)
        intake = Intake(
            store=process.store,
            resolver=process.resolver,
            clock=utc_now,
            workers=process.workers,
            store_threads=settings.workers,
            pool=pool,
            limits=GatherLimits(limits.concurrent_auth, limits.auth_slot_seconds),
        )
        listeners = await _open(process, intake, pool, share)
        process.facts["listens"] = [_named(sock) for sock in process.inherited.sockets]
        flushing = asyncio.create_task(_flush(process, intake))
        process.inherited.ready()
        await process.stop.wait()
        await _drain(listeners, settings.drain_seconds)
        await flushing
        await intake.flush()
        if intake.refusals.total:
            log("refusals_not_counted", level="warning", lost=intake.refusals.total)
        await pool.close()
        return process.status


async def _open(process: ChildProcess, intake: Intake, pool: ProcessPool, share: int) -> list[Listener]:
    """Listens on the sockets that the parent has bound: first those of ``listen``, then the gateway's."""
    smtp_sockets = len(process.settings.listen)
    limits = fitting_limits(process.settings, share)
    in_flight = FairPlaces(limits.bytes_in_flight)  # the memory is one, by whichever port the bytes come
    smtp = _smtp_server(process, intake, limits, in_flight)
    listeners = [await open_listener(sock, smtp) for sock in process.inherited.sockets[:smtp_sockets]]
    if process.settings.gateway_listen:
        submission = _submission_server(process, pool, limits, in_flight)
        listeners += [
            await open_listener(sock, submission) for sock in process.inherited.sockets[smtp_sockets:]
        ]
    return listeners


def _smtp_server(process: ChildProcess, intake: Intake, limits: Limits, in_flight: FairPlaces) -> Server:
    return Server(
        Endpoint(
            hostname=process.configuration.current.hostname,
            limits=limits,
            receiver=intake,
            configuration=process.configuration,
            now=utc_now,
        ),
        in_flight,
    )


def _submission_server(
    process: ChildProcess, pool: ProcessPool, limits: Limits, in_flight: FairPlaces
) -> Server:
    """Where other help desks log in and hand in their answers."""
    gateway = Gateway(store=process.store, clock=utc_now, workers=process.workers, pool=pool)
    return Server(
        Endpoint(
            hostname=process.configuration.current.hostname,
            limits=limits,
            receiver=gateway,
            configuration=GatewayConfiguration(process.configuration),
            now=utc_now,
            logins=gateway,
            implicit_tls=process.settings.gateway_tls == "implicit",
        ),
        in_flight,
    )


def _named(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _flush(process: ChildProcess, intake: Intake) -> None:
    while not await process.stops_within(FLUSH_SECONDS):
        await intake.flush()


async def _drain(listeners: Sequence[Listener], seconds: float) -> None:
    await asyncio.gather(*(listener.close(max(1.0, seconds - 2.0)) for listener in listeners))
