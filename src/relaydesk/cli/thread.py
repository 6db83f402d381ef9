"""One ticket as a person reads it: what it is about, then what was written, in the order of time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from relaydesk.characters import harmless, one_line
from relaydesk.cli.folding import folded_text, say_folded
from relaydesk.cli.output import Alarm, Faint, Heading, say
from relaydesk.cli.times import left, local
from relaydesk.events import AnswerCleaned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from relaydesk.desk import ReadMessage, WholeTicket, WrittenAnswer
    from relaydesk.events import Event, Kind
    from relaydesk.store import DeadlineRow

INDENT = "    "
NAMES = 12  # cells of the names in the head
KILO = 1000
LONGEST_TEXT = 20_000  # characters of one text in a thread
# What an event's data tells a person at the terminal; --json prints all of it.
SHOWN = (
    *("agent", "from", "to", "into", "order", "ticket", "by", "clock", "due", "until", "how", "why", "text"),
    *("reason", "taken", "proposal", "kind"),
)
LOST = {"refused", "failed", "bounced"}
STOPPED = {
    "answered": "answered",
    "answered_outside": "answered elsewhere",
    "handled": "handled",
    "withdrawn": "withdrawn",
    "not_promised": "withdrawn: not promised in this queue",
}
BOUND = {"mail": "by its mail", "agent": "by hand", "directory": "when the order came"}


@dataclass(frozen=True, slots=True)
class Shown:
    """How much of a ticket is shown, and by which wall clock."""

    zone: ZoneInfo
    now: datetime
    quotes: bool = False
    history: bool = False
    whole: bool = False  # texts are not cut


def print_message(message: ReadMessage, shown: Shown) -> None:
    """One message alone."""
    _print_lines(_message(message, message.row.kind, "", shown))


def print_ticket(view: WholeTicket, shown: Shown) -> None:
    """The whole ticket on standard output."""
    _print_head(view, shown)
    unread = sum(not message.was_read for message in view.messages)
    if unread:
        older = f"{unread} older message{'s' * (unread > 1)} and what belongs to them"
        say("\n", Faint(f"[… {older}; --all shows them]"))
    for _, lines in sorted(_entries(view, shown), key=lambda entry: entry[0]):
        say("")
        _print_lines(lines)
    for draft in view.drafts:
        say("\n", Heading(f"draft of {_name(draft.author)}"), ", not sent")
        _print_lines(_text(draft.text, shown))
    if shown.history:
        _print_history(view, shown)
    count = len(view.events)
    hint = "" if shown.history else f"; --history shows {'all ' * (count > 1)}{count}"
    say("")
    say_folded("", Faint(f"latest event: {view.events[-1][0]}{hint}"))


# --- the head


def _print_head(view: WholeTicket, shown: Shown) -> None:
    row = view.ticket
    say_folded("", Heading(f"Ticket {row.id}  {one_line(row.subject) or '(no subject)'}"), column=len(INDENT))
    escalated = ", escalated to a claim" if row.escalated else ""
    proof = "" if row.verified else Alarm(", UNVERIFIED: nothing vouches for this mail")
    _fact("kind", f"{row.kind} in queue {row.queue}, {row.state}{escalated}", proof)
    _fact("agent", row.assignee or "nobody")
    _fact("customer", row.username or row.sender)
    _fact("answers to", row.relay_address or "no relay address: mail cannot answer this")
    if row.needs_look:
        _fact(
            "look at",
            Alarm(row.needs_look.replace("_", " ")),
            f", since {local(row.needs_look_since, shown.zone)}",
        )
    for number in view.numbers:
        what = "order" if number.what == "order" else "seller's ref"
        label = f" (after {number.label!r})" if number.label else ""
        _fact(what, f"{number.value}, {number.how.replace('_', ' ')}{label}")
    _fact("reason", row.contact_reason.replace("_", " "))
    _fact("case number", row.case_number)
    for clock in view.clocks:
        name = clock.clock if clock.round == 1 else f"{clock.clock} {clock.round}"
        _fact(name, *_clock(clock, shown))
    _fact("merged into", f"ticket {row.merged_into}" if row.merged_into else "")
    _fact("merged here", ", ".join(f"ticket {member.id}" for member in view.members))
    _fact("see also", ", ".join(f"ticket {linked.id} ({linked.kind})" for linked in view.linked))


def _fact(name: str, *pieces: str) -> None:
    if any(pieces):
        say_folded(f"{INDENT}{name:<{NAMES}}  ", *pieces)


def _clock(clock: DeadlineRow, shown: Shown) -> tuple[str, ...]:
    due = local(clock.due_at, shown.zone)
    if clock.stopped_at:
        how = STOPPED.get(clock.stopped_how, clock.stopped_how)
        late = Alarm(", late") if clock.breached_at else ""
        return f"{how} {local(clock.stopped_at, shown.zone)}", late, f" (due {due})"
    if clock.undecided_at:
        return (f"undecided: the ticket was closed before {due}",)
    overdue = clock.due_at < shown.now
    return Alarm("! ") if overdue else "", left(clock.due_at, shown.now), f" (due {due})"


# --- what was written

Styled = tuple[str, ...] | str  # one line, in pieces where their styles differ


def _entries(view: WholeTicket, shown: Shown) -> Iterator[tuple[datetime, list[Styled]]]:
    """Messages, answers and notes, each with its moment; none older than the first message that was read."""
    read = [message for message in view.messages if message.was_read]
    since = read[0].row.received_at if len(read) < len(view.messages) and read else None
    for message in read:
        yield message.row.received_at, [*_message(message, view.ticket.kind, view.ticket.subject, shown)]
    for answer in view.answers:
        if since is None or answer.row.created_at >= since:
            yield answer.row.created_at, [*_answer(answer, shown)]
    for _, event in view.events:
        if since is not None and event.at < since:
            continue
        if event.what == "note":
            heading = (Heading(f"note by {_name(event.actor)}"), f", {local(event.at, shown.zone)}")
            yield event.at, [heading, *_text(str(event.data.get("text", "")), shown)]
        elif isinstance(event.payload, AnswerCleaned):
            heading = (Heading(f"taken out of answer {event.payload.answer}"), ", as rules say")
            yield event.at, [heading, *(f"{INDENT}{one_line(piece)}" for piece in event.payload.taken)]


def _message(message: ReadMessage, usual_kind: Kind, usual_subject: str, shown: Shown) -> Iterator[Styled]:
    row = message.row
    kind = "" if row.kind == usual_kind else f" ({row.kind})"
    again = f", the same as message {row.duplicate_of}" if row.duplicate_of else ""
    sender = row.findings.username or row.from_addr or "nobody"
    proof = "" if row.vouched or row.kind == "bounce" else Alarm(", UNVERIFIED")
    yield (
        Heading(f"message {row.id} from {one_line(sender)}"),
        f"{kind}, {local(row.received_at, shown.zone)}{again}",
        proof,
    )
    if row.subject != usual_subject:
        yield f"{INDENT}Subject: {one_line(row.subject) or '(none)'}"
    passages = message.body.passages if message.body else ()
    for passage in passages:
        yield from _quote(passage.text, shown) if passage.quoted else _text(passage.text, shown)
    if not any(passage.text.strip() for passage in passages):
        yield Faint(f"{INDENT}(no text)")
    for place, part in enumerate(message.attachments, 1):
        kind = part.sniffed_type or part.declared_type
        yield f"{INDENT}file {place}: {one_line(part.name)}, {kind}, {_size(part.size)}"
    for defect in message.defects:
        yield Faint(f"{INDENT}unreadable: {one_line(defect)}")
    # What was sorted by a rule and proven needs no reasons to be read; the rest does.
    if shown.history or not row.vouched or row.kind in ("unsorted", "bounce"):
        for why in row.reasons:
            yield Faint(f"{INDENT}{why.code}: {one_line(why.text)}")


def _quote(text: str, shown: Shown) -> Iterator[Styled]:
    lines = text.strip("\n").splitlines()
    if shown.quotes:
        yield from (Faint(line) for line in _text("\n".join(f"| {line}" for line in lines), shown))
    elif lines:
        count = f"{len(lines)} quoted line{'s' * (len(lines) > 1)}"
        yield Faint(f"{INDENT}[… {count}; --quotes shows {'them' if len(lines) > 1 else 'it'}]")


def _answer(answer: WrittenAnswer, shown: Shown) -> Iterator[Styled]:
    row = answer.row
    about = f"about order {row.order_id}" if row.order_id else "about no order"
    yield (
        Heading(f"{row.purpose} {row.id} by {_name(row.author)}"),
        f" to message {row.message_id}, {about}, {local(row.created_at, shown.zone)}",
    )
    yield INDENT, *_state(answer, shown)
    yield from _text(answer.text, shown)


def _state(answer: WrittenAnswer, shown: Shown) -> Iterator[str]:
    row = answer.row
    yield Alarm(row.state) if row.state in LOST else row.state
    if row.sent_at:
        yield f", taken by the next hop {local(row.sent_at, shown.zone)}"
    elif row.undecided:
        yield f", next try {local(row.next_try_at, shown.zone)}"
    if row.attempts > 1:
        yield f", {row.attempts} tries"
    if row.last_text and row.state != "sent":
        yield f"; last reply: {one_line(row.last_text)}"


def _text(text: str, shown: Shown) -> Iterator[str]:
    """A text as indented lines, folded to the terminal where there is one."""
    longest = len(text) if shown.whole else LONGEST_TEXT
    body = re.sub(r"\n(?:[ \t]*+\n){2,}+", "\n\n", harmless(text[:longest])).strip("\n")
    for line in folded_text(body.rstrip(), len(INDENT)) if body.strip() else ():
        yield f"{INDENT}{line}".rstrip()
    if len(text) > longest:
        yield Faint(f"{INDENT}[… {len(text) - longest:,} more characters; --read MESSAGE shows all]")


def _print_lines(lines: Iterable[Styled]) -> None:
    for line in lines:
        first, *rest = line if isinstance(line, tuple) else (line,)
        words = first.lstrip(" ")
        blanks = len(first) - len(words)
        say_folded(" " * blanks, type(first)(words), *rest, column=blanks + len(INDENT))


# --- history


def _print_history(view: WholeTicket, shown: Shown) -> None:
    say("\n", Heading("history"))
    for number, event in view.events:
        say_folded(f"{INDENT}{number:>6}  ", f"{local(event.at, shown.zone)}  {_event(event, shown.zone)}")
    for clock in view.clocks:
        say(f"{INDENT}{clock.clock} {clock.round}, {clock.target}:")
        _print_lines(Faint(f"{INDENT * 2}{line}") for line in clock.explanation)


def _event(event: Event, zone: ZoneInfo) -> str:
    facts = ", ".join(_in_words(key, event.data[key], zone) for key in SHOWN if event.data.get(key))
    if event.what == "assigned":
        facts = facts or "nobody"
    return f"{event.what.replace('_', ' ')} by {_name(event.actor)}" + (f": {facts}" if facts else "")


def _in_words(key: str, value: object, zone: ZoneInfo) -> str:
    text = one_line("; ".join(value) if isinstance(value, list) else str(value))
    if key in ("ticket", "by", "into"):
        return f"{'into ' * (key == 'into')}ticket {text}"
    if key == "from":
        return f"from {text}"
    if key in ("due", "until"):
        return f"{key} {local(datetime.fromisoformat(text), zone)}"
    if key == "how":
        return STOPPED.get(text) or BOUND.get(text, text)
    return text.replace("_", " ") if key == "reason" else text


def _name(actor: str) -> str:
    return actor.removeprefix("agent:")


def _size(count: int) -> str:
    """``812 bytes``, ``34 kB``, ``2.1 MB``: of a thousand, as mail programs show them."""
    if count < KILO:
        return f"{count} byte{'s' * (count != 1)}"
    return f"{count / KILO:.0f} kB" if count < KILO * KILO else f"{count / KILO / KILO:.1f} MB"
