"""Our bounce addresses: only we can make them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relaydesk.sorting.bounces import bounce_address, bounced_ticket

SECRET = b"a secret of the shop"


@given(st.integers(1, 10**15))
def test_it_reads_back_its_own_address_in_any_case(ticket: int) -> None:
    address = bounce_address(SECRET, ticket, "Shop.Example")
    assert bounced_ticket(SECRET, address) == bounced_ticket(SECRET, address.upper()) == ticket


def test_it_does_not_take_another_ticket_under_the_same_seal() -> None:
    address = bounce_address(SECRET, 7, "shop.example")
    assert bounced_ticket(SECRET, address.replace("+7.", "+8.")) is None
    assert bounced_ticket(SECRET, address.replace(".0-", ".1-")) is None
    assert bounced_ticket(SECRET, address.replace("shop.example", "shop2.example")) is None


def test_it_knows_no_seal_without_or_with_another_secret() -> None:
    address = bounce_address(SECRET, 7, "shop.example")
    assert bounced_ticket(b"", address) is None
    assert bounced_ticket(b"another", address) is None
    assert bounced_ticket(SECRET, "help@shop.example") is None
