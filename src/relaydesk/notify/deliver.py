"""Delivering news: posts to webhooks, digests to agents' mailboxes; tried again for a day, then given up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx2

from relaydesk.characters import one_line
from relaydesk.logs import log
from relaydesk.notify.signing import signed_headers
from relaydesk.store import webhooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from datetime import datetime

    from relaydesk.outbound import Courier
    from relaydesk.store import ClaimedNews, Store

LEASE = timedelta(minutes=2)
AT_ONCE = 10
SECONDS = 10.0  # for one post, name look-up and TLS included
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
GIVE_UP = timedelta(hours=24)
GONE = 410  # the receiver does not want this any more (RFC 9110 §15.5.11)
SMTP_GOOD, SMTP_FINAL = 2, 5  # first digits (RFC 5321 §4.2.1)
LONGEST_TEXT = 300  # characters of what a receiver said that are kept
LONGEST_READ = 4_096  # bytes that are read of it


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a try ended: an HTTP status or SMTP code (0 for no reply), and words."""

    good: bool
    code: int
    text: str
    final: bool = False


@dataclass(slots=True)
class Deliverer:
    """Delivers the news of one store. ``worker`` names this process in leases; ``sender`` sends mail."""

    store: Store
    worker: str
    clock: Callable[[], datetime]
    workers: Executor
    carrier: Courier | None = None
    sender: str = ""

    async def round(self) -> int:
        """Delivers what is due now; how many pieces were tried."""
        loop = asyncio.get_running_loop()
        claimed = await loop.run_in_executor(self.workers, self._claim)
        if not claimed:
            return 0
        async with httpx2.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            await asyncio.gather(*(self._deliver(client, news) for news in claimed))
        return len(claimed)

    def _claim(self) -> tuple[ClaimedNews, ...]:
        now = self.clock()
        with self.store.reading() as session:
            if not webhooks.anything_due(session, now):
                return ()
        with self.store.transaction() as session:
            return webhooks.claim(session, self.worker, now, LEASE, AT_ONCE)

    async def _deliver(self, client: httpx2.AsyncClient, news: ClaimedNews) -> None:
        outcome = await (self._post(client, news) if news.webhook_id is not None else self._mail(news))
        await asyncio.get_running_loop().run_in_executor(self.workers, self._ended, news, outcome)

    async def _post(self, client: httpx2.AsyncClient, news: ClaimedNews) -> _Outcome:
        loop = asyncio.get_running_loop()
        target = await loop.run_in_executor(self.workers, self._target, news.webhook_id)
        if target is None:
            return _Outcome(good=False, code=0, text="The webhook was stopped or removed.", final=True)
        url, secret = target
        body = news.body.encode()
        headers = signed_headers(secret, f"news_{news.id}", body, self.clock())
        headers |= {"content-type": "application/json", "user-agent": "relaydesk"}
        try:
            async with (
                asyncio.timeout(SECONDS),
                client.stream("POST", url, content=body, headers=headers) as reply,
            ):
                heard = b""
                async for piece in reply.aiter_bytes():
                    heard += piece
                    if len(heard) > LONGEST_READ:
                        break
        except TimeoutError:
            return _Outcome(good=False, code=0, text=f"No reply within {SECONDS:.0f} s.")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            return _Outcome(good=False, code=0, text=f"{type(error).__name__}: {error}"[:LONGEST_TEXT])
        words = one_line(heard.decode("utf-8", "replace"))[:LONGEST_TEXT]
        return _Outcome(reply.is_success, reply.status_code, words, final=reply.status_code == GONE)

    def _target(self, webhook_id: int | None) -> tuple[str, str] | None:
        with self.store.reading() as session:
            return webhooks.address(session, webhook_id or 0)

    async def _mail(self, news: ClaimedNews) -> _Outcome:
        if self.carrier is None:
            return _Outcome(good=False, code=0, text="No mail is sent: set support_contact.", final=True)
        raw = news.body.encode("utf-8", "surrogateescape").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        reply = await self.carrier.deliver(self.sender, news.recipient, raw)
        words = one_line(reply.text)[:LONGEST_TEXT]
        return _Outcome(reply.severity == SMTP_GOOD, reply.code, words, final=reply.severity == SMTP_FINAL)

    def _ended(self, news: ClaimedNews, outcome: _Outcome) -> None:
        now = self.clock()
        over = outcome.final or now - news.created_at >= GIVE_UP
        with self.store.transaction() as session:
            if outcome.good or over:
                state = "sent" if outcome.good else "failed"
                webhooks.end(session, news, state, outcome.code, outcome.text, ended_at=now)  # type: ignore[arg-type]
            else:
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(news.attempts - 1, 20))
                webhooks.end(session, news, "queued", outcome.code, outcome.text, next_try_at=now + pause)
            if outcome.code == GONE and news.webhook_id is not None:
                gone = "Its receiver answered 410: it wants no more."
                webhooks.change(session, news.webhook_id, active=False, stopped_because=gone)
        if not outcome.good:
            log(
                "news_not_delivered",
                level="warning",
                limit_by="",
                webhook=news.webhook_id,
                code=outcome.code,
                given_up=over,
            )
