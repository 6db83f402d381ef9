"""The allowlist: its entries, and its audit against DNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.desk import DeskError, NotPermitted, SettingChanged
from relaydesk.web.admin import admin_page
from relaydesk.web.done import done
from relaydesk.web.forms import TextField, VersionField
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from relaydesk.desk import Desk, Visitor

router = APIRouter(prefix="/admin")
ALLOWLIST = "/admin/allowlist"
LISTS = ("networks", "relays", "proxies", "senders")


@router.get("/allowlist")
def allowlist(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """The lists in force, and the newest audit."""
    return _allowlist(request, desk, visitor)


@router.post("/allowlist/entries")
def add_entry(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    which: TextField = "networks",
    entry: TextField = "",
    note: TextField = "",
    version: VersionField = 0,
) -> Response:
    """A network or a sender more."""
    key = "domain" if which == "senders" else "network"
    written = {key: entry.strip(), **({"note": note.strip()} if note.strip() else {})}

    def added(lists: dict[str, Any]) -> dict[str, Any]:
        return {**lists, which: [*(lists.get(which) or []), written]}

    if which not in LISTS:
        raise DeskError(f"There is no list {which}; there are {', '.join(LISTS)}.")
    return _change_lists(
        request, desk, visitor, added, f"{entry.strip()} is listed.", version, (which, entry, note)
    )


@router.post("/allowlist/entries/remove")
def remove_entry(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    which: TextField,
    entry: TextField,
    version: VersionField = 0,
) -> Response:
    """A network or a sender less."""

    def without(lists: dict[str, Any]) -> dict[str, Any]:
        return {**lists, which: [each for each in lists.get(which) or [] if entry_name(each) != entry]}

    return _change_lists(
        request, desk, visitor, without, f"{entry} is no longer listed.", version, ("", "", "")
    )


@router.post("/allowlist/audit")
def audit(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """Compares the list with DNS, beside the page."""
    desk.health.begin("allowlist", request.app.state.checks.get("allowlist"), by=visitor.by)
    return done(request, ALLOWLIST, "The audit has begun; what it finds comes in below.")


def entry_name(entry: object) -> str:
    """What an entry of a list is about: its network or domain."""
    if isinstance(entry, dict):
        return str(entry.get("network") or entry.get("domain") or "")
    return str(entry)


def _change_lists(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    change: Any,
    sentence: str,
    version: int,
    entered: tuple[str, str, str],
) -> Response:
    written = desk.settings.book.value("allowlist", desk.settings.stored().values) or {}
    try:
        text = desk.settings.book.written(change(written))
        desk.settings.store_value("allowlist", text, version=version, by=visitor.by, why=sentence)
    except NotPermitted:
        raise
    except DeskError as problem:
        newest = problem.newest if isinstance(problem, SettingChanged) else None
        return _allowlist(
            request, desk, visitor, problem=str(problem), newest=newest, entered=entered, status=409
        )
    return done(request, ALLOWLIST, sentence)


def _allowlist(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    *,
    problem: str = "",
    newest: object = None,
    entered: tuple[str, str, str] = ("", "", ""),
    status: int = 200,
) -> Response:
    stored = desk.settings.stored().values
    run = desk.health.latest("allowlist", by=visitor.by)
    written = desk.settings.book.value("allowlist", stored) or {}
    return admin_page(
        request,
        visitor,
        "allowlist",
        part="audit",
        lists={name: [(entry_name(each), each) for each in written.get(name) or []] for name in LISTS},
        editable=desk.settings.editable("allowlist", by=visitor.by),
        drift=desk.refusals.board("drift", by=visitor.by).drift,
        run=run,
        running=desk.health.running(run),
        problem=problem,
        newest=newest,
        entered=entered,
        status=status,
    )
