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
class AdminSection:
    """One page of the sub-navigation."""

    path: str
    name: str
    icon: str
    for_leads: bool = False


SECTIONS = (
    AdminSection("agents", "Agents", "people"),
    AdminSection("queues", "Queues", "case"),
    AdminSection("calendar", "Calendar", "cal"),
    AdminSection("templates", "Templates", "template"),
    AdminSection("rules", "Rules", "rule"),
    AdminSection("allowlist", "Allowlist", "proven"),
    AdminSection("outbox", "Outbox", "outbox", for_leads=True),
    AdminSection("refusals", "Refusals", "ban", for_leads=True),
    AdminSection("audit", "Audit log", "file"),
    AdminSection("health", "Health", "health"),
    AdminSection("settings", "What is in force", "eye"),
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
