"""What a reply template may say of a stored ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.order import Order
from relaydesk.outbound.template_variables import TemplateContext
from relaydesk.store import lists, orders, ticket_orders

if TYPE_CHECKING:
    from sqlmodel import Session

    from relaydesk.outbound.answer import Shop


def template_context(
    session: Session, ticket_id: int, *, agent: str, shop: Shop, order_id: str | None = None
) -> TemplateContext | None:
    """The occasion of a ticket, None when there is none of that number.

    Its order is ``order_id`` where the agent chose one, else the bound order where exactly one is bound;
    what the directory knows of that order is added.
    """
    ticket = lists.row(session, ticket_id)
    if ticket is None:
        return None
    named = ticket_orders.of_tickets(session, [ticket_id])
    bound = [one.value for one in named if one.what == "order" and one.how == "bound"]
    wanted = order_id or (bound[0] if len(bound) == 1 else "")
    known = [order for order in orders.find(session, wanted) if order.id == wanted] if wanted else []
    order = known[0] if known else Order(wanted) if wanted else None
    return TemplateContext(ticket_id, ticket.subject, ticket.username, order, agent, shop)
