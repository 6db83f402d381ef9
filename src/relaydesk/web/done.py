"""The answer to an act that went well: what was done is said once, with Undo where there is one.

A page of htmx stays where it is: it gets no content but events (``HX-Trigger``) on which the parts that show
what has changed fetch themselves anew, as they do when somebody else changes it. A browser without a script
is sent on, and the next page says it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

SAID_COOKIE = "relaydesk_said"
SAID_SECONDS = 30
LONGEST = 300  # characters of a sentence in the cookie


def done(
    request: Request,
    to: str,
    sentence: str,
    *,
    undo: str = "",
    seconds: int = 0,
    changed: Iterable[str] = (),
    leaves: bool = False,
) -> Response:
    """``sentence`` says what was done, ``undo`` is the address to POST to within its time, ``to`` the page
    that a browser without a script goes on to; one with a script too, where the act ``leaves`` its page.

    ``seconds`` are counted down behind the sentence. ``changed`` names the events of what has changed:
    ``ticket-41``, ``tickets`` (any list), ``counts`` (the rail), ``outbox``.
    """
    toast = {"text": sentence, "undo": undo, "seconds": seconds}
    scripted = "hx-request" in request.headers
    if scripted and not leaves:
        events = {"toast": toast, **{name: {} for name in changed}}
        return Response(status_code=204, headers={"HX-Trigger": json.dumps(events)})
    response: Response = (
        Response(status_code=204, headers=_onward(request, to))
        if scripted
        else RedirectResponse(to, status_code=303)
    )
    kept = quote(json.dumps({**toast, "text": sentence[:LONGEST]}), safe="")
    response.set_cookie(SAID_COOKIE, kept, max_age=SAID_SECONDS, httponly=True, samesite="lax")
    return response


def _onward(request: Request, to: str) -> dict[str, str]:
    """To another page; the page that it is on already is loaded anew, which a mere ``#part`` would not do."""
    current = urlsplit(request.headers.get("hx-current-url", "")).path
    return {"HX-Refresh": "true"} if current == urlsplit(to).path else {"HX-Redirect": to}


def said_before(request: Request) -> dict[str, Any] | None:
    """What the act before this page has to say: ``text``, ``undo`` and ``seconds``."""
    try:
        toast = json.loads(unquote(request.cookies.get(SAID_COOKIE, "")))
    except ValueError:
        return None
    if not isinstance(toast, dict) or not isinstance(toast.get("text"), str):
        return None
    undo = toast.get("undo")
    ours = isinstance(undo, str) and undo.startswith("/") and not undo.startswith("//")
    seconds = toast.get("seconds")
    return {
        "text": toast["text"],
        "undo": undo if ours else "",
        "seconds": seconds if isinstance(seconds, int) else 0,
    }
