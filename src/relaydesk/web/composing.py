"""What the composer shows: the draft, to whom it goes, about which order, and what stands in the way."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Form

from relaydesk.web.forms import FormNumber, LongText, ShortText, TokenText
from relaydesk.web.own_path import own_path
from relaydesk.web.thread import MailEntry, entries_of
from relaydesk.web.wording import octets, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.desk import Change, Desk, OpenedTicket, Visitor
    from relaydesk.outbound import Template
    from relaydesk.store import DraftRow, EvidenceRow

Mode = Literal["rest", "answer", "note", "record", "refused", "closed"]
MOST_ID = 1 << 62
PEEK = 140  # characters of what came meanwhile


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """What the form of an answer says.

    ``seen`` is the latest event that the agent had before them when they began, ``token`` the form's own,
    ``place`` the list they came from, ``cursor`` where theirs stands in the text.
    """

    text: str
    order: str | None
    no_order: bool
    seen: int
    token: str
    place: str
    cursor: int


def answer_form(
    text: LongText = "",
    order: ShortText = "",
    no_order: ShortText = "",
    seen: FormNumber = 0,
    token: TokenText = "",
    place: Annotated[str, Form(alias="in", max_length=2_000)] = "/",
    cursor: FormNumber = MOST_ID,
) -> AnswerForm:
    """The form, with line ends as ours: browsers send those of the wire."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return AnswerForm(plain, order.strip() or None, bool(no_order), seen, token, own_path(place), cursor)


@dataclass(frozen=True, slots=True)
class OrderChoices:
    """Which order an answer names: the bound one, one of several, or none at all."""

    bound: tuple[str, ...]
    candidates: tuple[str, ...]
    chosen: str
    no_order: bool

    @property
    def settled(self) -> str:
        """The order that is named without a choice; "" where the agent must choose."""
        return self.bound[0] if len(self.bound) == 1 else ""


@dataclass(frozen=True, slots=True)
class Composer:
    """The composer of one ticket for one agent.

    ``seen`` is the latest event that the agent has before them, ``token`` is this form's own. ``refusal``
    says why the text was not sent, with ``changes`` where the ticket moved on meanwhile.
    """

    ticket_id: int
    mode: Mode
    text: str
    to: str
    orders: OrderChoices
    seen: int
    token: str
    saved_at: object = None
    files: tuple[object, ...] = ()
    closing: str = ""
    remarks: tuple[str, ...] = ()
    refusal: str = ""
    changes: tuple[ChangeLine, ...] = ()
    files_allowed: FilesAllowed | None = None


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """What came while an answer was written: who did what when, the begin of it, where it stands."""

    icon: str
    who: str
    did: str
    anchor: str
    peek: str = ""


@dataclass(frozen=True, slots=True)
class FilesAllowed:
    """Which files may be attached: ``accept`` for the field, ``words`` for who reads."""

    accept: str
    words: str


def composer_of(
    desk: Desk,
    visitor: Visitor,
    ticket: OpenedTicket,
    mode: Mode = "rest",
    *,
    seen: int = 0,
    token: str = "",
) -> Composer:
    """The composer as it stands for this agent: their draft, or nothing yet.

    A form that goes on keeps what it has ``seen`` and its ``token``; a new one has seen the ticket as it is.
    """
    number, by = ticket.ticket.id, visitor.by
    draft = desk.drafts.read(number, by=by)
    orders = order_choices(ticket, draft)
    answerable = bool(ticket.ticket.relay_address)
    shown = _mode(ticket, mode, drafted=draft is not None)
    text = draft.text if draft else ""
    return Composer(
        ticket_id=number,
        mode=shown,
        text=desk.drafts.note(number, by=by) if shown == "note" else text,
        to=ticket.ticket.relay_address,
        orders=orders,
        seen=seen if 0 < seen <= ticket.latest_event else ticket.latest_event,
        token=token or secrets.token_urlsafe(16),
        saved_at=draft.updated_at if draft else None,
        files=draft.files if draft else (),
        closing=closing_line(ticket, orders),
        remarks=desk.answers.remarks(ticket.ticket) if answerable and shown == "answer" else (),
        files_allowed=files_allowed(desk.config.attachment_types, desk.config.attachment_bytes),
    )


