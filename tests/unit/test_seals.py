"""Our bounce addresses and Message-IDs: only we can make them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relaydesk.bounces.seals import (
    Sealed,
    answer_message_id,
    answer_of_message_id,
    bounce_address,
    bounced_ticket,
    sealed_by_us,
)

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


def test_it_recognises_what_the_first_release_sealed() -> None:
    """Bounces of old answers still come in: the bytes of both forms never change."""
    address = "bounces+17.4-lodgqeewk6tagm57@shop.example"
    assert bounce_address(SECRET, 7, "Shop.Example") == "bounces+7.0-wsdv6t7a33yhq34w@shop.example"
    assert bounce_address(SECRET, 17, "shop.example", 4) == address
    assert sealed_by_us(SECRET, address) == Sealed(17, 4)
    message_id = "<answer.17.4.bbp5tfyt3un5doco@shop.example>"
    assert answer_message_id(SECRET, 17, 4, "Shop.Example") == message_id
    assert answer_of_message_id(SECRET, f"<x@y> {message_id.upper()}") == Sealed(17, 4)


@given(st.integers(1, 10**15), st.integers(1, 10**15))
def test_a_message_id_names_ticket_and_answer(ticket: int, answer: int) -> None:
    message_id = answer_message_id(SECRET, ticket, answer, "shop.example")
    assert answer_of_message_id(SECRET, message_id) == Sealed(ticket, answer)


def test_it_does_not_take_a_forged_message_id() -> None:
    message_id = answer_message_id(SECRET, 17, 4, "shop.example")
    for forged in (
        message_id.replace("17", "18"),
        message_id.replace(".4.", ".5."),
        message_id.replace("shop", "stop"),
        "<17.4@shop.example>",
    ):
        assert answer_of_message_id(SECRET, forged) is None
    assert answer_of_message_id(b"another", message_id) is None
    assert answer_of_message_id(b"", message_id) is None


def test_a_seal_of_one_purpose_is_none_of_the_other() -> None:
    seal = bounce_address(SECRET, 17, "shop.example", 4).partition("-")[2].partition("@")[0]
    assert answer_of_message_id(SECRET, f"<answer.17.4.{seal}@shop.example>") is None
