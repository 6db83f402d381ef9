"""Real and hostile mail through the whole line: each file gets a stated code and is kept byte by byte."""

from __future__ import annotations

import asyncio
import re
import resource
import smtplib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from relaydesk.config import parts
from relaydesk.config.settings import Settings
from relaydesk.config.snapshot import read_snapshot
from relaydesk.dns.resolver import Resolver
from relaydesk.dns.zone import ZoneSource, parse_zone
from relaydesk.intake.receive import Intake
from relaydesk.policy.allowlist import parse_allowlist as parse_lists
from relaydesk.smtpd.endpoint import Endpoint
from relaydesk.smtpd.limits import Limits
from relaydesk.smtpd.listener import open_listener
from relaydesk.smtpd.replies import BY_REASON
from relaydesk.smtpd.server import Server
from relaydesk.store.tables import MessageTable, table
from relaydesk_testkit.smtp import Holder
from tests.support.shared import shared

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

MEBIBYTE = 1 << 20
# A relay with an unknown origin: nothing can be proven and nothing is refused for it, so all is stored.
LISTS = "relays: [127.0.0.1/32]\nsenders: [support.instagram.com]\n"


def corpus() -> list[tuple[str, bytes]]:
    folder = shared("corpus")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "README" not in path.name)
    return [(str(path.relative_to(folder)), crlf(path.read_bytes())) for path in files]


def crlf(raw: bytes) -> bytes:
    """The bytes with every line end as CR LF, and one at the end, as a client must send them."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def configuration() -> Holder:
    conf = Settings(mailboxes=("help@shop.example",), hostname="mx.shop.example")
    snapshot = read_snapshot(conf, secret=b"", hostname=conf.hostname)
    lists = parse_lists(LISTS)
    return Holder(replace(snapshot, allowlist=lists, policy=parts.policy(conf, lists)))


def send_all(port: int, messages: list[tuple[str, bytes]]) -> dict[str, tuple[int, bytes, float]]:
    """Reply code, reply text and processor seconds of each file."""
    told = {}
    for name, raw in messages:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.ehlo("client.example")
            client.mail("buyer@sender.example")
            client.rcpt("help@shop.example")
            before = time.process_time()
            code, text = client.data(raw)
            told[name] = (code, text, time.process_time() - before)
    return told


@pytest.mark.timeout(120)
async def test_it_answers_and_keeps_every_file_of_the_corpus(
    sqlite_store: Store,
) -> None:
    messages = corpus()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = await through_the_door(sqlite_store, messages)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024
    stated = {(reply.code, reply.enhanced) for reply in BY_REASON.values()} | {(250, "2.0.0")}
    odd = {n: t for n, (c, t, _) in told.items() if (c, t.decode().split()[0]) not in stated}
    assert odd == {}
    slow = {name: spent for name, (_, _, spent) in told.items() if spent > 1.0}
    assert slow == {}
    assert grown < 200 * MEBIBYTE
    with sqlite_store.reading() as session:
        kept = {row.raw for row in session.connection().execute(select(table(MessageTable).c.raw))}
    accepted = {raw for name, raw in messages if told[name][0] == 250}
    assert accepted == kept
    assert len(accepted) > 150  # the rest is refused for its own sake: loops, giant headers


async def through_the_door(
    store: Store, messages: list[tuple[str, bytes]]
) -> dict[str, tuple[int, bytes, float]]:
    with socket.create_server(("127.0.0.1", 0)) as sock, ThreadPoolExecutor(2) as workers:
        intake = Intake(
            store=store,
            resolver=Resolver(ZoneSource(parse_zone({}))),
            clock=lambda: datetime.now(UTC),
            workers=workers,
        )
        endpoint = Endpoint(
            hostname="mx.shop.example",
            limits=Limits(commands=100_000, quiet_seconds=0.2),
            receiver=intake,
            configuration=configuration(),
            now=lambda: datetime.now(UTC),
        )
        listener = await open_listener(sock, Server(endpoint))
        try:
            return await asyncio.to_thread(send_all, listener.address[1], messages)
        finally:
            await listener.close(5)
