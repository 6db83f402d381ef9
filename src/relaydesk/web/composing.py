"""What the composer shows: the draft, to whom it goes, about which order, and what stands in the way."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.desk import Desk, OpenedTicket, Visitor
    from relaydesk.outbound import Template
    from relaydesk.store import DraftRow, EvidenceRow

Mode = Literal["rest", "answer", "note", "record", "refused"]


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
    changes: tuple[str, ...] = ()


def composer_of(desk: Desk, visitor: Visitor, ticket: OpenedTicket, mode: Mode = "rest") -> Composer:
    """The composer as it stands for this agent: their draft, or nothing yet."""
    draft = desk.drafts.read(ticket.ticket.id, by=visitor.by)
    orders = order_choices(ticket, draft)
    answerable = bool(ticket.ticket.relay_address)
    shown: Mode = mode if answerable or mode == "note" else "record"
    if draft is not None and shown == "rest":
        shown = "answer"
    remarks = (
        []
        if ticket.ticket.verified or not answerable
        else ["The customer's mail is not proven to be from Meta. Do not disclose personal data."]
    )
    return Composer(
        ticket_id=ticket.ticket.id,
        mode=shown,
        text=draft.text if draft else "",
        to=ticket.ticket.relay_address,
        orders=orders,
        seen=ticket.latest_event,
        token=secrets.token_urlsafe(16),
        saved_at=draft.updated_at if draft else None,
        files=draft.files if draft else (),
        closing=closing_line(ticket, orders),
        remarks=tuple(remarks),
    )


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
