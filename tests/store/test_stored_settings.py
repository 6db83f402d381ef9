"""Settings stored in the desk: which wins, what is refused, and that every version stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relaydesk.config.opening import desk_config, settings_in_force
from relaydesk.config.settings import Settings
from relaydesk.config.snapshot import Configuration
from relaydesk.config.stored import settings_shown
from relaydesk.desk.config import DeskError
from relaydesk.desk.settings import SettingChanged
from relaydesk.store import stored_settings
from relaydesk_testkit.arriving import NOON
from tests.support.desk import ADA, desk

if TYPE_CHECKING:
    from relaydesk.desk.desk import Desk
    from relaydesk.store.engine import Store

FILES = Settings(mailboxes=("help@shop.example",), hostname="mx.shop.example", undo_seconds=30.0).placed(
    {"mailboxes": "relaydesk.yaml", "hostname": "relaydesk.yaml", "undo_seconds": "relaydesk.yaml"}
)
TEMPLATE = "---\ntitle: Thanks\ndescription: Says thanks\n---\nThank you, {{ buyer.name }}.\n"


def shop(store: Store) -> Desk:
    return desk(store, NOON, book=desk_config(FILES, lambda: b"").book)


def test_a_stored_value_counts_under_a_file_and_over_the_default(store: Store) -> None:
    here = shop(store)
    here.settings.store_value("give_up_hours", "24", by=ADA, why="answers are urgent")
    with pytest.raises(DeskError, match=r"set in relaydesk\.yaml"):
        here.settings.store_value("undo_seconds", "5", by=ADA)
    in_force, problems = settings_in_force(FILES, store)
    assert (in_force.give_up_hours, in_force.undo_seconds, problems) == (24.0, 30.0, ())
    sources = {shown.name: (shown.source, shown.place) for shown in settings_shown(in_force)}
    assert sources["give_up_hours"] == ("stored", "stored in the desk")
    assert sources["undo_seconds"] == ("file", "relaydesk.yaml")
    assert sources["max_bounces"] == ("default", "default")
    shown = {each.shown.name: each for each in here.settings.in_force(by=ADA)}
    assert shown["give_up_hours"].stored.why == "answers are urgent"
    later = FILES.model_copy(update={"give_up_hours": 12.0})
    assert settings_in_force(later, store)[0].give_up_hours == 12.0


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("calendar", "zone: [", r"stored calendar, line 1"),
        ("calendar", "zone: Nowhere/Land", r"Nowhere/Land"),
        ("calendar", "hours: {}\nholidays: {}", r"never open"),
        ("queues", "case: {answer: soon}", r"Setting queues\.case\.answer"),
        ("rules", "rules:\n  - name: x\n    kind: case\n", r"stored rules:2"),
        ("allowlist", "networks:\n  - 10.0.0.0/99\n", r"stored allowlist, line 2"),
        ("template.thanks", "Hello", r"thanks\.txt: begin it with a head"),
        ("template.thanks", TEMPLATE + "{{ nobody.x }}", r"thanks\.txt, line 6"),
        ("give_up_hours", "0", r"Setting give_up_hours"),
        ("database", "sqlite:///x.db", r"cannot be stored"),
    ],
)
def test_what_a_file_may_not_say_is_not_stored(
    sqlite_store: Store, name: str, text: str, sentence: str
) -> None:
    here = shop(sqlite_store)
    with pytest.raises(DeskError, match=sentence):
        here.settings.store_value(name, text, by=ADA)
    assert not here.settings.stored().newest


def test_every_version_stays_and_an_earlier_one_is_put_back(store: Store) -> None:
    here = shop(store)
    for hours in ("10", "20"):
        here.settings.store_value("give_up_hours", hours, by=ADA)
    assert here.settings.put_back("give_up_hours", 1, by=ADA) == 3
    assert here.settings.stored().values == {"give_up_hours": "10"}
    assert here.settings.put_back("give_up_hours", 0, by=ADA) == 4
    assert here.settings.stored().values == {}
    versions = [(row.version, row.value) for row in here.settings.history("give_up_hours", by=ADA)]
    assert versions == [(4, None), (3, "10"), (2, "20"), (1, "10")]
    assert [line.what for line in here.audit_log.page(by=ADA)][:2] == ["setting_taken_back", "setting_stored"]


def test_the_second_of_two_admins_hears_of_the_first(store: Store) -> None:
    here = shop(store)
    here.settings.store_value("give_up_hours", "10", version=0, by=ADA)
    with pytest.raises(SettingChanged, match=r"ada has changed give_up_hours meanwhile") as refusal:
        here.settings.store_value("give_up_hours", "20", version=0, by=ADA)
    assert refusal.value.newest.value == "10"


def test_a_process_takes_what_is_stored_and_keeps_the_old_where_it_cannot(store: Store) -> None:
    here = shop(store)
    configuration = Configuration(FILES, b"secret")
    here.settings.store_value("queues", "case: {answer: 16 business hours}", by=ADA)
    configuration.take(here.settings.stored())
    taken = configuration.current
    assert str(taken.policy.queues["case"].answer) == "16 business hours"
    with store.transaction() as session:  # as a later release might find it, or somebody at the database
        stored_settings.put(session, "queues", "case: [", version=2, why="", actor=ADA, now=NOON)
    configuration.take(here.settings.stored())
    assert configuration.current is taken
    assert "stored queues, line 1" in configuration.problem
    begun_anew = Configuration(FILES, b"secret", here.settings.stored())
    assert "stored queues, line 1" in begun_anew.problem
    assert str(begun_anew.current.policy.queues["case"].answer) == "2 business days"
    configuration.reload()
    assert configuration.current is taken


def test_a_stored_template_is_over_the_shipped_one_and_reset(store: Store) -> None:
    here = shop(store)
    shipped = {each.name: each.title for each in here.settings.templates(by=ADA)}
    here.settings.store_value("template.refund-done", TEMPLATE, by=ADA)
    assert {each.name: each.title for each in here.settings.templates(by=ADA)} == {
        **shipped,
        "refund-done": "Thanks",
    }
    here.settings.store_value("template.refund-done", None, by=ADA)
    assert {each.name: each.title for each in here.settings.templates(by=ADA)} == shipped
