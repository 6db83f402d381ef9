"""What goes with every response, and what is refused before any page sees it.

Unsafe requests come from our own pages or not at all: the browser says so by ``Sec-Fetch-Site``, an older one
by ``Origin``; with the session cookie's SameSite that is the defence against forged requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from relaydesk.api import problem
from relaydesk.web.cookies import COOKIE

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from relaydesk.web.config import WebConfig

API = "/api/v1"
TOO_LONG = "This request is larger than anything that belongs here and was refused; nothing was done."
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


HSTS = "max-age=31536000"
SMALL, LARGE = 64_000, 40_000_000
"""Bytes of a request: of who is not signed in, and of any. Forms are read before a page sees them."""
SMALL_PATHS = ("/sign-in", "/sign-out", "/enter/", "/theme", "/account")


class Guard:
    """ASGI middleware. A header that a route has set itself is left as it is."""

    def __init__(self, app: ASGIApp, config: WebConfig) -> None:
        self.app, self._config = app, config
        self._headers = {**HEADERS, "Strict-Transport-Security": HSTS} if config.secure else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        # A token is never sent by a browser of its own accord, and the API takes no cookie.
        is_api = scope["path"].startswith(f"{API}/")
        if scope["method"] not in SAFE and not is_api and not self._is_from_ourselves(headers):
            refusal: Response = PlainTextResponse(
                "This request came from another site and was refused; nothing was done.", 403
            )
            await refusal(scope, receive, send_guarded)
            return
        bounded = BoundedBody(receive, self._most(scope, headers))
        if bounded.is_too_long(headers):
            refusal = problem(413, TOO_LONG) if is_api else PlainTextResponse(TOO_LONG, 413)
            await refusal(scope, receive, send_guarded)
            return
        try:
            await self.app(scope, bounded, send_guarded)
        except BodyTooLong:
            await PlainTextResponse(TOO_LONG, 413)(scope, receive, send_guarded)

    def _most(self, scope: Scope, headers: Headers) -> int:
        """How many bytes this request may have."""
        if scope["path"].startswith(f"{API}/"):
            return LARGE if headers.get("authorization") else SMALL  # whose token it is, the API asks first
        known = COOKIE in headers.get("cookie", "")
        return LARGE if known and not scope["path"].startswith(SMALL_PATHS) else SMALL

    def _is_from_ourselves(self, headers: Headers) -> bool:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site == "same-origin"
        if origin is None:
            return False
        return origin == self._config.address or urlsplit(origin).netloc == headers.get("host")


class BodyTooLong(Exception):  # noqa: N818 - what the client did
    """A request has more bytes than it may."""


class BoundedBody:
    """An ASGI ``receive`` that stops where a request has too many bytes."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most, self._read = receive, most, 0

    def is_too_long(self, headers: Headers) -> bool:
        """Whether the request says so itself."""
        length = headers.get("content-length", "0")
        return length.isascii() and length.isdigit() and int(length[:20]) > self._most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._most:
            raise BodyTooLong
        return message
