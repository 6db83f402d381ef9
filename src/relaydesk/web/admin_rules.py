"""The sorting rules in order, tried on a message; and the allowlist with its audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.desk import DeskError, NotPermitted, SettingChanged
from relaydesk.message import canonical_ip
from relaydesk.smtpd import read_flaw, reply_for
from relaydesk.web.admin import admin_page
from relaydesk.web.admin_settings import IN_FORCE
from relaydesk.web.done import done
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaydesk.desk import Desk, Visitor
    from relaydesk.policy import Decision
    from relaydesk.reasons import Reason

router = APIRouter(prefix="/admin")
Text = Annotated[str, Form()]
RULES, ALLOWLIST = "/admin/rules", "/admin/allowlist"
KINDS = ("case", "claim", "chargeback", "notice", "unsorted")
LISTS = ("networks", "relays", "proxies", "senders")


@router.get("/rules")
def rules(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """The rules in order."""
    return _rules(request, desk, visitor)


@router.post("/rules/try")
def try_out(
    request: Request, desk: TheDesk, visitor: TheVisitor, message: Text = "", peer: Text = ""
) -> Response:
    """What would become of a message, pasted or stored."""
    try:
        raw, origin = _message(desk, visitor, message.strip())
        address = canonical_ip(peer.strip() or origin)
        if address is None:
            raise DeskError(
                f"{peer.strip() or 'No address'} is not an IP address; say where the message came from, such "
                "as 66.220.144.130."
            )
        peer = str(address)
        tried = desk.rulebook.try_out(raw, peer, by=visitor.by, flaw=_flaw(desk), reply=_reply)
    except NotPermitted:
        raise
    except DeskError as problem:
        return _rules(request, desk, visitor, trial=(message, peer), trial_problem=str(problem), status=409)
    return _rules(request, desk, visitor, trial=(message, peer), tried=tried)


@router.post("/rules/new")
def new_rule(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    name: Text = "",
    kind: Text = "",
    sender: Text = "",
    subject: Text = "",
    sample_from: Text = "",
    sample_subject: Text = "",
    why: Text = "",
) -> Response:
    """A rule of the shop's own, before all others."""
    rule: dict[str, Any] = {"name": name.strip(), "kind": kind}
    if sender.strip():
        rule["from"] = sender.strip()
    if subject.strip():
        rule["subject"] = {"en": [subject.strip()]}
    rule["why"] = why.strip() or f"the shop's own rule {name.strip()}"
    rule["sample"] = {"from": sample_from.strip(), "subject": sample_subject.strip()}
    return _change_rules(
        request,
        desk,
        visitor,
        lambda own: [rule, *own],
        f"Rule {name.strip()} is stored, before all others.",
        rule=rule,
        why=why,
    )


@router.post("/rules/{name}/up")
def move_up(request: Request, desk: TheDesk, visitor: TheVisitor, name: str) -> Response:
    """One of the shop's own rules comes before the one above it."""

    def moved(own: list[dict[str, Any]]) -> list[dict[str, Any]]:
        at = _place(own, name)
        own[max(0, at - 1) : at + 1] = reversed(own[max(0, at - 1) : at + 1])
        return own

    return _change_rules(request, desk, visitor, moved, f"{name} comes earlier now.", why=f"{name} earlier")


@router.post("/rules/{name}/remove")
def remove(request: Request, desk: TheDesk, visitor: TheVisitor, name: str) -> Response:
    """One of the shop's own rules is taken out; its versions stay."""

    def without(own: list[dict[str, Any]]) -> list[dict[str, Any]]:
        del own[_place(own, name)]
        return own

    said = f"Rule {name} is out of force."
    return _change_rules(request, desk, visitor, without, said, why=f"{name} out of force")


@router.get("/allowlist")
def allowlist(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """The lists in force, and the newest audit."""
    return _allowlist(request, desk, visitor)


@router.post("/allowlist/entries")
def add_entry(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    which: Text = "networks",
    entry: Text = "",
    note: Text = "",
    version: Annotated[int, Form()] = 0,
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
    which: Text,
    entry: Text,
    version: Annotated[int, Form()] = 0,
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
    steps = request.app.state.checks.get("allowlist")
    if steps is None:
        raise DeskError("This desk runs without an office process; use `relaydesk allowlist audit`.")
    stored = desk.settings.stored().values
    desk.health.begin("allowlist", steps(desk.settings.book.settings(stored)), by=visitor.by)
    return done(request, ALLOWLIST, "The audit has begun; what it finds comes in below.")


def entry_name(entry: object) -> str:
    """What an entry of a list is about: its network or domain."""
    if isinstance(entry, dict):
        return str(entry.get("network") or entry.get("domain") or "")
    return str(entry)


def _message(desk: Desk, visitor: Visitor, text: str) -> tuple[bytes, str]:
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 19:  # noqa: PLR2004 - what a database numbers
        return desk.rulebook.stored_message(int(number), by=visitor.by)
    return text.encode("utf-8", "surrogateescape") + b"\n", ""


def _flaw(desk: Desk) -> Any:
    limits = desk.settings.book.settings(desk.settings.stored().values).limits

    def flaw(raw: bytes) -> Reason | None:
        return read_flaw(raw, limits)

    return flaw


def _reply(decision: Decision) -> str:
    return reply_for(decision).line()


def _place(own: list[dict[str, Any]], name: str) -> int:
    place = next((number for number, rule in enumerate(own) if rule.get("name") == name), None)
    if place is None:
        raise DeskError(f"{name} is none of the shop's own rules.")
    return place


def _change_rules(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    change: Any,
    said: str,
    *,
    why: str,
    rule: dict[str, Any] | None = None,
) -> Response:
    editable = desk.settings.editable("rules", by=visitor.by)
    written = desk.settings.book.value("rules", desk.settings.stored().values) or {}
    try:
        changed = {**written, "rules": change(list(written.get("rules") or []))}
        text = desk.settings.book.written(changed)
        desk.settings.store_value("rules", text, version=editable.version, by=visitor.by, why=why)
    except NotPermitted:
        raise
    except DeskError as problem:
        return _rules(request, desk, visitor, rule=rule, problem=str(problem), status=409)
    return done(request, RULES, said)


def _change_lists(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    change: Any,
    said: str,
    version: int,
    entered: tuple[str, str, str],
) -> Response:
    written = desk.settings.book.value("allowlist", desk.settings.stored().values) or {}
    try:
        text = desk.settings.book.written(change(written))
        desk.settings.store_value("allowlist", text, version=version, by=visitor.by, why=said)
    except NotPermitted:
        raise
    except DeskError as problem:
        newest = problem.newest if isinstance(problem, SettingChanged) else None
        return _allowlist(
            request, desk, visitor, problem=str(problem), newest=newest, entered=entered, status=409
        )
    return done(request, ALLOWLIST, said or IN_FORCE)


def _rules(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    *,
    trial: tuple[str, str] = ("", ""),
    tried: Mapping[str, Any] | None = None,
    trial_problem: str = "",
    rule: dict[str, Any] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    return admin_page(
        request,
        visitor,
        "rules",
        part="tried",
        book=desk.rulebook.book(by=visitor.by),
        editable=desk.settings.editable("rules", by=visitor.by),
        trial=trial,
        tried=tried,
        trial_problem=trial_problem,
        rule=rule,
        kinds=KINDS,
        problem=problem,
        status=status,
    )


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
