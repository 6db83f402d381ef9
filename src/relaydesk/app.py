"""The composition root: what each process of relaydesk is made of. Read this to know what runs.

``serve`` is the light parent: it binds the ports, gives up root, brings the schema up to date and keeps
the children running. ``door`` is one listener process: door → intake → store. ``office`` keeps the time.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from relaydesk import setup, timekeeper
from relaydesk.door.listener import serve as open_door
from relaydesk.door.room import Door, Room
from relaydesk.intake import Intake
from relaydesk.logs import configure, log, log_exception
from relaydesk.mailauth.resolver import Resolver
from relaydesk.processes.inherited import Inherited, inherited
from relaydesk.processes.listening import bind
from relaydesk.processes.privileges import drop_privileges
from relaydesk.processes.supervisor import Child, Pace, supervise
from relaydesk.settings import hide_password
from relaydesk.store import secret
from relaydesk.store.engine import Store
from relaydesk.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from relaydesk.door.allowlist import Allowlist
    from relaydesk.door.listener import Listener
    from relaydesk.settings import Settings
    from relaydesk.sorting.policy import Policy
    from relaydesk.sorting.rules import Rules
    from relaydesk.timekeeper import Rederived, Swept

ALL_ROLES = ("door", "office")
FLUSH_SECONDS = 2.0  # between two writings of the counted refusals


def now() -> datetime:
    """This moment, aware UTC: the only clock of the running program."""
    return datetime.now(UTC)


def open_store(conf: Settings, *, upgrade: bool = False) -> Store:
    """The store of the settings."""
    return Store.open(conf.database, connections=conf.workers + 2, upgrade=upgrade)


def open_resolver(conf: Settings) -> Resolver:
    """The one resolver of a process. SetupError names a name server that is no address."""
    try:
        return Resolver.over_network(conf.nameservers, patience=conf.dns_timeout)
    except ValueError as error:
        raise setup.SetupError(f"Setting nameservers: {error}") from None


class Reloadable:
    """What SIGHUP reads anew: the lists, the rules, the certificate. A broken file keeps what was there."""

    def __init__(self, conf: Settings, sealed_with: bytes) -> None:
        self._conf, self._secret = conf, sealed_with
        self.allowlist, self.rules, self.policy, self.tls = self._read()

    def _read(self) -> tuple[Allowlist, Rules, Policy, ssl.SSLContext | None]:
        found = setup.allowlist(self._conf)
        policy = setup.policy(self._conf, found, secret=self._secret)
        return found, setup.rules(self._conf), policy, _certificate(self._conf)

    def reload(self) -> None:
        """Read all of it again; all or nothing."""
        try:
            self.allowlist, self.rules, self.policy, self.tls = self._read()
        except (ValueError, OSError) as error:
            log("reload_failed", level="error", kept="the lists as they were", problem=str(error))
        else:
            log("reloaded")


def _certificate(conf: Settings) -> ssl.SSLContext | None:
    if conf.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(conf.tls_certificate, conf.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise setup.SetupError(f"The certificate {conf.tls_certificate} cannot be used: {error}.") from None
    return context


# --- the parent -------------------------------------------------------------------------------------


def serve(conf: Settings, config_file: str | None, roles: Sequence[str] = ALL_ROLES) -> int:
    """Run until SIGTERM or SIGINT; the exit status. Every role may run alone, on many machines."""
    configure(conf.log_level, conf.log_format)
    _check(conf, roles)
    listeners = _listeners(conf) if "door" in roles else 0
    bound = bind(setup.listen(conf), listeners) if listeners else None
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
    where = ", ".join(str(address) for address in bound.addresses) if bound else "nothing (office only)"
    return supervise(
        children, announcement=f"relaydesk listens on {where}", pace=Pace(grace=conf.drain_seconds)
    )


def _check(conf: Settings, roles: Sequence[str]) -> None:
    """Everything a file can have wrong is told before any port is bound."""
    Reloadable(conf, b"")
    for warning in setup.calendar(conf, now().date()).warnings:
        log("calendar", level="warning", problem=warning)
    open_resolver(conf)
    if "door" not in roles:
        return
    setup.listen(conf)
    if not conf.mailboxes:
        raise setup.SetupError(
            "No mailboxes are set, so all mail would be refused: set mailboxes in relaydesk.yaml or "
            "RELAYDESK_MAILBOXES='[\"help@shop.example\"]'."
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
    name = setup.hostname(conf)
    workers = ThreadPoolExecutor(conf.workers, "store")
    intake = Intake(
        store=store,
        resolver=open_resolver(conf),
        policy=lambda: parts.policy,
        rules=lambda: parts.rules,
        hostname=name,
        authserv_id=conf.authserv_id or name,
        patience=conf.auth_timeout,
        clock=now,
        workers=workers,
    )
    door = Door(
        hostname=name,
        limits=conf.limits.divided(share),
        receiver=intake,
        allowlist=lambda: parts.allowlist,
        now=now,
        tls=lambda: parts.tls,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, parts.reload)
    room = Room(door)  # one for all addresses: the caps count for the process
    listeners = [await open_door(one, door, room) for one in handed.sockets]
    flushing = asyncio.create_task(_flush(intake))
    handed.watch_parent(lambda: _stop_soon(loop, stop), conf.drain_seconds)
    handed.ready()
    await stop.wait()
    await _drain(listeners, conf.drain_seconds)
    flushing.cancel()
    await intake.flush()
    workers.shutdown()
    store.close()


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
    """The office process: looks at the deadlines every few seconds."""
    configure(conf.log_level, conf.log_format)
    handed = _handed_down()
    # A handler may run while the main thread waits here: of the queues only this one stands that.
    asked: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: asked.put(number))
    store = open_store(conf)
    parts = Reloadable(conf, secret.read(store, secrets.token_bytes))
    handed.watch_parent(lambda: asked.put(signal.SIGTERM), conf.drain_seconds)
    handed.ready()
    _look(lambda: timekeeper.rederive(store, parts.policy.plan, now()), "deadlines_derived")
    while (came := _next(asked, conf.sweep_seconds)) in (None, signal.SIGHUP):
        if came is not None:
            parts.reload()
        _look(lambda: timekeeper.sweep(store, now()), "deadlines_passed")
    store.close()
    return 0


def _next(asked: SimpleQueue[int], seconds: float) -> int | None:
    """The next signal, or None when none came in so many seconds."""
    try:
        return asked.get(timeout=seconds)
    except Empty:
        return None


def _look(work: Callable[[], Swept | Rederived], told_as: str) -> None:
    """Run one piece of the office's work; a failing store is waited for, never the end of the process."""
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
