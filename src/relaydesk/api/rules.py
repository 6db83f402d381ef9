"""Sorting rules that people propose from a mail."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from relaydesk.api.callers import Body, Number, Reader, TheDesk, Writer
from relaydesk.api.once import OnceRoute
from relaydesk.desk import RuleWords

router = APIRouter(route_class=OnceRoute, tags=["rules"])


class NewRule(Body):
    """``sender`` and ``subject`` are by default those of the message, which is by default the latest."""

    kind: Literal["case", "claim", "chargeback", "notice"]
    message: int | None = Field(default=None, ge=1, le=2**63 - 1)
    sender: str | None = Field(default=None, max_length=320)
    subject: str | None = Field(default=None, max_length=1_000)
    dry_run: bool = False


class Settled(Body):
    how: Literal["accepted", "declined"]
    note: str = Field(default="", max_length=1_000)


@router.get("/rules/proposals")
def proposals(
    desk: TheDesk,
    caller: Reader,
    everything: Annotated[bool, Query(alias="all")] = False,
) -> list[dict[str, Any]]:
    """The rules that wait, oldest first; with ``all`` those that are settled too, newest first."""
    del caller
    return [asdict(row) for row in desk.rules.proposals(settled=everything)]


@router.post("/tickets/{ticket_id}/rules", status_code=201)
def propose(desk: TheDesk, caller: Writer, ticket_id: Number, body: NewRule) -> dict[str, Any]:
    """Proposes a rule from a mail of a ticket, and says which stored mail it fits; ``dry_run`` only says."""
    draft = desk.rules.draft(ticket_id, body.message)
    words = RuleWords(
        draft.sender if body.sender is None else body.sender,
        draft.subject if body.subject is None else body.subject,
    )
    trial = desk.rules.try_on(words, body.kind)
    number = None
    if not body.dry_run:
        number = desk.rules.propose(ticket_id, body.message, words, body.kind, by=caller.by)
    fits = {"looked_at": trial.looked_at, "listed": trial.listed, "matched": len(trial.matched)}
    return {"proposal": number, "kind": body.kind, **asdict(words), **fits}


@router.get("/rules/proposals/{number}")
def proposal(desk: TheDesk, caller: Reader, number: Number) -> dict[str, Any]:
    """One proposal, with the text of its rule."""
    del caller
    return asdict(desk.rules.proposal(number))


@router.post("/rules/proposals/{number}/withdraw")
def withdraw(desk: TheDesk, caller: Writer, number: Number) -> dict[str, Any]:
    """Takes a proposal back; another agent's takes a lead."""
    desk.rules.withdraw(number, by=caller.by)
    return asdict(desk.rules.proposal(number))


@router.post("/rules/proposals/{number}/settle")
def settle(desk: TheDesk, caller: Writer, number: Number, body: Settled) -> dict[str, Any]:
    """States that a proposal was put in force or declined; a lead does."""
    desk.rules.settle(number, body.how, by=caller.by, note=body.note)
    return asdict(desk.rules.proposal(number))
