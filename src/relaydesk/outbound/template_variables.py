"""The variables of reply templates: what a template may say of ticket, order, buyer, agent and shop."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from relaydesk.order import Item, Order
from relaydesk.outbound.answer import AnswerRefused, Shop
from relaydesk.outbound.mime import clean_line
from relaydesk.outbound.named_order import OrderChoice, choose_order
from relaydesk.store import orders, ticket_orders, tickets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlmodel import Session

MEANINGS: dict[str, str] = {
    "order.id": "the Facebook order id, empty where there is none",
    "order.merchant_ref": "the seller's own number, empty where it is not known",
    "order.state": "its state in the order directory",
    "order.amount": "what it cost, as the directory has it",
    "order.currency": "the currency of the amount",
    "order.items": "its lines, each with name, retailer_id, quantity and price",
    "buyer.name": "the buyer's user name, empty where it is not known",
    "ticket.id": "our ticket number",
    "ticket.subject": "the Subject of the ticket",
    "agent.name": "who answers",
    "shop.name": "the name of the shop",
    "shop.contact": "the support contact's address",
}
"""The variables that every template has. Others come from ``needs`` and are given with the answer."""
VARIABLE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


class TemplateProblem(AnswerRefused):
    """A template cannot be used, or not with these variables; names file and line, and the remedy."""


@dataclass(frozen=True, slots=True)
class TemplateContext:
    """What a template may speak of: the ticket, its order, who asks, who answers."""

    ticket: int
    subject: str
    username: str
    order: Order | None
    agent: str
    shop: Shop


SAMPLE_CONTEXTS = (
    TemplateContext(
        17,
        "Message from alice",
        "alice",
        Order(
            "64000841784004",
            "A-1",
            "IN_PROGRESS",
            "19.90",
            "USD",
            items=(Item("", "MUG-1", "Blue mug", 2, "9.95"),),
        ),
        "Robin",
        Shop("Example Shop", "help@shop.example", "shop.example"),
    ),
    TemplateContext(18, "", "", None, "", Shop("", "help@shop.example", "shop.example")),
)
"""A ticket about which all is known, and one about which next to nothing is."""


def template_context(
    session: Session, ticket_id: int, *, agent: str, shop: Shop, order_id: str | None = None
) -> TemplateContext | None:
    """What a template may say of a ticket; None when there is no ticket of that number.

    Its order is ``order_id`` where the agent chose one, else the bound order where exactly one is bound;
    what the directory knows of that order is added.
    """
    ticket = tickets.row(session, ticket_id)
    if ticket is None:
        return None
    numbers = ticket_orders.of_tickets(session, [ticket_id])
    chosen = order_id or choose_order(ticket_id, numbers, OrderChoice(asked=False))
    order = (orders.by_id(session, chosen) or Order(chosen)) if chosen else None
    return TemplateContext(ticket_id, ticket.subject, ticket.username, order, agent, shop)


def variables_of(about: TemplateContext, extra: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The variables by their first names. ``extra`` are those of the agent, as ``tracking.number``.

    Raises TemplateProblem for an extra name that is malformed or one of :data:`MEANINGS`.
    """
    order = about.order or Order("")
    groups: dict[str, dict[str, Any]] = {
        "order": {
            name: getattr(order, name) for name in ("id", "merchant_ref", "state", "amount", "currency")
        },
        "buyer": {"name": about.username},
        "ticket": {"id": str(about.ticket), "subject": about.subject},
        "agent": {"name": about.agent},
        "shop": {"name": about.shop.name, "contact": about.shop.contact},
    }
    groups = {
        first: {key: clean_line(value) for key, value in group.items()} for first, group in groups.items()
    }
    groups["order"]["items"] = tuple(_item(item) for item in order.items)
    for name, value in (extra or {}).items():
        if name in MEANINGS:
            raise TemplateProblem(f"{name} comes from the ticket and cannot be set.")
        if not VARIABLE.fullmatch(name):
            raise TemplateProblem(f"{name!r} is not a variable; use a name such as tracking.number.")
        first, _, second = name.partition(".")
        groups.setdefault(first, {})[second] = value
    return {first: SimpleNamespace(**group) for first, group in groups.items()}


def _item(item: Item) -> SimpleNamespace:
    words = {name: clean_line(getattr(item, name)) for name in ("retailer_id", "name", "price")}
    return SimpleNamespace(quantity=item.quantity, **words)
