"""What admins look after: stored settings, the rules in force, the audit log, how relaydesk is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from relaydesk.api.callers import Admin, ApiDesk, RequestBody, RowKey, RowLimit
from relaydesk.api.once import OnceRoute
from relaydesk.desk import DeskError
from relaydesk.message import canonical_ip
from relaydesk.smtpd import read_flaw, reply_for

router = APIRouter(route_class=OnceRoute, tags=["administration"])
LONGEST_VALUE = 1_000_000  # characters


class NewValue(RequestBody):
    """``value`` is YAML as it would stand in relaydesk.yaml; null takes the stored one back. ``version`` is
    the newest one that was looked at, 0 for none."""

    value: str | None = Field(max_length=LONGEST_VALUE)
    version: int | None = Field(default=None, ge=0, le=2**31)
    why: str = Field(default="", max_length=500)


class EarlierVersion(RequestBody):
    """0 is the default, as nothing was stored."""

    version: int = Field(ge=0, le=2**31)


class Trial(RequestBody):
    """A message as it is, or the number of a stored one; ``peer`` is the address that it came from."""

    text: str = Field(default="", max_length=2_000_000)
    message: int | None = Field(default=None, ge=1, le=2**63 - 1)
    peer: str = Field(default="", max_length=100)


@router.get("/settings")
def settings(desk: ApiDesk, caller: Admin) -> list[dict[str, Any]]:
    """Every setting: its value without secrets, where it comes from, and who stored it."""
    return [
        {
            "name": each.shown.name,
            "value": each.shown.value,
            "source": each.shown.source,
            "place": each.shown.place,
            "stored": None if each.stored is None else asdict(each.stored),
        }
        for each in desk.settings.in_force(by=caller.by)
    ]


@router.get("/settings/{name}")
def setting(desk: ApiDesk, caller: Admin, name: str) -> dict[str, Any]:
    """One setting that can be stored: the text in force, and its versions, newest first."""
    return asdict(desk.settings.editable(name, by=caller.by))


@router.put("/settings/{name}")
def store_setting(desk: ApiDesk, caller: Admin, name: str, body: NewValue) -> dict[str, Any]:
    """Puts a value in force in every process within seconds."""
    version = desk.settings.store_value(name, body.value, version=body.version, by=caller.by, why=body.why)
    return {"name": name, "version": version}


@router.post("/settings/{name}/put-back")
def put_back(desk: ApiDesk, caller: Admin, name: str, body: EarlierVersion) -> dict[str, Any]:
    """Puts an earlier version in force again, as a new one."""
    return {"name": name, "version": desk.settings.put_back(name, body.version, by=caller.by)}


@router.get("/rules")
def rules(desk: ApiDesk, caller: Admin) -> dict[str, Any]:
    """The sorting rules in force, first match first, with how many messages each matched in 30 days."""
    return asdict(desk.rulebook.book(by=caller.by))


@router.post("/rules/try")
def try_rules(desk: ApiDesk, caller: Admin, body: Trial) -> dict[str, Any]:
    """What would become of a message, as ``relaydesk explain --json`` says it; nothing of it is kept."""
    raw, peer = body.text.encode("utf-8", "surrogateescape"), body.peer
    if body.message is not None:
        raw, came_from = desk.rulebook.stored_message(body.message, by=caller.by)
        peer = peer or came_from
    address = canonical_ip(peer)
    if address is None:
        raise DeskError(
            f"{peer or 'No address'} is not an IP address; give as peer where the message came from."
        )
    limits = desk.settings.book.settings(desk.settings.stored().values).limits
    return dict(
        desk.rulebook.try_out(
            raw,
            str(address),
            by=caller.by,
            flaw=lambda content: read_flaw(content, limits),
            reply=lambda decision: reply_for(decision).line(),
        )
    )


@router.post("/rules/proposals/{number}/accept")
def accept_proposal(desk: ApiDesk, caller: Admin, number: RowKey) -> dict[str, Any]:
    """Puts a proposed rule in force, before the shop's others; the version of the rules."""
    return {"name": "rules", "version": desk.settings.accept_proposal(number, by=caller.by)}


@router.get("/audit")
def audit(
    desk: ApiDesk,
    caller: Admin,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    actor: Annotated[str, Query(max_length=200)] = "",
    what: Annotated[str, Query(max_length=100)] = "",
    limit: RowLimit = 100,
) -> dict[str, Any]:
    """The audit log, newest first; of one agent or one word where given."""
    lines = desk.audit_log.page(by=caller.by, before=before, actor=actor, what=what, limit=limit)
    return {
        "lines": [{**asdict(line), "facts": dict(line.facts)} for line in lines],
        "cursor": str(lines[-1].id) if len(lines) == limit else None,
    }


@router.get("/health")
def health(desk: ApiDesk, caller: Admin) -> dict[str, Any]:
    """The processes that were seen, what waits, and what the newest run of the checks found."""
    now = desk.health.now(by=caller.by)
    return {
        "processes": [asdict(seen) for seen in now.processes],
        "last_mail": now.last_mail,
        "waiting": dict(now.waiting),
        "running_clocks": now.running_clocks,
        "unindexed": now.unindexed,
        "database": {"engine": now.engine, "bytes": now.size},
        "settings": now.settings_id,
        "check": None if now.check is None else asdict(now.check),
    }
