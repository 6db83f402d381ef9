"""Rendering: one Jinja environment, and what every page shows beside its own (the rail, the agent, colours).

A page is a template of ``templates/desk``; its parts are blocks. A request of htmx that names one of them as
its target (``HX-Target``) gets that block alone, anybody else the whole page: so every address works without
a script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from relaydesk.report import CONSTANTS, FILTERS
from relaydesk.web import wording
from relaydesk.web.done import SAID_COOKIE, said_before
from relaydesk.web.rail import rail_of
from relaydesk.web.static import StaticFiles

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from relaydesk.desk import Desk, Visitor
    from relaydesk.live import Present
    from relaydesk.web.config import WebConfig

THEMES = ("light", "dark")
THEME_COOKIE = "relaydesk_theme"


class Pages:
    """Makes responses of templates."""

    def __init__(self, config: WebConfig) -> None:
        self.static = StaticFiles(config.templates / "desk" / "static")
        self.zone = config.zone  # changes with the calendar
        self._environment = Environment(
            loader=FileSystemLoader([config.templates / "desk", config.templates]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(static=self.static.address, shop=config.shop)
        self._environment.globals.update(CONSTANTS)
        self._environment.filters.update({**FILTERS, **wording.FILTERS})

    def page(
        self,
        request: Request,
        visitor: Visitor,
        template: str,
        *,
        part: str | None = None,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """A page for who is signed in, or the block ``part`` of it where htmx asks for that alone.

        ``context`` are the template's names. Every template also knows ``you`` (the visitor's agent),
        their ``preferences`` and ``zone``, ``now``, ``theme``, ``path``, ``rail``, ``news`` (where the news
        stand), ``keys`` (whether single letters are on) and ``alone`` (whether no page is around it).
        """
        own = {"you": visitor.agent, "zone": visitor.zone, "preferences": visitor.preferences}
        own["keys"] = visitor.preferences.keys
        names = {**self._common(request), **own, **context}
        alone = part is not None and "hx-request" in request.headers
        names["alone"] = alone
        if not alone:
            names["rail"] = rail_of(request.app.state.desk, visitor, request.url.path)
        names["toast"] = None if alone else said_before(request)
        response = self._response(template, part if alone else None, names, status, headers)
        if names["toast"]:
            response.delete_cookie(SAID_COOKIE)
        return response

    def outside(self, request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """A page for who is not signed in."""
        return self._response(template, None, {**self._common(request), **context}, status, None)

    def problem(self, request: Request, status: int, sentence: str) -> HTMLResponse:
        """A sentence about what went wrong: a page, or for htmx the part ``#problem``."""
        part = "problem" if "hx-request" in request.headers else None
        headers = {"HX-Retarget": "#problem", "HX-Reswap": "outerHTML"} if part else None
        return self._response(
            "problem.html", part, {**self._common(request), "sentence": sentence}, status, headers
        )

    def _common(self, request: Request) -> dict[str, Any]:
        theme = request.cookies.get(THEME_COOKIE, "")
        desk: Desk = request.app.state.desk
        now: datetime = desk.clock()

        def who_is_at(ticket: int) -> tuple[Present, ...]:
            return desk.presence.who([ticket]).get(ticket, ())

        return {
            "who_is_at": who_is_at,
            "theme": theme if theme in THEMES else "",
            "now": now,
            "zone": self.zone,
            "toast": None,
            "news": getattr(request.state, "news", ""),
            "keys": True,
            "path": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        }

    def _response(
        self,
        name: str,
        part: str | None,
        names: dict[str, Any],
        status: int,
        headers: dict[str, str] | None,
    ) -> HTMLResponse:
        template = self._environment.get_template(name)
        if part is None:
            return HTMLResponse(template.render(names), status, headers)
        block = template.blocks[part]
        return HTMLResponse("".join(block(template.new_context(names))), status, headers)
