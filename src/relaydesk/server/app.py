"""The composition root: what each process of relaydesk is made of. Read this to know what runs.

``serve`` is the light parent: it binds the ports, gives up root, brings the schema up to date and keeps
the children running. ``door`` is one listener process: door → intake → store. ``office`` keeps the time and
sends the answers.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING

from relaydesk.clocks import rederive_deadlines, sweep
from relaydesk.config import Reloadable, hide_password, open_store, utc_now
from relaydesk.config import parts as setup
from relaydesk.logs import configure, log, log_exception
from relaydesk.server import ingoing, outgoing
from relaydesk.server.inherited import Inherited, inherited
from relaydesk.server.listening import bind
from relaydesk.server.privileges import drop_privileges
from relaydesk.server.supervisor import Child, SupervisorTiming, supervise
from relaydesk.smtpd import Server
from relaydesk.smtpd import open_listener as open_door
from relaydesk.store import StoreError, secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from socket import socket

    from relaydesk.clocks import Rederived, Swept
    from relaydesk.config import ListenAddress, Settings
    from relaydesk.intake import Intake
    from relaydesk.smtpd import Endpoint, Listener
    from relaydesk.store import Store

ALL_ROLES = ("door", "office")
FLUSH_SECONDS = 2.0  # between two writings of the counted refusals


# --- the parent -------------------------------------------------------------------------------------


def serve(conf: Settings, config_file: str | None, roles: Sequence[str] = ALL_ROLES) -> int:
    """Run until SIGTERM or SIGINT; the exit status. Every role may run alone, on many machines."""
    configure(conf.log_level, conf.log_format)
    _check(conf, roles)
    listeners = _listeners(conf) if "door" in roles else 0
    wanted = (*setup.listen(conf), *setup.gateway_listen(conf))
    bound = bind(wanted, listeners) if listeners else None
    if conf.user:
        drop_privileges(conf.user)
    open_store(conf, upgrade=True).close()
    log("settings", database=hide_password(conf.database), mailboxes=len(conf.mailboxes), doors=listeners)
    run = (sys.executable, "-m", "relaydesk", *(("--config", config_file) if config_file else ()))
    children = [
        Child(f"door-{number}", (*run, "run-door", "--share", str(listeners)), sockets)
        for number, sockets in enumerate(bound.sockets if bound else (), 1)
    ]
    if "office" in roles:
        children.append(Child("office", (*run, "run-office")))
    where = _listening(conf, bound.addresses) if bound else "nothing (office only)"
    return supervise(
        children,
        announcement=f"relaydesk listens on {where}",
        pace=SupervisorTiming(grace=conf.drain_seconds),
    )


def _listening(conf: Settings, addresses: Sequence[ListenAddress]) -> str:
    doors, gateways = addresses[: len(conf.listen)], addresses[len(conf.listen) :]
    told = ", ".join(map(str, doors))
    return f"{told}; the gateway on {', '.join(map(str, gateways))}" if gateways else told


def _check(conf: Settings, roles: Sequence[str]) -> None:
    """Everything a file can have wrong is told before any port is bound."""
    Reloadable(conf, b"")
    for warning in setup.calendar(conf, utc_now().date()).warnings:
        log("calendar", level="warning", problem=warning)
    setup.resolver(conf)
    if "door" not in roles:
        return
    setup.listen(conf)
    setup.gateway_listen(conf)
    if not conf.mailboxes:
        raise setup.SetupError(
            "No mailboxes are set, so all mail would be refused: set mailboxes in relaydesk.yaml or "
            "RELAYDESK_MAILBOXES='[\"help@shop.example\"]'."
        )
    unknown = sorted(set(conf.forward) - set(conf.all_queues))
    if unknown:
        raise setup.SetupError(
            f"Setting forward: there is no queue {unknown[0]}; there are {', '.join(conf.all_queues)}."
        )
    ours = sorted(to for to in conf.forward.values() if to.lower() in conf.mailboxes)
    if ours:
        raise setup.SetupError(
            f"Setting forward: {ours[0]} is one of our own mailboxes, so its mail would come back here; name "
            "the other help desk's own address."
        )


def _listeners(conf: Settings) -> int:
    return conf.processes or min(4, os.cpu_count() or 1)


# --- the children -----------------------------------------------------------------------------------


def run_door(conf: Settings, share: int) -> int:
    """One listener process. ``share`` is how many of them divide the caps."""
    configure(conf.log_level, conf.log_format)
    handed = _handed_down()
    asyncio.run(_door(conf, handed, share))
    return 0


async def _door(conf: Settings, handed: Inherited, share: int) -> None:
    store = open_store(conf)
    parts = Reloadable(conf, secret.read(store, secrets.token_bytes))
    workers = ThreadPoolExecutor(conf.workers, "store")
    intake = ingoing.intake(conf, store, parts, resolver=setup.resolver(conf), workers=workers, clock=utc_now)
    door = ingoing.door(conf, intake, parts, share=share, clock=utc_now)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, parts.reload)
    doors, gateways = handed.sockets[: len(conf.listen)], handed.sockets[len(conf.listen) :]
    listeners = await _open(doors, door)
    if gateways:
        gateway = ingoing.gateway_door(conf, store, parts, share=share, workers=workers, clock=utc_now)
        listeners += await _open(gateways, gateway, implicit_tls=conf.gateway_tls == "implicit")
    flushing = asyncio.create_task(_flush(intake))
    handed.watch_parent(lambda: _stop_soon(loop, stop), conf.drain_seconds)
    handed.ready()
    await stop.wait()
    await _drain(listeners, conf.drain_seconds)
    flushing.cancel()
    await intake.flush()
    workers.shutdown()
    store.close()


async def _open(sockets: Sequence[socket], door: Endpoint, *, implicit_tls: bool = False) -> list[Listener]:
    room = Server(door)  # one for all addresses: the caps count for the process
    return [await open_door(one, door, room, implicit_tls=implicit_tls) for one in sockets]


def _stop_soon(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    loop.call_soon_threadsafe(stop.set)


async def _flush(intake: Intake) -> None:
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        try:
            await intake.flush()
        except Exception:
            log_exception("refusals_not_counted")


async def _drain(listeners: Sequence[Listener], seconds: float) -> None:
    await asyncio.gather(*(listener.close(max(1.0, seconds - 2.0)) for listener in listeners))


def run_office(conf: Settings) -> int:
    """The office process: looks at the deadlines every few seconds, and sends the answers."""
    configure(conf.log_level, conf.log_format)
    handed = _handed_down()
    asyncio.run(_office(conf, handed))
    return 0


async def _office(conf: Settings, handed: Inherited) -> None:
    store = open_store(conf)
    parts = Reloadable(conf, secret.read(store, secrets.token_bytes))
    workers = ThreadPoolExecutor(conf.workers, "store")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, parts.reload)
    handed.watch_parent(lambda: _stop_soon(loop, stop), conf.drain_seconds)
    handed.ready()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_keep_time(conf, store, parts, workers, stop))
        tasks.create_task(_send(conf, store, parts, workers, stop))
    workers.shutdown()
    store.close()


async def _keep_time(
    conf: Settings, store: Store, parts: Reloadable, workers: ThreadPoolExecutor, stop: asyncio.Event
) -> None:
    loop = asyncio.get_running_loop()

    async def look(work: Callable[[], Swept | Rederived], told_as: str) -> None:
        await loop.run_in_executor(workers, _look, work, told_as)

    await look(lambda: rederive_deadlines(store, parts.current.policy.plan, utc_now()), "deadlines_derived")
    while not await _stopped(stop, conf.sweep_seconds):
        await look(lambda: sweep(store, utc_now()), "deadlines_passed")


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Whether it is time to stop, asked for so many seconds."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _send(
    conf: Settings, store: Store, parts: Reloadable, workers: ThreadPoolExecutor, stop: asyncio.Event
) -> None:
    first = parts.current.letterhead
    if first is None:
        log("answers_not_sent", level="warning", mend="set support_contact or mailboxes")
        return
    dispatcher, couriers = outgoing.dispatcher(
        conf,
        store,
        lambda: parts.current.letterhead or first,
        plan=lambda *what, **how: parts.current.policy.plan(*what, **how),  # noqa: PLW0108 - a reload replaces it
        resolver=setup.resolver(conf),
        workers=workers,
        clock=utc_now,
    )
    await dispatcher.run(stop)
    for courier in couriers:
        await courier.close()


def _look(work: Callable[[], Swept | Rederived], told_as: str) -> None:
    """Run one piece of the timekeeper's work; a failing store is waited for, never the end of the process."""
    try:
        done = work()
    except StoreError as error:
        log("store_unavailable", level="error", problem=str(error))
    except Exception:
        log_exception("office_failed")
    else:
        figures = asdict(done)
        failed = figures.pop("failed")
        if failed or any(figures.values()):
            log(
                told_as,
                level="error" if failed else "info",
                failed=str(failed) if failed else None,
                figures=figures,
            )


def _handed_down() -> Inherited:
    handed = inherited()
    if handed is None:
        raise setup.SetupError("This is a part of `relaydesk serve`; start that instead.")
    return handed
