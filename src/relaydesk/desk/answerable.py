"""Whether a ticket may be answered as an agent has seen it, and on what grounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.desk.config import UnknownTicket
from relaydesk.events import AnswerBounced, AnswerCancelled, AnswerQueued, ClockStopped, MessageJoined
from relaydesk.outbound import AnswerRefused, OrderChoice, grounds_of
from relaydesk.store import tickets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlmodel import Session

    from relaydesk.events import Event
    from relaydesk.outbound import Grounds
    from relaydesk.store import TicketRow

AGENT = OrderChoice(
    how="choose one with --order",
    how_none="confirm with --no-order that no order number exists",
)


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
    _may_be_answered(session, ticket, seen)
    return ticket, grounds_of(session, ticket, message, choice, version=version)


def _may_be_answered(session: Session, ticket: TicketRow, seen: int) -> None:
    if not ticket.open:
        raise AnswerRefused(
            f"Ticket {ticket.id} is closed; reopen it first: `relaydesk ticket {ticket.id} --reopen`."
        )
    numbered = tickets.events(session, ticket.id)
    if seen and seen not in {number for number, _ in numbered}:
        raise AnswerRefused(
            f"Event {seen} is not an event of ticket {ticket.id}, whose latest is {numbered[-1][0]}; show "
            f"the ticket again and pass its latest event with --seen."
        )
    changes = tuple(changed_since(numbered, seen))
    if changes:
        raise AnswerRefused(
            f"Ticket {ticket.id} has changed since you looked at it: {'; '.join(changes)}. "
            f"Show it again, then answer with --seen {numbered[-1][0]}."
        )


def changed_since(events: Iterable[tuple[int, Event]], seen: int) -> list[str]:
    """What came after event ``seen`` and bears on an answer, in words: customer mail and others' answers."""
    changes: dict[str, str] = {}
    for number, event in events:
        if number <= seen:
            continue
        when = f"{event.at:%Y-%m-%d %H:%M} UTC"
        author = event.actor.removeprefix("agent:")
        match event.payload:
            case MessageJoined(message=message):
                changes[f"message {number}"] = f"message {message} came ({when})"
            case AnswerQueued(answer=answer, purpose="answer"):
                changes[f"answer {answer}"] = f"{author} wrote answer {answer} ({when})"
            case AnswerBounced(answer=answer, hard=hard) if hard is not False:
                changes[f"bounce {answer}"] = f"answer {answer} came back ({when})"
            case AnswerCancelled(answer=answer):
                changes.pop(f"answer {answer}", None)
            case ClockStopped(how="answered_outside"):
                changes[f"stop {number}"] = f"{author} recorded an answer given elsewhere ({when})"
    return list(changes.values())
