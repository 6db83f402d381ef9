"""Each kind of event as one line among the mails of a thread: its icon and its sentence.

The table :data:`LINES` has a row for every kind; one that a newer version wrote falls back to its word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relaydesk import events
from relaydesk.web.wording import lasted, phrase, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from relaydesk.store import DeadlineRow


@dataclass(frozen=True, slots=True)
class TicketMention:
    """Another ticket in a sentence: a link."""

    id: int


LinePiece = str | TicketMention


@dataclass(frozen=True, slots=True)
class EventLine:
    """One or more events as one line. ``tone`` is "over" where a deadline passed or mail was lost."""

    at: datetime
    icon: str
    pieces: tuple[LinePiece, ...]
    actor: str = ""
    tone: str = ""

    @property
    def text(self) -> str:
        """The sentence without its links."""
        return "".join(piece if isinstance(piece, str) else f"#{piece.id}" for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class EventReader:
    """What sentences about a ticket need beside its events: whose page it is, when, and its clocks."""

    you: str
    now: datetime
    zone: ZoneInfo
    clocks: Mapping[tuple[int, str, int], DeadlineRow]
    rules: Mapping[int, str]

    def who(self, actor: str) -> str:
        """An actor by name: ``You``, an agent, or what we are called."""
        name = actor.removeprefix("agent:")
        if actor == f"agent:{self.you}":
            return "You"
        return {"relaydesk": "relaydesk", "mail": "a mail"}.get(actor, name)

    def when(self, at: datetime) -> str:
        return when(at, self.now, self.zone)


Sentence = tuple[LinePiece, ...] | str
_META = ("facebook.com", "instagram.com", "facebookmail.com", "meta.com")


def _clock(payload: events.OfClock) -> str:
    names = {"response": "First response" if payload.round == 1 else "Next response"}
    return names.get(payload.clock, phrase(payload.clock))


def _clock_word(payload: events.OfClock) -> str:
    return f"{_clock(payload).replace(' ', '-')} clock"


def _opened(payload: events.TicketOpened, event: events.Event, reader: EventReader) -> Sentence:
    rule = reader.rules.get(payload.message, "")
    return f"Opened by {'mail' if event.actor == 'mail' else reader.who(event.actor)}" + (
        f" \u00b7 rule {rule}" if rule else ""
    )


def _stopped(payload: events.ClockStopped, event: events.Event, reader: EventReader) -> Sentence:
    row = reader.clocks.get((event.ticket_id, payload.clock, payload.round))
    after = f" after {lasted(event.at - row.started_at)}" if row else ""
    if payload.how == "handled":
        words = f"\u201c{payload.text}\u201d \u00b7 " if payload.text else ""
        return f"{reader.who(event.actor)}: {words}{_clock(payload).lower()} clock stopped{after}"
    if payload.how == "answered_outside":
        return f"{reader.who(event.actor)} answered elsewhere \u00b7 clock stopped{after}"
    return f"{_clock(payload)}{after} \u00b7 clock stopped"


def _sent(payload: events.AnswerSent, event: events.Event, reader: EventReader) -> Sentence:
    hop = payload.hop.partition(" ")[0].partition(":")[0].strip("[]").lower().rstrip(".")
    meta = any(hop == domain or hop.endswith(f".{domain}") for domain in _META)
    by = "Meta\u2019s mail server" if meta else f"the mail server {hop}" if hop else "the next mail server"
    return f"{phrase(payload.purpose)} {payload.answer} taken by {by}"


def _assigned(payload: events.TicketAssigned, event: events.Event, reader: EventReader) -> Sentence:
    actor = reader.who(event.actor)
    undone = " (undone)" if getattr(payload, "why", "") == events.UNDONE else ""
    if payload.agent is None:
        return f"{actor} gave it back: nobody has it{undone}"
    if event.actor == f"agent:{payload.agent}":
        return f"{actor} took it{undone}"
    return f"{actor} assigned it to {reader.who(f'agent:{payload.agent}')}{undone}"


def _why(words: str) -> str:
    return f": {words}" if words else ""


def _bounced(payload: events.AnswerBounced, event: events.Event, reader: EventReader) -> Sentence:
    how = {True: "did not arrive", False: "is delayed", None: "came back unclearly"}[payload.hard]
    return f"Answer {payload.answer} {how}" + (f" ({payload.status})" if payload.status else "")


def _bound(payload: events.OrderBound, event: events.Event, reader: EventReader) -> Sentence:
    how = {"agent": f" by {reader.who(event.actor)}", "directory": " when it came into the directory"}
    return f"Order {payload.order} bound{how.get(payload.how, '')}"


def _closed(payload: events.TicketClosed, event: events.Event, reader: EventReader) -> Sentence:
    left = f" \u00b7 {', '.join(payload.undecided)} undecided" if payload.undecided else ""
    return f"{reader.who(event.actor)} closed it{left}"


def _look(payload: events.LookNeeded, event: events.Event, reader: EventReader) -> Sentence:
    what = phrase(payload.reason).lower()
    about = f" (answer {payload.answer})" if payload.answer else ""
    of: tuple[LinePiece, ...] = (", of ", TicketMention(payload.of)) if payload.of else ()
    return (f"A person must look: {what}{about}", *of)


def _warned(payload: events.DeadlineWarned, event: events.Event, reader: EventReader) -> Sentence:
    row = reader.clocks.get((event.ticket_id, payload.clock, payload.round))
    return f"Warning: {_clock(payload).lower()} due" + (f" {reader.when(row.due_at)}" if row else " soon")


def _reopened(payload: events.TicketReopened, event: events.Event, reader: EventReader) -> Sentence:
    by = "" if event.actor in ("mail", "relaydesk") else f" by {reader.who(event.actor)}"
    return f"Reopened{by}{_why(payload.why)}"


def _evidence(p: events.EvidenceNoted, event: events.Event, reader: EventReader) -> str:
    who = reader.who(event.actor)
    if p.name:
        return f"{who} added evidence: {p.item} ({p.name})"
    state = {"there": "is there", "not_needed": "is not needed"}.get(p.state, "is missing")
    return f"{who} said of the evidence: {p.item} {state}"


LINES: dict[type[events.Payload], tuple[str, Any]] = {
    events.TicketOpened: ("i-rule", _opened),
    events.MessageJoined: ("i-notice", "A further mail joined"),
    events.DuplicateJoined: ("i-copy", "The same signed mail came again; it counts once"),
    events.BounceJoined: ("i-notice", "A bounce of an answer came"),
    events.TicketEscalated: (
        "i-escalated",
        lambda p, _, __: ("Escalated: claim ", TicketMention(p.by), " was opened for this order"),
    ),
    events.TicketLinked: ("i-link", lambda p, _, __: ("Linked with ", TicketMention(p.ticket))),
    events.ClockStarted: (
        "i-clock",
        lambda p, _, reader: f"{_clock_word(p)} started \u00b7 due {reader.when(p.due)}",
    ),
    events.ClockMoved: (
        "i-clock",
        lambda p, _, reader: f"{_clock_word(p)} moved \u00b7 due {reader.when(p.due)}",
    ),
    events.ClockStopped: ("d-met", _stopped),
    events.ClockReopened: ("i-clock", lambda p, _, __: f"{_clock_word(p)} runs on{_why(p.why)}"),
    events.ClockWithdrawn: ("d-none", lambda p, _, __: f"{_clock_word(p)} withdrawn{_why(p.why)}"),
    events.DeadlineWarned: ("d-soon", _warned),
    events.DeadlineBreached: (
        "d-over",
        lambda p, _, __: f"{_clock(p)}: deadline passed with the clock running",
    ),
    events.BreachWithdrawn: ("d-met", lambda p, _, __: f"{_clock(p)}: the breach is withdrawn"),
    events.AnswerQueued: (
        "i-send",
        lambda p, event, reader: f"{reader.who(event.actor)} wrote {p.purpose} {p.answer}",
    ),
    events.AnswerSent: ("d-met", _sent),
    events.AnswerDeferred: (
        "i-wait",
        lambda p, _, reader: f"Answer {p.answer} put off until {reader.when(p.until)}{_why(p.why)}",
    ),
    events.AnswerRejected: ("i-alert", lambda p, _, __: f"Answer {p.answer} refused{_why(p.why)}"),
    events.AnswerFailed: ("i-alert", lambda p, _, __: f"Answer {p.answer} given up{_why(p.why)}"),
    events.AnswerCancelled: (
        "i-undo",
        lambda p, event, reader: f"{reader.who(event.actor)} took answer {p.answer} back before it left",
    ),
    events.AnswerCleaned: (
        "i-rule",
        lambda p, _, __: f"Rules took out of answer {p.answer}: {'; '.join(p.taken) or 'nothing'}",
    ),
    events.AnswerSwallowed: ("d-none", "An automatic answer of the shop\u2019s help desk was not sent"),
    events.AnswerBounced: ("i-alert", _bounced),
    events.NoOrderConfirmed: (
        "i-box",
        lambda p, event, reader: f"{reader.who(event.actor)} confirmed that no order number exists",
    ),
    events.TicketAssigned: ("i-take", _assigned),
    events.NoteAdded: ("i-note", lambda p, event, reader: f"{reader.who(event.actor)} wrote a note"),
    events.TicketMoved: (
        "i-move",
        lambda p, event, reader: (
            f"{reader.who(event.actor)} moved it from {p.source} to {p.to}" + _why(getattr(p, "why", ""))
        ),
    ),
    events.EvidenceNoted: ("i-clip", _evidence),
    events.TicketSorted: (
        "i-rule",
        lambda p, event, reader: f"{reader.who(event.actor)} said that it is a {p.to}, not a {p.source}",
    ),
    events.TicketMerged: (
        "i-link",
        lambda p, event, reader: (
            f"{reader.who(event.actor)} merged ",
            TicketMention(p.source),
            " into ",
            TicketMention(p.into),
            _why(p.why),
        ),
    ),
    events.TicketUnmerged: (
        "i-link",
        lambda p, event, reader: (
            f"{reader.who(event.actor)} took ",
            TicketMention(p.source),
            " out again",
            _why(p.why),
        ),
    ),
    events.TicketUnlinked: (
        "i-link",
        lambda p, _, __: ("It has nothing to do with ", TicketMention(p.ticket)),
    ),
    events.TicketSnoozed: (
        "i-wait",
        lambda p, event, reader: f"{reader.who(event.actor)} snoozed it until {reader.when(p.until)}",
    ),
    events.TicketWoken: ("i-wait", lambda p, event, reader: f"{reader.who(event.actor)} woke it"),
    events.JunkMarked: ("i-ban", lambda p, event, reader: f"{reader.who(event.actor)} marked it as junk"),
    events.JunkUnmarked: ("i-ban", lambda p, event, reader: f"{reader.who(event.actor)} says it is no junk"),
    events.RuleProposed: (
        "i-rule",
        lambda p, event, reader: f"{reader.who(event.actor)} proposed a rule: {p.kind}",
    ),
    events.OrderReleased: (
        "i-box",
        lambda p, event, reader: f"Order {p.order} released by {reader.who(event.actor)}",
    ),
    events.OrderBound: ("i-box", _bound),
    events.TicketClosed: ("i-close", _closed),
    events.TicketReopened: ("i-refresh", _reopened),
    events.LookNeeded: ("i-eye", _look),
    events.LookedAt: ("i-eye", lambda p, event, reader: f"{reader.who(event.actor)} looked at it"),
}
"""Every kind of event: its icon, and its sentence or what makes it."""

TOLD_ELSEWHERE = (events.MessageJoined, events.BounceJoined, events.NoteAdded, events.AnswerQueued)
"""In a thread the mail, the note and the answer stand themselves."""
FOLLOWERS = (
    events.OrderBound,
    events.ClockStopped,
    events.ClockReopened,
    events.ClockWithdrawn,
    events.BreachWithdrawn,
    events.LookedAt,
)
"""What came of the event before it, at the same moment: told on its line."""
ALARMS = (events.DeadlineBreached, events.AnswerRejected, events.AnswerFailed, events.AnswerBounced)


def line_of(event: events.Event, reader: EventReader) -> EventLine:
    """One event as a line."""
    icon, sentence = LINES.get(type(event.payload), ("i-info", phrase(event.what)))
    words = sentence if isinstance(sentence, str) else sentence(event.payload, event, reader)
    pieces = (words,) if isinstance(words, str) else words
    tone = "over" if isinstance(event.payload, ALARMS) else ""
    return EventLine(event.at, icon, pieces, reader.who(event.actor), tone)


def lines_of(
    numbered: Iterable[tuple[int, events.Event]], reader: EventReader, opened_at: datetime
) -> list[EventLine]:
    """The lines of a thread, in the order of recording."""
    lines: list[EventLine] = []
    for _, event in numbered:
        if isinstance(event.payload, TOLD_ELSEWHERE):
            continue
        if isinstance(event.payload, events.ClockStarted) and event.at == opened_at:
            continue  # the panel shows the clocks; that the first began with the ticket is no news
        line = line_of(event, reader)
        if lines and isinstance(event.payload, FOLLOWERS) and lines[-1].at == line.at:
            first, *rest = line.pieces
            joined = " \u00b7 " + (first[:1].lower() + first[1:] if isinstance(first, str) else "")
            lines[-1] = EventLine(
                line.at,
                lines[-1].icon,
                (*lines[-1].pieces, joined, *rest),
                lines[-1].actor,
                lines[-1].tone,
            )
        else:
            lines.append(line)
    return lines
