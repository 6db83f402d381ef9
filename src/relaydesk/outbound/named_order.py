"""The order that an outgoing message names: which one it is, and whether a text names it.

One decision for every author. An agent at our desk sees the ticket's numbers and so must not contradict them;
somebody at another help desk does not, and is understood where only one order can be meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.outbound.answer import AnswerRefused
from relaydesk.outbound.mime import clean_line, one_space

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from relaydesk.outbound.answer import NamedOrder
    from relaydesk.store import TicketOrder

_ORDER_ID = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z_-]{0,62}[0-9A-Za-z])?")
"""Meta: "treat as strings; length and structure may change". Digits so far."""


@dataclass(frozen=True, slots=True)
class OrderChoice:
    """What the author of a message says of the order it is about, and how they could say more.

    ``picked`` is a number; one that ``text`` names counts too. ``none`` states that no order number exists.
    ``sees_numbers``: they have the ticket's numbers before them, so nothing unbound is presumed. ``how`` and
    ``how_none`` are parts of a sentence: how to name an order, how to state that there is none. One who is
    not ``asked`` goes without an order where none is clear.
    """

    sees_numbers: bool = True
    how: str = ""
    how_none: str = ""
    asked: bool = True
    picked: str | None = None
    text: str = ""
    none: bool = False


def names_order(number: str, text: str) -> bool:
    """Whether ``text`` holds this number as a word of its own: 123 is not in 1234, nor in 123-4."""
    alone = rf"(?<![0-9A-Za-z])(?<![0-9A-Za-z]-){re.escape(number)}(?!-?[0-9A-Za-z])"
    return re.search(alone, text) is not None


def shown_ref(order: NamedOrder) -> str:
    """The seller's number as a text holds it."""
    return clean_line(order.merchant_ref)


def order_line(order: NamedOrder) -> str:
    """The line that names it: ``Order 64000841784004 (our number A-1)``; "" when nothing is known."""
    ref = shown_ref(order)
    if order.id is None:
        return f"Our number {ref}" if ref else ""
    return f"Order {order.id} (our number {ref})" if ref else f"Order {order.id}"


def missing_line(order: NamedOrder, text: str) -> str:
    """The line that names the order, "" when ``text`` names it already by all its numbers."""
    named = order.id is None or names_order(order.id, text)
    return "" if named and shown_ref(order) in one_space(text) else order_line(order)


def require_order_number(order: NamedOrder) -> None:
    """AnswerRefused for an id that can be no order number."""
    if order.id is not None and not _ORDER_ID.fullmatch(order.id):
        raise AnswerRefused(f"{order.id!r} is not an order number.")


def bound_orders(numbers: Iterable[TicketOrder]) -> list[str]:
    """The orders that a ticket is bound to."""
    return [number.value for number in numbers if number.what == "order" and number.how == "bound"]


def choose_order(ticket: int, numbers: Iterable[TicketOrder], choice: OrderChoice) -> str | None:
    """The order that a message of ``ticket`` names; None where its author states that there is none.

    It is the one picked, else the first of the ticket's that the text names, bound ones first, else the only
    one that can be meant. AnswerRefused where the author must say which.
    """
    candidates = [number for number in numbers if number.what == "order" and number.how != "released"]
    bound = bound_orders(candidates)
    if choice.sees_numbers:
        _refuse_contradiction(ticket, candidates, choice)
    named = (order for order in (*bound, *_values(candidates)) if names_order(order, choice.text))
    chosen = choice.picked or next(named, None)
    if chosen is not None or (choice.none and choice.sees_numbers):
        return chosen
    unknown = [number.value for number in candidates if number.how == "not_found"]
    likely = bound if bound or choice.sees_numbers else unknown
    if len(likely) == 1:
        return likely[0]
    if choice.none or not choice.asked:
        return None
    if likely:
        raise AnswerRefused(f"Several orders are possible ({', '.join(likely)}): {choice.how}.")
    raise AnswerRefused(
        f"No order is bound to ticket {ticket} ({_listed(candidates)}): {choice.how}, or {choice.how_none}."
    )


def _refuse_contradiction(ticket: int, numbers: Sequence[TicketOrder], choice: OrderChoice) -> None:
    picked, bound = choice.picked, bound_orders(numbers)
    if choice.none and picked is not None:
        raise AnswerRefused("Choose one of --order and --no-order.")
    if choice.none and bound:
        raise AnswerRefused(
            f"Order {bound[0]} is bound to ticket {ticket}; release it before you state that there is none."
        )
    if picked is not None and picked not in _values(numbers):
        raise AnswerRefused(
            f"Order {picked} is not a number of ticket {ticket} ({_listed(numbers)}); bind it first with "
            f"`relaydesk ticket {ticket} --bind-order {picked}`."
        )


def _values(numbers: Iterable[TicketOrder]) -> list[str]:
    return [number.value for number in numbers]


def _listed(numbers: Sequence[TicketOrder]) -> str:
    listed = ", ".join(f"{number.value} {number.how.replace('_', ' ')}" for number in numbers)
    return listed or "it has no order number"
