"""News for the pages that are open: the stream of server-sent events, and who looks at which ticket.

The stream lives on the event loop, so that an open page costs no thread. It holds names only (``ticket-41
tickets counts``); the page fetches what it shows, with its own cookie.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Form, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from relaydesk.characters import one_line
from relaydesk.store import StoreError
from relaydesk.web.cookies import COOKIE, cookie
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from relaydesk.desk import Desk
    from relaydesk.live import NewsFeed, Subscriber
    from relaydesk.web.pages import Pages

router = APIRouter()
HEARTBEAT = 20.0  # seconds; a proxy closes what is silent for a minute
PAUSE = 0.2  # seconds between two pieces of news, so that a burst is one
RETRY = 3000  # milliseconds after which a browser comes back
LARGEST_ID = 2**63 - 1
SHOWN = 5  # tickets named in one notice
MOST_TICKETS = 200  # asked for at a time
HEADERS = {"X-Accel-Buffering": "no"}  # nginx would hold news back


@router.get("/live")
async def live(request: Request, desk: TheDesk, visitor: TheVisitor, since: str = "") -> Response:
    """The stream. A browser that comes back names the last news it had, a new page where it stood."""
    feed: NewsFeed = desk.presence.live.feed
    token = cookie(request, COOKIE)
    subscriber = feed.subscribe(visitor.agent.name, token, request.headers.get("last-event-id") or since)
    events = _events(desk, feed, subscriber, token)
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


async def _events(desk: Desk, feed: NewsFeed, subscriber: Subscriber, token: str) -> AsyncIterator[str]:
    try:
        yield f"retry: {RETRY}\nevent: hello\ndata: {int(desk.clock().timestamp() * 1000)}\n\n"
        check_at = time.monotonic() + HEARTBEAT
        while subscriber.ending is None:
            remaining = check_at - time.monotonic()
            if remaining <= 0:
                if not await run_in_threadpool(_signed_in, desk, token):
                    yield _ending("signed-out")
                    return
                check_at = time.monotonic() + HEARTBEAT
                yield ":\n\n"
            elif await _woken(subscriber, remaining) and (news := feed.take(subscriber)):
                yield f"id: {news.position}\ndata: {' '.join(news.names)}\n\n"
                await asyncio.sleep(PAUSE)
        if subscriber.ending != "closed":
            yield _ending(subscriber.ending)
    finally:
        feed.leave(subscriber)


async def _woken(subscriber: Subscriber, seconds: float) -> bool:
    try:
        await asyncio.wait_for(subscriber.wake.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _ending(why: str) -> str:
    return f"event: end\ndata: {why}\n\n"


def _signed_in(desk: Desk, token: str) -> bool:
    try:
        return desk.accounts.signed_in(token)
    except StoreError:
        return True  # asked again soon


@router.get("/due")
def due(desk: TheDesk, visitor: TheVisitor) -> Response:
    """What the browser tells of deadlines, after the news ``due``: nothing where they are not one's own."""
    rows = desk.queues.just_due(visitor.agent)
    if not rows:
        return Response(status_code=204)
    over = sum(1 for row in rows if row.next_due is not None and row.next_due <= desk.clock())
    counts = (over, "past the deadline"), (len(rows) - over, "due soon")
    named = [f"#{row.id} {one_line(row.username or row.sender)}" for row in rows[:SHOWN]]
    return JSONResponse(
        {
            "title": ", ".join(f"{count} {words}" for count, words in counts if count),
            "text": ", ".join(named) + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""),
            "address": f"/tickets/{rows[0].id}" if len(rows) == 1 else "/views/mine",
        }
    )


TicketId = Annotated[int, Form(ge=1, le=LARGEST_ID)]
Tab = Annotated[str, Form(min_length=1, max_length=32, pattern="^[0-9A-Za-z-]+$")]


@router.post("/presence")
def say_presence(
    desk: TheDesk,
    visitor: TheVisitor,
    ticket: TicketId,
    tab: Tab,
    doing: Annotated[Literal["viewing", "writing", "gone"], Form()] = "viewing",
) -> Response:
    """A page says which ticket it shows, and when it goes."""
    if doing == "gone":
        desk.presence.leave(tab=tab, by=visitor.by)
    else:
        desk.presence.say(ticket, doing, tab=tab, by=visitor.by)
    return Response(status_code=204)


@router.get("/presence")
def presence(request: Request, visitor: TheVisitor, ticket: Annotated[list[int], Query()]) -> HTMLResponse:
    """Who is at some tickets, as the parts that rows and heads show."""
    tickets = list(dict.fromkeys(ticket))[:MOST_TICKETS]
    pages: Pages = request.app.state.pages
    return pages.page(request, visitor, "presence.html", part="presence", tickets=tickets)