def _mode(ticket: OpenedTicket, mode: Mode, *, drafted: bool) -> Mode:
    if mode == "note":
        return "note"
    if not ticket.ticket.relay_address:
        return "record"
    if not ticket.ticket.open:
        return "closed"
    return "answer" if drafted and mode == "rest" else mode


def files_allowed(types: Sequence[str], most: int) -> FilesAllowed:
    """From the settings: ``PDF, PNG or JPEG, up to 7.6 MB each``."""
    names = [kind.rpartition("/")[2].split("+")[0].split(".")[-1].upper() for kind in types]
    listed = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)
    return FilesAllowed(",".join(types), f"{listed}, up to {octets(most)} each")


def change_lines(
    desk: Desk, visitor: Visitor, ticket: OpenedTicket, changes: Sequence[Change]
) -> tuple[ChangeLine, ...]:
    """What came, as lines that lead to it."""
    now, zone = desk.clock(), visitor.zone
    entries = entries_of(ticket, you=visitor.agent.name, now=now, zone=zone)
    mails = {entry.message.row.id: entry for entry in entries if isinstance(entry, MailEntry)}
    answers = {answer.row.id: answer for answer in ticket.answers}
    lines = []
    for change in changes:
        at, who = when(change.at, now, zone), change.actor.removeprefix("agent:")
        mail, answer = mails.get(change.about), answers.get(change.about)
        if change.what == "message":
            name = mail.name if mail else "The customer"
            peek = mail.text.peek[:PEEK] if mail else ""
            lines.append(ChangeLine("i-case", name, f"wrote {at}", f"m{change.about}", peek))
        elif change.what == "answer":
            waits = answer is not None and answer.row.state in ("queued", "sending", "deferred")
            did = f"answered {at}" + (", not yet left" if waits else "")
            peek = " ".join(answer.text.split())[:PEEK] if answer else ""
            lines.append(ChangeLine("i-send", who, did, f"a{change.about}", peek))
        elif change.what == "bounce":
            lines.append(
                ChangeLine("i-alert", f"Answer {change.about}", f"came back {at}", f"a{change.about}")
            )
        else:
            lines.append(ChangeLine("i-check", who, f"recorded an answer given elsewhere {at}", "thread"))
    return tuple(lines)


def order_choices(ticket: OpenedTicket, draft: DraftRow | None) -> OrderChoices:
    """From the numbers of a ticket; what the agent chose before stays chosen."""
    orders = [number for number in ticket.numbers if number.what == "order" and number.how != "released"]
    bound = tuple(number.value for number in orders if number.how == "bound")
    candidates = tuple(number.value for number in orders if number.how != "bound")
    chosen = draft.order_id or "" if draft else ""
    return OrderChoices(bound, candidates, chosen, bool(draft and draft.no_order))


def closing_line(ticket: OpenedTicket, orders: OrderChoices) -> str:
    """The line that is added below an answer which does not name its order itself."""
    order = orders.settled or orders.chosen
    if not order:
        return ""
    known = ticket.orders.get(order)
    reference = known.merchant_ref if known else ""
    return f"Order {order} (our number {reference})" if reference else f"Order {order}"


def picked(templates: Sequence[Template], name: str) -> Template | None:
    """The template of that name."""
    return next((template for template in templates if template.name == name), None)


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """How one item of the evidence list stands, with its files."""

    title: str
    hint: str
    state: str
    files: tuple[EvidenceRow, ...]


def evidence_items(
    listed: Sequence[tuple[str, str]], rows: Sequence[EvidenceRow]
) -> tuple[EvidenceItem, ...]:
    """The items of the list, then what else there is evidence of; the newest entry says how one stands."""
    hints = dict(listed)
    titles = dict.fromkeys([*hints, *(row.item for row in rows)])
    items = []
    for title in titles:
        entries = [row for row in rows if row.item == title]
        state = entries[-1].state if entries else "missing"
        shown = tuple(row for row in entries if row.name)
        items.append(EvidenceItem(title, hints.get(title, ""), state, shown))
    return tuple(items)
