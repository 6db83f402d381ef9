"""The command palette: what a few letters lead to. The script shows it over the page, else it is a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from relaydesk.web.rail import rail_of
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from relaydesk.desk import Desk, Visitor
    from relaydesk.store import TicketRow
    from relaydesk.web.pages import Pages

router = APIRouter()
LONGEST_TEXT = 100
MOST_TICKETS, MOST_PLACES, MOST_ACTS = 6, 8, 6
SHORTEST_SEARCH = 2  # letters from which tickets are looked for
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Command:
    """One line: where it leads, its words, its icon, and its keys. ``press`` is the key of the element of the
    open page that does it."""

    path: str
    name: str
    icon: str
    keys: tuple[str, ...] = ()
    press: str = ""


PAGES = (Command("/keys", "Keys", "keys", ("?",)),)
ACTS = (
    Command("#answer", "Reply", "reply", ("r",), press="r"),
    Command("#note", "Note", "note", ("n",), press="n"),
    Command("#take", "Take", "take", ("i",), press="i"),
    Command("#assign", "Assign…", "assign", ("a",), press="a"),
    Command("#close", "Close", "close", ("e",), press="e"),
    Command("/move", "Move to another queue…", "move"),
    Command("/snooze", "Snooze for yourself…", "wait"),
    Command("/merge", "Link or merge…", "link"),
    Command("/order", "Choose the order…", "box"),
    Command("/sort", "Say what it is…", "rule"),
    Command("/junk", "Mark as junk…", "ban"),
    Command("#copy", "Copy the order id", "copy", (".",), press="."),
    Command("#evidence", "Evidence", "lock", ("v",), press="v"),
)


@router.get("/palette")
def palette(
    request: Request,
    desk: TheDesk,
    visitor: TheVisitor,
    q: Annotated[str, Query(max_length=LONGEST_TEXT)] = "",
    ticket: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
) -> HTMLResponse:
    """Hits for what was typed: acts on the open ticket, places, tickets."""
    text = q.strip()
    pages: Pages = request.app.state.pages
    return pages.page(
        request,
        visitor,
        "palette.html",
        part="hits",
        q=text,
        ticket=ticket,
        acts=_matching(_acts(ticket), text)[:MOST_ACTS] if ticket else [],
        places=_matching(_places(desk, visitor), text)[:MOST_PLACES],
        tickets=_tickets(desk, text),
    )


def _acts(ticket: int) -> list[Command]:
    return [Command(f"/tickets/{ticket}{act.path}", act.name, act.icon, act.keys, act.press) for act in ACTS]


def _places(desk: Desk, visitor: Visitor) -> list[Command]:
    """Where the rail leads, without its counts."""
    rail = rail_of(desk, visitor, "")
    places = [
        Command(entry.path, entry.name, entry.icon.removeprefix("i-"), ("g", entry.key) if entry.key else ())
        for entry in (*rail.queues, *rail.views, *rail.foot)
    ]
    return [*places, *PAGES]


def _matching(commands: Iterable[Command], text: str) -> list[Command]:
    """Those of which a word begins with each word typed, in whatever order."""
    wanted = text.casefold().split()
    return [
        command
        for command in commands
        if all(any(word.startswith(part) for word in _words(command.name)) for part in wanted)
    ]


def _words(name: str) -> list[str]:
    return name.casefold().replace(":", " ").split()


def _tickets(desk: Desk, text: str) -> Sequence[TicketRow]:
    number = text.removeprefix("#")
    if len(number) < (1 if number.isdigit() else SHORTEST_SEARCH):
        return ()
    rows = desk.search.tickets(number, limit=MOST_TICKETS, fresh=False).tickets
    return sorted(rows, key=lambda row: str(row.id) != number)
