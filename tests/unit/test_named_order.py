"""Which order a message names: one table for our desk, another help desk and what nobody is asked about."""

from __future__ import annotations

import pytest

from relaydesk.desk.answers import AGENT
from relaydesk.gateway.receive import HELP_DESK
from relaydesk.outbound.answer import AnswerRefused, NamedOrder
from relaydesk.outbound.named_order import (
    OrderChoice,
    bound_orders,
    choose_order,
    missing_line,
    order_line,
    require_order_number,
)
from relaydesk.store.ticket_orders import TicketOrder

A, B = "64000841784004", "64000841784005"
UNASKED = OrderChoice(asked=False)
CONTRADICTION = "Choose one of --order and --no-order."


def numbers(**hows: str) -> list[TicketOrder]:
    """``a`` and ``b`` as the ticket holds them; the seller's number is never one to choose."""
    orders = [TicketOrder(7, "order", {"a": A, "b": B}[name], how) for name, how in hows.items()]
    return [*orders, TicketOrder(7, "merchant_ref", "A-1007", "bound")]


@pytest.mark.parametrize(
    ("held", "choice", "outcome"),
    [
        # one bound: everybody names it
        ({"a": "bound"}, AGENT, A),
        ({"a": "bound"}, HELP_DESK, A),
        ({"a": "bound"}, UNASKED, A),
        ({"a": "bound", "b": "mentioned"}, AGENT, A),
        # several bound: somebody must say which
        ({"a": "bound", "b": "bound"}, AGENT, f"Several orders are possible ({A}, {B}): choose one"),
        ({"a": "bound", "b": "bound"}, HELP_DESK, f"Several orders are possible ({A}, {B}): write the"),
        ({"a": "bound", "b": "bound"}, UNASKED, None),
        # not in the directory, but labelled: presumed only of one who does not see the numbers
        ({"a": "not_found"}, AGENT, f"No order is bound to ticket 7 ({A} not found): choose one"),
        ({"a": "not_found"}, HELP_DESK, A),
        ({"a": "bound", "b": "not_found"}, HELP_DESK, A),
        ({"a": "not_found", "b": "not_found"}, HELP_DESK, f"Several orders are possible ({A}, {B})"),
        # merely mentioned, released or none at all: nobody presumes anything
        ({"a": "mentioned"}, HELP_DESK, f"No order is bound to ticket 7 ({A} mentioned): write the"),
        ({"a": "released"}, AGENT, "No order is bound to ticket 7 (it has no order number)"),
        ({}, HELP_DESK, "or add a line #no-order if there is none."),
        ({}, UNASKED, None),
        # picked
        ({"a": "mentioned"}, OrderChoice(picked=A), A),
        ({"a": "bound", "b": "mentioned"}, OrderChoice(picked=B), B),
        ({"a": "bound"}, OrderChoice(picked=B), f"Order {B} is not a number of ticket 7 ({A} bound)"),
        ({"a": "released"}, OrderChoice(picked=A), f"Order {A} is not a number of ticket 7"),
        ({"a": "bound"}, OrderChoice(picked="A-1007"), "Order A-1007 is not a number of ticket 7"),
        # named by the text, a bound one first
        ({"a": "mentioned"}, OrderChoice(sees_numbers=False, text=f"It is {A}."), A),
        ({"a": "mentioned", "b": "bound"}, OrderChoice(sees_numbers=False, text=f"{A}, {B}"), B),
        ({"a": "bound", "b": "bound"}, OrderChoice(sees_numbers=False, text=f"About {B}"), B),
        # the word that there is none
        ({}, OrderChoice(none=True), None),
        ({"a": "not_found"}, OrderChoice(none=True), None),
        ({"a": "bound"}, OrderChoice(none=True), f"Order {A} is bound to ticket 7; release it"),
        ({"a": "mentioned"}, OrderChoice(none=True, picked=A), CONTRADICTION),
        ({"a": "bound"}, OrderChoice(sees_numbers=False, none=True), A),
        ({"a": "bound", "b": "bound"}, OrderChoice(sees_numbers=False, none=True), None),
        ({"a": "mentioned"}, OrderChoice(sees_numbers=False, none=True, text=A), A),
    ],
)
def test_it_chooses_the_order(held: dict[str, str], choice: OrderChoice, outcome: str | None) -> None:
    if outcome in (None, A, B):
        assert choose_order(7, numbers(**held), choice) == outcome
        return
    with pytest.raises(AnswerRefused) as refused:
        choose_order(7, numbers(**held), choice)
    assert outcome in str(refused.value)


def test_it_knows_the_bound_orders() -> None:
    assert bound_orders(numbers(a="bound", b="mentioned")) == [A]


@pytest.mark.parametrize(
    ("order", "line"),
    [
        (NamedOrder(A, "A-1"), f"Order {A} (our number A-1)"),
        (NamedOrder(A), f"Order {A}"),
        (NamedOrder(None, "A\n 1\x07"), "Our number A 1"),
        (NamedOrder(), ""),
    ],
)
def test_its_line_says_what_is_known(order: NamedOrder, line: str) -> None:
    assert order_line(order) == line
    assert missing_line(order, "Hello") == line
    assert missing_line(order, f"Hello\n{line}") == ""


def test_a_line_is_missing_until_both_numbers_are_named() -> None:
    order = NamedOrder(A, "A-1")
    assert missing_line(order, f"About {A}") == missing_line(order, "About A-1") == order_line(order)
    assert missing_line(order, f"A-1 is {A}9") == order_line(order)
    assert missing_line(order, f"A-1 is {A}") == ""


@pytest.mark.parametrize("wrong", ["", "12 34", "1\r\nBcc: x@y.z", "-1", "1" * 65])
def test_it_refuses_what_can_be_no_order_number(wrong: str) -> None:
    require_order_number(NamedOrder(A))
    require_order_number(NamedOrder())
    with pytest.raises(AnswerRefused, match="not an order number"):
        require_order_number(NamedOrder(wrong))
