"""Our bounce addresses: only we can make them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relaydesk.bounces.seals import Sealed, bounce_address, bounced_ticket, sealed_by_us

SECRET = b"a secret of the shop"


@given(st.integers(1, 10**15), st.integers(0, 10**15))
def test_it_reads_back_its_own_address_in_any_case(ticket: int, answer: int) -> None:
    address = bounce_address(SECRET, ticket, "Shop.Example", answer)
    assert bounced_ticket(SECRET, address) == bounced_ticket(SECRET, address.upper()) == ticket
    assert sealed_by_us(SECRET, address.upper()) == Sealed(ticket, answer)


def test_it_does_not_take_another_ticket_or_answer_under_the_same_seal() -> None:
    address = bounce_address(SECRET, 7, "shop.example", 3)
    assert address.startswith("bounces+7.3-")
    assert sealed_by_us(SECRET, address) == Sealed(ticket=7, answer=3)
    assert bounced_ticket(SECRET, address.replace("+7.3-", "+8.3-")) is None
    assert bounced_ticket(SECRET, address.replace("+7.3-", "+7.4-")) is None
    assert bounced_ticket(SECRET, address.replace("shop.example", "shop2.example")) is None


def test_it_knows_no_seal_without_or_with_another_secret() -> None:
    address = bounce_address(SECRET, 7, "shop.example")
    assert bounced_ticket(b"", address) is None
    assert bounced_ticket(b"another", address) is None
    assert bounced_ticket(SECRET, "help@shop.example") is None
