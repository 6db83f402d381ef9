"""What a reply template says of a stored ticket and its order."""

from __future__ import annotations

from click.testing import CliRunner

from relaydesk.cli import cli
from relaydesk.order import Item, Order, OrderRow
from relaydesk.outbound.template_variables import template_context
from relaydesk.store import orders
from relaydesk_testkit.arriving import NOON, ORDER, open_ticket
from tests.support.answers import SHOP
from tests.support.desk import ALICE, desk

WHOLE = Order(ORDER, "A-1", "CREATED", "19.90", "USD", items=(Item("1", "MUG-1", "Blue mug", 2, "9.95"),))


def known(store, ticket, **chosen):
    with store.reading() as session:
        return template_context(session, ticket, agent="robin", shop=SHOP, **chosen)


def bound(store, ticket, order=ORDER):
    desk(store).tickets.bind_order(ticket, order, by=ALICE)


def given(store):
    row = OrderRow(WHOLE, frozenset({"merchant_ref", "state", "amount", "currency", "items"}))
    orders.put(store, [row], NOON)


def test_it_knows_ticket_buyer_and_the_bound_order(store):
    given(store)
    ticket = open_ticket(store)
    assert known(store, ticket).order is None
    bound(store, ticket)
    about = known(store, ticket)
    assert (about.ticket, about.username, about.agent, about.shop) == (ticket, "alice", "robin", SHOP)
    assert about.subject == "Hello"
    assert about.order == WHOLE


def test_it_takes_the_agents_choice_and_knows_no_more_than_the_directory(store):
    ticket = open_ticket(store)
    assert known(store, ticket, order_id="99").order == Order("99")
    assert known(store, 4711) is None


def test_it_previews_a_template_for_a_ticket(sqlite_store, sqlite_url, tmp_path, monkeypatch):
    given(sqlite_store)
    ticket = open_ticket(sqlite_store)
    bound(sqlite_store, ticket)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELAYDESK_DATABASE", sqlite_url)
    monkeypatch.setenv("RELAYDESK_MAILBOXES", '["help@shop.example"]')

    def preview(*words):
        return CliRunner().invoke(cli, ["templates", "preview", *words], catch_exceptions=False)

    told = preview("ask-for-photo", "--ticket", str(ticket), "--as", "Alice").stdout
    assert told.startswith(f"Hello alice,\n\nI am sorry that something is not right with order {ORDER}.\n")
    assert "- 2 x Blue mug\n" in told
    assert told.endswith("Kind regards\nAlice A.\n")
    lacking = preview("refund-done", "--ticket", str(ticket), "--as", "alice")
    assert (lacking.exit_code, "refund.amount is needed" in lacking.stderr) == (1, True)
    gone = preview("refund-done", "--ticket", "4711", "--as", "alice")
    assert (gone.exit_code, gone.stderr) == (1, "relaydesk: There is no ticket 4711.\n")
