"""A setting stored in the desk, in the processes of a real ``relaydesk serve``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from relaydesk_testkit.buyers import mail
from relaydesk_testkit.serving import STORED, eventually
from tests.support.commands import run_for

if TYPE_CHECKING:
    from typing import Any

    from relaydesk_testkit.serving import Serving
    from tests.e2e.conftest import Start


def set_value(serving: Serving, *words: str) -> str:
    answer = run_for(serving, "config", "set", *words)
    assert answer.exit_code == 0, answer.stderr
    return answer.stdout


def targets(serving: Serving, ticket: int) -> list[str]:
    shown = run_for(serving, "ticket", str(ticket), "--json")
    return [clock["target"] for clock in json.loads(shown.stdout)["clocks"]]


def taken(serving: Serving, changes: int) -> Any:
    return eventually(lambda: len(serving.logged("reloaded")) >= changes, "the change in both processes")


def test_mail_that_comes_after_a_change_has_the_new_target_and_running_clocks_move(
    sqlite_url: str, start_serving: Start
) -> None:
    serving = start_serving(sqlite_url)  # what the engines do alike is in tests/store/test_stored_settings.py
    assert serving.deliver(mail(1)).startswith(STORED)
    before = targets(serving, 1)
    set_value(serving, "queues", "case: {answer: 16 business hours}", "--why", "faster")
    taken(serving, 2)  # the listener and the office
    assert serving.deliver(mail(2)).startswith(STORED)
    assert targets(serving, 2) == ["16 business hours"] != before
    eventually(lambda: targets(serving, 1) == ["16 business hours"], "the running clock's move")
    shown = json.loads(run_for(serving, "config", "show", "--where", "--json").stdout)
    assert [each["place"] for each in shown if each["name"] == "queues"] == ["stored in the desk"]
    set_value(serving, "queues", "--default")
    taken(serving, 4)
    assert serving.deliver(mail(3)).startswith(STORED)
    assert targets(serving, 3) == before
    history = json.loads(run_for(serving, "config", "history", "queues", "--json").stdout)
    assert [(row["version"], row["actor"], row["why"]) for row in history] == [
        (2, "console", ""),
        (1, "console", "faster"),
    ]
