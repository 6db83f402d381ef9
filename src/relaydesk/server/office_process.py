"""The office process: looks at the deadlines, sends the answers and keeps the search index."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
import ssl
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from relaydesk.clocks import rederive_deadlines, sweep
from relaydesk.config import parts, utc_now
from relaydesk.data import UnusableFileError, demand_plain
from relaydesk.doctor import check_domain
from relaydesk.logs import configure, log, log_exception
from relaydesk.notify import Deliverer, DigestFrom, gather_news, write_digests
from relaydesk.outbound import Courier, Dispatcher, LastCheck, prune_drafts
from relaydesk.process_pool import NoProcess, ProcessPool
from relaydesk.search import index_in_pool
from relaydesk.server.process import child_process
from relaydesk.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from relaydesk.clocks import Rederived, Swept
    from relaydesk.config import Settings
    from relaydesk.search import Indexed
    from relaydesk.server.process import ChildProcess
    from relaydesk.server.web_server import WebServer

NEWS_SECONDS = 1.0  # between two looks for what others are to be told
TIDY_SECONDS = 600.0  # between two looks for old drafts
INDEX_SECONDS = 1.0  # after which new mail is found at the latest, when little comes
READING_PROCESSES = 2  # the index takes one at a time, so that answers do not wait for it


def run_office(settings: Settings) -> int:
    """The office process."""
    configure(settings.log_level, settings.log_format)
    return asyncio.run(_work(settings))


async def _work(settings: Settings) -> int:
    async with child_process(settings, "office") as process:
        pages = _pages(process) if process.inherited.sockets else None
        process.inherited.ready()
        pool = ProcessPool(READING_PROCESSES, settings.limits.reading_seconds)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_keep_time(process))
            tasks.create_task(_send(process, pool))
            tasks.create_task(_tell_others(process))
            tasks.create_task(_tidy(process))
            indexing = tasks.create_task(_index(process, pool))
            if pages:
                tasks.create_task(pages.run())
            await process.stop.wait()
            indexing.cancel()  # what it was at is read anew
        await pool.close()
        return process.status


def _pages(process: ChildProcess) -> WebServer:
    """The desk in a browser; who has none need not wait for its libraries."""
    from relaydesk.server.web_server import WebServer

    return WebServer(process)


async def _keep_time(process: ChildProcess) -> None:
    """What a changed calendar moves, at the start and after each change; then again and again what is due."""
    store, loop, configuration = process.store, asyncio.get_running_loop(), process.configuration

    def rederived() -> Rederived:
        return rederive_deadlines(store, configuration.current.plan, utc_now())

    def swept() -> Swept:
        outcome = sweep(store, utc_now())
        process.facts["swept_at"] = utc_now().isoformat()
        return outcome

    derived = None
    while True:
        if derived != configuration.changes:
            derived = configuration.changes
            await loop.run_in_executor(process.workers, _logged, rederived, "deadlines_derived")
        if await process.stops_within(process.settings.sweep_seconds):
            return
        await loop.run_in_executor(process.workers, _logged, swept, "deadlines_passed")


def _logged(work: Callable[[], Swept | Rederived], event: str) -> None:
    """Run one piece of the office's work; a failing store is waited for, never the end of the process."""
    with _watched():
        _tell(event, work())


@contextmanager
def _watched() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        log("store_unavailable", level="error", limit_by="", problem=str(error))
    except NoProcess as error:
        log("no_process", level="error", limit_by="", problem=str(error))
    except Exception:
        log_exception("office_failed")


def _tell(event: str, outcome: Swept | Rederived | Indexed) -> None:
    figures = asdict(outcome)
    failed = figures.pop("failed")
    if failed or any(figures.values()):
        log(
            event,
            level="error" if failed else "info",
            failed=str(failed) if failed else None,
            figures=figures,
        )


