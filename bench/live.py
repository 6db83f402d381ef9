"""What open pages cost the office when nothing happens, and how soon one of them hears of a commit.

    python bench/live.py [--browsers 200] [--seconds 30] [--database URL]...

Starts the real `relaydesk serve` on each database (SQLite, and a PostgreSQL of its own), opens that many real
connections to its stream of events in many sessions, and reads the processor time of the office process with
and without them. Then a mail is sent by SMTP, several times, and it is measured when the last page has it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from relaydesk.config.opening import desk_config
from relaydesk.config.settings import Settings
from relaydesk.desk.desk import Desk
from relaydesk.desk.permissions import CONSOLE
from relaydesk.store.engine import Store
from relaydesk_testkit import postgres
from relaydesk_testkit.buyers import ZONE, mail
from relaydesk_testkit.serving import STORED, Serving
from relaydesk_testkit.zones import dns_server

A_SESSION = 4  # pages that a browser has open
MAILS = 10
TICKS = os.sysconf("SC_CLK_TCK")
Pages = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--browsers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--database", action="append", help="by default both engines, each on a fresh one")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack, dns_server(ZONE) as names:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for number, url in enumerate(options.database or _databases(stack, place)):
            Store.open(url, upgrade=True).close()
            web = {"web": ["127.0.0.1:0"]}
            with Serving(place / f"serve-{number}", url, names.address, **web) as serving:  # type: ignore[arg-type]
                asyncio.run(_measure(serving, url, options.browsers, options.seconds))


def _databases(stack: contextlib.ExitStack, place: Path) -> list[str]:
    server = postgres.Server()
    stack.callback(server.remove)
    server.start()
    return [f"sqlite:///{place}/relaydesk.db", server.url()]


async def _measure(serving: Serving, url: str, browsers: int, seconds: float) -> None:
    engine = url.partition(":")[0]
    (office,) = serving.children("office")
    alone = await _share(office, seconds)
    cookies = await asyncio.to_thread(_cookies, url, -(-browsers // A_SESSION))
    pages = [await _opened(serving, cookies[number // A_SESSION]) for number in range(browsers)]
    idle = await _share(office, seconds)
    print(
        f"{engine}: {browsers} open pages, nothing happens: {idle:.2%} of a core, without them {alone:.2%}; "
        f"a page {max(idle - alone, 0) / browsers:.4%}"
    )
    delays = [await _until_all_have(serving, pages, number) for number in range(1, MAILS + 1)]
    print(
        f"{engine}: from the 250 of a mail to the last of {browsers} pages: "
        f"median {statistics.median(delays):.3f} s, longest {max(delays):.3f} s"
    )
    for _, writer in pages:
        writer.close()


def _cookies(url: str, sessions: int) -> list[str]:
    store = Store.open(url)
    desk = Desk(store, desk_config(Settings(), lambda: b"s" * 32), lambda: datetime.now(UTC))
    tokens = []
    for number in range(sessions):
        desk.agents.add(f"agent.{number}", by=CONSOLE)
        link = desk.accounts.link(f"agent.{number}", by=CONSOLE, kind="direct")
        tokens.append(desk.sign_in.by_link(link).token)
    store.close()
    return [f"relaydesk_session={token}" for token in tokens]


async def _opened(serving: Serving, cookie: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    where = urlsplit(serving.web)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(f"GET /live HTTP/1.1\r\nHost: {where.netloc}\r\nCookie: {cookie}\r\n\r\n".encode())
    await reader.readuntil(b"data: resync")
    return reader, writer


async def _share(pid: int, seconds: float) -> float:
    """Of one core, in so many seconds."""
    await asyncio.sleep(2)  # what was begun before is over
    before, begun = _ticks(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (_ticks(pid) - before) / TICKS / (time.monotonic() - begun)


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


async def _until_all_have(serving: Serving, pages: Pages, number: int) -> float:
    reply = await asyncio.to_thread(serving.deliver, mail(number))
    assert reply.startswith(STORED), reply
    stored = time.monotonic()
    name = f"ticket-{number}".encode()
    async with asyncio.timeout(30):
        await asyncio.gather(*(reader.readuntil(name) for reader, _ in pages))
    return max(0.0, time.monotonic() - stored)


if __name__ == "__main__":
    main()
