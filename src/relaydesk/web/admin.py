"""What the pages of admins and leads share: the sub-navigation, and how a refused change is shown again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import HTMLResponse

    from relaydesk.desk import Visitor
    from relaydesk.web.pages import Pages


@dataclass(frozen=True, slots=True)
class Section:
    """One page of the sub-navigation."""

    path: str
    name: str
    icon: str
    for_leads: bool = False


SECTIONS = (
    Section("agents", "Agents", "people"),
    Section("queues", "Queues", "case"),
    Section("calendar", "Calendar", "cal"),
    Section("templates", "Templates", "template"),
    Section("rules", "Rules", "rule"),
    Section("allowlist", "Allowlist", "proven"),
    Section("outbox", "Outbox", "outbox", for_leads=True),
    Section("refusals", "Refusals", "ban", for_leads=True),
    Section("audit", "Audit log", "file"),
    Section("health", "Health", "health"),
    Section("settings", "What is in force", "eye"),
)


def admin_page(
    request: Request,
    visitor: Visitor,
    section: str,
    *,
    template: str = "",
    part: str | None = None,
    status: int = 200,
    **context: Any,
) -> HTMLResponse:
    """One of these pages, or its block ``part`` where htmx asks for that."""
    pages: Pages = request.app.state.pages
    shown = [each for each in SECTIONS if each.for_leads or visitor.agent.role == "admin"]
    return pages.page(
        request,
        visitor,
        template or f"admin_{section}.html",
        part=part,
        status=status,
        sections=shown,
        section=next(each for each in SECTIONS if each.path == section),
        **{"problem": "", "text": None, **context},
    )