async def _index(process: ChildProcess, pool: ProcessPool) -> None:
    """Reads the words of new mail and answers into the search index, without a pause while there are any."""
    indexed = False
    while not await process.stops_within(0 if indexed else INDEX_SECONDS):
        indexed = False
        with _watched():
            outcome = await index_in_pool(process.store, pool)
            indexed = bool(outcome.indexed)
            _tell("indexed", outcome)


async def _tell_others(process: ChildProcess) -> None:
    """Webhooks, and digests by mail: what has happened is gathered, and what is due delivered."""
    sender, settings = process.configuration.current.sender, process.settings
    carrier = None
    if sender is not None:
        carrier = Courier(
            parts.next_hop(settings),
            helo=process.configuration.current.hostname,
            resolver=process.resolver,
            tls=_authorities(settings),
        )
    deliverer = Deliverer(
        store=process.store,
        worker=f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}",
        clock=utc_now,
        workers=process.workers,
        carrier=carrier,
        sender=sender.shop.contact if sender else "",
    )
    address = settings.web_address.rstrip("/")

    def gather() -> None:
        gather_news(process.store, utc_now(), address=address)
        if sender is not None:
            shop = DigestFrom(
                sender.shop.name,
                sender.shop.contact,
                address,
                process.configuration.current.policy.calendar,
            )
            write_digests(process.store, shop, utc_now())

    loop, delivered = asyncio.get_running_loop(), 0
    while not await process.stops_within(0 if delivered else NEWS_SECONDS):
        delivered = 0
        with _watched():
            await loop.run_in_executor(process.workers, gather)
            delivered = await deliverer.round()
    if carrier is not None:
        await carrier.close()


async def _tidy(process: ChildProcess) -> None:
    """Drafts that nobody comes back to, and what answers that have left were written as."""
    loop = asyncio.get_running_loop()

    def tidied() -> None:
        with _watched():
            if count := prune_drafts(process.store, utc_now()):
                log("drafts_pruned", figures={"dropped": count})

    while not await process.stops_within(TIDY_SECONDS):
        await loop.run_in_executor(process.workers, tidied)


async def _send(process: ChildProcess, pool: ProcessPool) -> None:
    """Carries the answers, and what is forwarded, to the next hop."""
    if process.configuration.current.sender is None:
        log("answers_not_sent", level="warning", remedy="set support_contact or mailboxes")
        return
    settings = process.settings
    tls, helo = _authorities(settings), process.configuration.current.hostname
    courier = Courier(parts.next_hop(settings), helo=helo, resolver=process.resolver, tls=tls)
    forward_hop = parts.forward_hop(settings)
    forwarder = (
        Courier(forward_hop, helo=helo, resolver=process.resolver, tls=tls) if forward_hop else courier
    )
    dispatcher = Dispatcher(
        store=process.store,
        configuration=process.configuration,
        courier=courier,
        forwarder=forwarder,
        who=f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}",
        clock=utc_now,
        chance=random.random,
        workers=process.workers,
        check=LastCheck(pool),
        diagnose=_diagnosis(settings),
    )
    await dispatcher.run(process.stop)
    await courier.close()
    await forwarder.close()


def _authorities(settings: Settings) -> ssl.SSLContext | None:
    if settings.next_hop_ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=demand_plain(settings.next_hop_ca))
    except (OSError, ssl.SSLError, UnusableFileError) as error:
        problem = str(error).rstrip(".")
        raise parts.SetupError(
            f"Setting next_hop_ca: {settings.next_hop_ca} holds no usable certificates: {problem}."
        ) from None


def _diagnosis(settings: Settings) -> Callable[[str], Awaitable[str]]:
    async def diagnose(domain: str) -> str:
        """What ``doctor`` finds wrong with our domain, as sentences."""
        findings = await asyncio.to_thread(check_domain, domain, settings.nameservers, settings.dns_timeout)
        return " ".join(
            finding.text
            for finding in findings
            if finding.level == "fail" and finding.check in ("spf", "dmarc")
        )

    return diagnose
