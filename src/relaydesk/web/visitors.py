"""Who asks for a page: the agent of the session that the cookie names."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from relaydesk.desk import Desk, Device, Visitor
from relaydesk.web.cookies import COOKIE, MARK_COOKIE, cookie


class SignInNeeded(Exception):  # noqa: N818 - a state: nobody is signed in
    """A page was asked for without a session, or with one that has ended."""


def desk_of(request: Request) -> Desk:
    """The desk behind the pages."""
    desk: Desk = request.app.state.desk
    return desk


def visitor_of(request: Request) -> Visitor:
    """The agent who is signed in. SignInNeeded for none.

    Notes where the news stand before anything is read, so that the page misses none that come after it.
    """
    request.state.news = desk_of(request).presence.live.feed.position
    token = cookie(request, COOKIE)
    visitor = desk_of(request).accounts.visitor(token) if token else None
    if visitor is None:
        raise SignInNeeded
    return visitor


def device_of(request: Request) -> Device:
    """The browser that asks."""
    return Device(
        address=request.client.host if request.client else "",
        browser=request.headers.get("user-agent", ""),
        mark=cookie(request, MARK_COOKIE),
        token=cookie(request, COOKIE),
    )


TheDesk = Annotated[Desk, Depends(desk_of)]
TheVisitor = Annotated[Visitor, Depends(visitor_of)]
TheDevice = Annotated[Device, Depends(device_of)]
