"""Whether a ticket may be answered as an agent has seen it, and on what grounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from relaydesk.desk.config import UnknownTicket
from relaydesk.events import AnswerBounced, AnswerCancelled, AnswerQueued, ClockStopped, MessageJoined
from relaydesk.outbound import AnswerRefused, OrderChoice, grounds_of
from relaydesk.store import tickets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Event
    from relaydesk.outbound import Grounds
    from relaydesk.store import TicketRow

AGENT = OrderChoice(
    how="choose one with --order",
    how_none="confirm with --no-order that no order number exists",
)

PAGE = OrderChoice(
    how="choose the one it is about",
    how_none="tick that there is no order number",
)


@dataclass(frozen=True, slots=True)
class Change:
    """What came on a ticket while somebody wrote. ``about`` is the number of the message or answer."""

    what: Literal["message", "answer", "bounce", "elsewhere"]
    at: datetime
    actor: str
    about: int = 0

    def __str__(self) -> str:
        author = self.actor.removeprefix("agent:")
        sentence = {
            "message": f"message {self.about} came",
            "answer": f"{author} wrote answer {self.about}",
            "bounce": f"answer {self.about} came back",
            "elsewhere": f"{author} recorded an answer given elsewhere",
        }[self.what]
        return f"{sentence} ({self.at:%Y-%m-%d %H:%M} UTC)"


def answerable(
    session: Session, ticket_id: int, message: int | None, choice: OrderChoice, *, seen: int
) -> tuple[TicketRow, Grounds]:
    """The ticket, and what an answer to its ``message`` stands on.

    ``seen`` is the number of the latest event that the agent had before them. AnswerRefused where the ticket
    has changed since or cannot be answered; DeskError where there is none.
    """
    version = tickets.version(session, ticket_id)  # before all else: what changes meanwhile is then noticed
    ticket = tickets.row(session, ticket_id)
    if ticket is None:
        raise UnknownTicket(f"There is no ticket {ticket_id}.")
    _may_be_answered(session, ticket, seen, on_page=choice.how == PAGE.how)
    return ticket, grounds_of(session, ticket, message, choice, version=version)


def _may_be_answered(session: Session, ticket: TicketRow, seen: int, *, on_page: bool) -> None:
    if not ticket.open:
        how = "reopen it first" if on_page else f"reopen it first: `relaydesk ticket {ticket.id} --reopen`"
        raise AnswerRefused(f"Ticket {ticket.id} is closed; {how}.")
    numbered = tickets.events(session, ticket.id)
    if seen and seen not in {number for number, _ in numbered}:
        raise AnswerRefused(
            f"Event {seen} is not an event of ticket {ticket.id}, whose latest is {numbered[-1][0]}; show "
            f"the ticket again and pass its latest event with --seen."
        )
    changes = tuple(changed_since(numbered, seen))
    if changes:
        raise AnswerRefused(
            f"Ticket {ticket.id} has changed since you looked at it: {'; '.join(map(str, changes))}. "
            f"Show it again, then answer with --seen {numbered[-1][0]}."
        )


def changed_since(events: Iterable[tuple[int, Event]], seen: int) -> list[Change]:
    """What came after event ``seen`` and bears on an answer: customer mail and others' answers."""
    changes: dict[str, Change] = {}
    for number, event in events:
        if number <= seen:
            continue
        match event.payload:
            case MessageJoined(message=message):
                changes[f"message {number}"] = Change("message", event.at, event.actor, message)
            case AnswerQueued(answer=answer, purpose="answer"):
                changes[f"answer {answer}"] = Change("answer", event.at, event.actor, answer)
            case AnswerBounced(answer=answer, hard=hard) if hard is not False:
                changes[f"bounce {answer}"] = Change("bounce", event.at, event.actor, answer)
            case AnswerCancelled(answer=answer):
                changes.pop(f"answer {answer}", None)
            case ClockStopped(how="answered_outside"):
                changes[f"stop {number}"] = Change("elsewhere", event.at, event.actor)
    return list(changes.values())
