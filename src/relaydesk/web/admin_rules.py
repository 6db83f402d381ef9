"""The sorting rules in order, tried on a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.desk import DeskError, NotPermitted
from relaydesk.message import canonical_ip
from relaydesk.smtpd import read_flaw, reply_for
from relaydesk.web.admin import admin_page
from relaydesk.web.done import done
from relaydesk.web.forms import TextField
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaydesk.desk import Desk, Visitor
    from relaydesk.policy import Decision
    from relaydesk.reasons import Reason

router = APIRouter(prefix="/admin")
RULES = "/admin/rules"
KINDS = ("case", "claim", "chargeback", "notice", "unsorted")


@router.get("/rules")
def rules(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """The rules in order."""
    return _rules(request, desk, visitor)


@router.post("/rules/try")
def try_out(
    request: Request, desk: TheDesk, visitor: TheVisitor, message: TextField = "", peer: TextField = ""
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
    name: TextField = "",
    kind: TextField = "",
    sender: TextField = "",
    subject: TextField = "",
    sample_from: TextField = "",
    sample_subject: TextField = "",
    why: TextField = "",
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

    sentence = f"Rule {name} is out of force."
    return _change_rules(request, desk, visitor, without, sentence, why=f"{name} out of force")


@router.post("/proposals/{number}/accept")
def accept(request: Request, desk: TheDesk, visitor: TheVisitor, number: int) -> Response:
    """What an agent proposed is in force, before the shop's other rules."""
    desk.settings.accept_proposal(number, by=visitor.by)
    return done(request, RULES, f"The rule of proposal {number} is in force, before all others.")


@router.post("/proposals/{number}/decline")
def decline(
    request: Request, desk: TheDesk, visitor: TheVisitor, number: int, note: TextField = ""
) -> Response:
    """What an agent proposed stays out of force."""
    desk.rules.settle(number, "declined", by=visitor.by, note=note)
    return done(request, RULES, f"Proposal {number} is declined.")


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
    sentence: str,
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
    return done(request, RULES, sentence)


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
        proposals=desk.rules.proposals(),
        trial=trial,
        tried=tried,
        trial_problem=trial_problem,
        rule=rule,
        kinds=KINDS,
        problem=problem,
        status=status,
    )
