"""The acts on a ticket by command: each leaves the events that the pages leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relaydesk.classify.rules_file import load_rules
from relaydesk.store.engine import Store
from relaydesk_testkit.arriving import ORDER, candidate, open_ticket
from tests.support.commands import data, make_shop, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tickets 1 and 2 are of one order, 3 is unsorted; Alice is an agent, Bob a lead."""
    make_shop(tmp_path, monkeypatch)
    store = Store.open(f"sqlite:///{tmp_path}/relaydesk.db")
    for name in ("one", "two"):
        open_ticket(store, name=name, candidates=(candidate(ORDER),))
    open_ticket(store, name="three", kind="unsorted")
    store.close()
    assert run("agents", "add", "alice").exit_code == 0
    assert run("agents", "add", "bob", "--role", "lead").exit_code == 0


def whats(ticket: int) -> list[str]:
    return [event["what"] for event in data("ticket", str(ticket))["events"]]


@pytest.mark.usefixtures("shop")
def test_acts_are_done_by_command_and_leave_their_events() -> None:
    for ticket, options, event in (
        ("1", ("--take",), "assigned"),
        ("1", ("--snooze", "2999-01-01T00:00:00Z"), None),
        ("1", ("--move", "claim", "--why", "It became one"), "moved"),
        ("1", ("--move", "case"), "moved"),
        ("1", ("--link", "3"), "linked"),
        ("1", ("--unlink", "3"), "unlinked"),
        ("1", ("--merge-into", "2"), "merged"),
        ("1", ("--close",), None),
        ("1", ("--unmerge",), "unmerged"),
        ("1", ("--no-order",), "order_released"),
        ("3", ("--sort-as", "claim"), "sorted"),
        ("3", ("--junk",), None),
        ("2", ("--close",), "closed"),
        ("2", ("--reopen", "--why", "He wrote elsewhere"), "reopened"),
    ):
        result = run("ticket", ticket, *options, "--as", "alice")
        assert result.exit_code == (1 if event is None else 0), (options, result.output)
        assert event is None or event in whats(int(ticket)), options
    assert run("ticket", "1", "--take", "--assign", "bob", "--as", "bob").exit_code == 2
    assert run("ticket", "1", "--why", "because", "--as", "bob").exit_code == 2
    assert run("ticket", "3", "--junk", "--as", "bob").stdout == "Ticket 3: closed as junk.\n"
    assert run("ticket", "3", "--not-junk", "--as", "alice").exit_code == 0


@pytest.mark.usefixtures("shop")
def test_a_rule_is_proposed_shown_and_withdrawn_by_command() -> None:
    assert run("rules", "proposals").exit_code == 1
    tried = data("rules", "propose", "3", "--kind", "claim", "--dry-run")
    assert (tried["proposal"], len(tried["matched"])) == (None, 3)
    proposed = run("rules", "propose", "3", "--kind", "claim", "--as", "alice")
    assert proposed.stdout.splitlines()[-1] == "Rule 1 is proposed."
    (row,) = data("rules", "proposals")
    assert (row["kind"], row["proposed_by"]) == ("claim", "agent:alice")
    assert load_rules(run("rules", "show", "1").stdout, "shown").rules[0].kind == "claim"
    assert run("rules", "settle", "1", "--accepted", "--as", "alice").exit_code == 1
    assert run("rules", "settle", "1", "--as", "bob").exit_code == 2
    assert run("rules", "settle", "1", "--declined", "--note", "Too wide", "--as", "bob").exit_code == 0
    assert "settled before" in run("rules", "withdraw", "1", "--as", "alice").stderr
    assert data("rules", "proposals", "--all")[0]["note"] == "Too wide"
