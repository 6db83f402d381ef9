"""The cookies of signing in: what each is called, and how it is set and read.

Where browsers come by https only, names begin with ``__Host-``: no other host of the domain can set them
(RFC 6265bis §4.1.3.2).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from datetime import timedelta

    from starlette.requests import Request
    from starlette.responses import Response

COOKIE = "relaydesk_session"
MARK_COOKIE = "relaydesk_device"
STEP_COOKIE = "relaydesk_step"
VISIT_COOKIE = "relaydesk_visit"
MARK_SECONDS = 180 * 24 * 3600
STEP_SECONDS = 600


def cookie_name(request: Request, name: str) -> str:
    """What a cookie is called here."""
    return f"__Host-{name}" if request.app.state.config.secure else name


def cookie(request: Request, name: str) -> str:
    """What the browser sends for a cookie, "" for nothing."""
    return request.cookies.get(cookie_name(request, name), "")


def set_cookie(
    request: Request, response: Response, name: str, value: str, *, lasts: timedelta | int | None
) -> None:
    """Sets one that no script reads and no other site sends along; ``lasts`` None: until it closes."""
    seconds = lasts if isinstance(lasts, int) or lasts is None else int(lasts.total_seconds())
    secure: bool = request.app.state.config.secure
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
    )


def delete_cookie(request: Request, response: Response, name: str) -> None:
    """Takes one back."""
    secure: bool = request.app.state.config.secure
    response.delete_cookie(cookie_name(request, name), path="/", httponly=True, samesite="lax", secure=secure)


def packed(values: dict[str, Any]) -> str:
    """Several values in one cookie."""
    return quote(json.dumps(values, separators=(",", ":")), safe="")


def unpacked(text: str) -> dict[str, Any]:
    """What was packed; nothing of what was not."""
    try:
        values = json.loads(unquote(text))
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
