"""One act on many tickets: each is an act of its own, and the answer says which were not done, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.desk import DeskError
from relaydesk.web.done import done
from relaydesk.web.forms import ShortText
from relaydesk.web.problems import on_page
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from relaydesk.desk import Desk, Visitor

router = APIRouter()
MOST = 200  # tickets of one bulk act
NAMED = 3  # tickets of which the answer says why they were not done
Picked = Annotated[list[int] | None, Form()]
DONE = {
    "take": "taken",
    "assign": "assigned",
    "move": "moved",
    "close": "closed",
    "snooze": "snoozed",
    "looked": "marked as looked at",
}


@dataclass(slots=True)
class _Tally:
    """What became of each: done, the event by which it can be undone, or the sentence of why it was not."""

    done: list[int] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


@router.post("/bulk")
def bulk(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    act: ShortText,
    ticket: Picked = None,
    agent: ShortText = "",
    queue: ShortText = "",
    why: ShortText = "",
    choice: ShortText = "",
    back: ShortText = "/",
) -> Response:
    """Takes, assigns, moves, closes or snoozes every ticket that is ticked."""
    doing = _act(desk, visitor, act, agent=agent, queue=queue, why=why, choice=choice)
    picked = list(dict.fromkeys(ticket or []))
    if not picked:
        raise DeskError("Nothing was done: no ticket is ticked.")
    if len(picked) > MOST:
        raise DeskError(f"Nothing was done: {len(picked)} tickets are ticked; tick {MOST} at most.")
    outcome = _each(picked, doing)
    if not outcome.done:
        raise DeskError(_sentence(act, outcome))
    undo = "/bulk/undo?" + "&".join(f"event={event}" for event in outcome.events) if outcome.events else ""
    to = back if back.startswith("/") and not back.startswith("//") else "/"
    return done(request, to, _sentence(act, outcome), undo=undo, changed=_changed(outcome.done))


@router.post("/bulk/undo")
def undo(request: Request, desk: TheDesk, visitor: TheVisitor) -> Response:
    """Undoes one's own bulk act of a moment ago; each ticket for itself."""
    events = [int(text) for text in request.query_params.getlist("event")[:MOST] if _is_number(text)]
    outcome = _each(events, lambda event: desk.tickets.undo(event, by=visitor.by))
    if not outcome.events:
        reason = outcome.refused[0][1] if outcome.refused else "nothing was chosen."
        raise DeskError(f"Nothing was undone: {reason}")
    count = len(outcome.events)
    sentence = f"Undone for {count} ticket{'s' * (count > 1)}."
    sentence += f" {len(outcome.refused)} could not be: {outcome.refused[0][1]}" if outcome.refused else ""
    return done(request, "/", sentence, changed=_changed(outcome.events))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18  # noqa: PLR2004 - what a column holds


def _act(
    desk: Desk, visitor: Visitor, act: str, *, agent: str, queue: str, why: str, choice: str
) -> Callable[[int], int | None]:
    """What is done with one ticket; it gives the number of the event by which that can be undone."""
    tickets, by = desk.tickets, visitor.by
    acts: dict[str, Callable[[int], int | None]] = {
        "take": lambda number: tickets.take(number, by=by),
        "assign": lambda number: tickets.assign(number, agent or None, by=by),
        "move": lambda number: tickets.move(number, queue, by=by, why=why),
        "close": lambda number: tickets.close(number, by=by),
        "looked": lambda number: tickets.mark_looked_at(number, by=by),
    }
    if act == "snooze":
        until = _until(desk, visitor, choice)
        return lambda number: tickets.snooze(number, until, by=by)
    if act not in acts:
        raise DeskError("Nothing was done: choose what to do with the tickets.")
    return acts[act]


def _until(desk: Desk, visitor: Visitor, choice: str) -> datetime:
    offered = desk.tickets.snooze_choices(visitor.zone)
    until = next((moment.until for moment in offered if moment.key == choice), None)
    if until is None:
        raise DeskError("Nothing was snoozed: choose until when.")
    return until


def _each(numbers: Iterable[int], act: Callable[[int], int | None]) -> _Tally:
    outcome = _Tally()
    for number in numbers:
        try:
            event = act(number)
        except DeskError as error:
            outcome.refused.append((number, on_page(str(error))))
            continue
        outcome.done.append(number)
        if event is not None:
            outcome.events.append(event)
    return outcome


def _changed(numbers: Iterable[int]) -> list[str]:
    return ["tickets", "counts", *(f"ticket-{number}" for number in numbers)]


def _sentence(act: str, outcome: _Tally) -> str:
    count, refused = len(outcome.done), outcome.refused
    sentence = f"{count} ticket{'s' * (count != 1)} {DONE[act]}." if count else f"No ticket was {DONE[act]}."
    if refused:
        why = " ".join(f"#{number}: {reason}" for number, reason in refused[:NAMED])
        others = len(refused) - NAMED
        sentence += f" Not done for {len(refused)}: {why}" if count else f" {why}"
        sentence += f" And {others} more." if others > 0 else ""
    return sentence
