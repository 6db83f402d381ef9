"""The people at the desk: names that differ by more than case, roles, and what signs an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import CONSOLE
from relaydesk.store import agents
from relaydesk.store.errors import Conflict
from relaydesk_testkit.arriving import NOON, open_ticket
from tests.support.desk import ALICE, BOB, desk

if TYPE_CHECKING:
    from relaydesk.store.engine import Store


def test_it_keeps_agents(store: Store) -> None:
    people = desk(store).agents
    with pytest.raises(DeskError, match="Agent bob already exists"):
        people.add("bob", by=CONSOLE)
    people.add("Zoë", display_name="  Zoë   Z. ", email="zoe@shop.example", by=CONSOLE)
    people.deactivate("zoë", by=CONSOLE)
    with pytest.raises(DeskError, match="no longer active"):
        people.deactivate("Zoë", by=CONSOLE)
    with pytest.raises(DeskError, match="no longer active"):
        people.change("Zoë", role="lead", by=CONSOLE)
    people.add("ZOË", role="lead", by=CONSOLE)
    (zoe,) = [agent for agent in people.everybody() if agent.name == "Zoë"]
    assert (zoe.display_name, zoe.email, zoe.role, zoe.active) == ("Zoë Z.", "zoe@shop.example", "lead", True)
    with pytest.raises(DeskError, match="Nothing to change"):
        people.change("Zoë", by=CONSOLE)
    for name in ("", " bob", "a:b", "a\nb", "x" * 101):
        with pytest.raises(DeskError, match="An agent's name"):
            people.add(name, by=CONSOLE)


@pytest.mark.parametrize("name", ["ALICE", "Alice", "aLiCe", "\N{FULLWIDTH LATIN CAPITAL LETTER A}lice"])
def test_names_differ_by_more_than_case(store: Store, name: str) -> None:
    with pytest.raises(DeskError, match="Agent alice already exists"):
        desk(store).agents.add(name, by=CONSOLE)
    with pytest.raises(Conflict), store.transaction() as session:
        agents.add(session, name, now=NOON)


def test_a_former_agent_assigned_to_a_ticket_stays_there(store: Store) -> None:
    ticket = open_ticket(store)
    desk(store).tickets.assign(ticket, "Bob", by=BOB)
    desk(store).agents.deactivate("BOB", by=CONSOLE)
    assert desk(store).tickets.view(ticket).ticket.assignee == "bob"
    with pytest.raises(DeskError, match="no longer active"):
        desk(store).tickets.note(ticket, "still here", by=BOB)


def test_the_display_name_signs_what_a_template_says(store: Store) -> None:
    ticket = open_ticket(store)
    filled = desk(store).answers.filled(ticket, "acknowledgement", {}, by="agent:ALICE")
    assert filled.endswith("\nAlice A.\n")
    desk(store).agents.change("alice", display_name="Alice of the shop", by=CONSOLE)
    filled = desk(store).answers.filled(ticket, "acknowledgement", {}, by=ALICE)
    assert filled.endswith("\nAlice of the shop\n")


def test_an_agent_without_a_display_name_signs_with_the_name(store: Store) -> None:
    desk(store).agents.add("carol", by=CONSOLE)
    (carol,) = [agent for agent in desk(store).agents.everybody() if agent.name == "carol"]
    assert (carol.display_name, carol.role) == ("carol", "agent")
