"""Threads: which ticket an accepted message opens, joins, escalates or links.

By relay address first, then by order within the same sender identity. Only a proven message joins
anything, and nothing it *says* (a quoted ticket number, a Message-ID, a number typed by the buyer)
can pull it into another customer's ticket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.policy.decision import Placement
from relaydesk.reasons import Reason, reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.classify import Findings
    from relaydesk.events import Kind
    from relaydesk.policy.decision import Known, KnownOrder, KnownTicket


def owned_orders(findings: Findings, orders: Sequence[KnownOrder]) -> tuple[str, ...]:
    """The orders this buyer may be bound to, best first.

    A look-up proves that an order exists; that it is *this* buyer's needs a label of Meta's or the order's
    own relay address. Labelled numbers the directory lacks are kept: they thread, but bind nothing.
    """
    by_relay = [order.id for order in orders if findings.relay_address and _same(order, findings)]
    refs = set(findings.values("merchant_ref", sure="labelled"))
    by_ref = [order.id for order in orders if order.merchant_ref in refs]
    return tuple(dict.fromkeys([*by_relay, *findings.values("order", sure="labelled"), *by_ref]))


def _same(order: KnownOrder, findings: Findings) -> bool:
    return order.relay_address.lower() == findings.relay_address.lower()


def place(  # noqa: PLR0913 - who it is from, what it says, what is known, what is proven
    kind: Kind,
    sender: str,
    findings: Findings,
    known: Known,
    *,
    vouched: bool,
    bounced: int | None = None,
) -> tuple[Placement, tuple[Reason, ...]]:
    """Where an accepted message goes, and why. ``bounced`` is the ticket whose answer it returns."""
    if known.stored:
        return Placement("stored", known.stored_ticket), (reason("already_stored"),)
    if known.replay_of is not None and vouched:
        return Placement("duplicate", known.replay_of), (reason("replayed", ticket=known.replay_of),)
    if bounced is not None:
        return Placement("bounce", bounced), (reason("joins_bounce", ticket=bounced),)
    if not vouched:
        return Placement("open"), (reason("opens"),)
    owned = owned_orders(findings, known.orders)
    joined = _joined(kind, sender, findings, owned, known.tickets)
    if joined is None:
        return _opened(kind, findings, owned, known)
    ticket, why = joined
    placement = Placement("join", ticket.id, reopen=not ticket.open, bind_orders=_existing(owned, known))
    reasons = [reason(why, ticket=ticket.id)]
    if not ticket.open:
        reasons.append(reason("reopens", ticket=ticket.id))
    return placement, tuple(reasons)


def _joined(
    kind: Kind, sender: str, findings: Findings, owned: Sequence[str], tickets: Sequence[KnownTicket]
) -> tuple[KnownTicket, str] | None:
    # An open ticket goes before a closed one: a closed conversation opens again only when none is open.
    candidates = sorted(tickets, key=lambda ticket: not ticket.open)
    if findings.relay_address:
        key = findings.relay_address.lower()
        return next(((t, "joins_relay_address") for t in candidates if t.thread_key.lower() == key), None)
    for ticket in candidates:
        same_sender = ticket.kind == kind and ticket.sender == sender and not ticket.thread_key
        if same_sender and set(owned) & set(ticket.orders):
            return ticket, "joins_order"
    return None


def _opened(
    kind: Kind, findings: Findings, owned: Sequence[str], known: Known
) -> tuple[Placement, tuple[Reason, ...]]:
    related = [t for t in known.tickets if t.open and set(owned) & set(t.orders)]
    escalated = tuple(t.id for t in related if kind == "claim" and t.kind == "case")
    links = tuple(t.id for t in related if t.id not in escalated)
    placement = Placement(
        "open",
        thread_key=findings.relay_address.lower(),
        escalates=escalated,
        links=links,
        bind_orders=_existing(owned, known),
    )
    reasons = [reason("opens")]
    reasons += [reason("escalates", ticket=ticket) for ticket in escalated]
    reasons += [reason("links", ticket=ticket) for ticket in links]
    return placement, tuple(reasons)


def _existing(owned: Sequence[str], known: Known) -> tuple[str, ...]:
    exist = {order.id for order in known.orders}
    return tuple(order for order in owned if order in exist)
