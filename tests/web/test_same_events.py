"""The same act by page, API and command line, on equal desks: the same events, and the same state.

Each act that is about a ticket has its row: a form, a request, and arguments. A new act without one fails.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from relaydesk.data import data_path
from relaydesk.desk.answers import Written
from relaydesk.desk.permissions import CONSOLE, PERMITTED
from relaydesk.order import Order, OrderRow
from relaydesk.store import looks, orders
from relaydesk.store.engine import Store
from relaydesk.store.tables import OutboxTable, table
from relaydesk.web.app import create_app
from relaydesk.web.config import WebConfig
from relaydesk.web.cookies import COOKIE
from relaydesk_testkit.arriving import NOON, ORDER, candidate, open_ticket, planned
from tests.support.commands import run
from tests.support.desk import ALICE, BOB, desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from relaydesk.desk.desk import Desk
    from relaydesk.desk.permissions import Act

SECOND = "368509000000002"
LATER = (NOON + timedelta(hours=3)).isoformat()
AT = NOON.isoformat()
FILE = b"%PDF-1.4 the invoice"

ELSEWHERE: set[str] = {
    "import_orders", "add_agent", "change_agent", "deactivate_agent", "add_gateway_client",
    "revoke_gateway_client", "manage_webhooks", "use_api", "save_view", "share_view", "invite_agent",
    "sign_agent_out", "reset_authenticator", "change_own_name", "change_preferences", "end_own_session",
    "end_own_other_sessions", "change_own_password", "begin_authenticator", "confirm_authenticator",
    "remove_own_authenticator", "renew_recovery_codes", "make_token", "revoke_own_token", "read_report",
    "export_report", "withdraw_rule", "settle_rule", "read_original",
}  # fmt: skip
"""Acts that leave no event on a ticket."""


BOUND: dict[str, Any] = {"bind_orders": (ORDER,), "candidates": (candidate(),)}
TICKETS: dict[str, dict[str, Any]] = {
    "open": BOUND, "closed": {}, "given": {}, "marked": {}, "twin": BOUND, "merged": BOUND, "snoozed": {},
    "unanswerable": {"clocks": (planned("handling"),)}, "unsorted": {"kind": "unsorted"},
    "junk": {"kind": "unsorted"}, "taken": {},
}  # fmt: skip


def filled_desk(store: Store) -> dict[str, int]:
    """One of everything; the numbers that the rows name."""
    here = desk(store)
    orders.put(store, [OrderRow(Order(number), frozenset()) for number in (ORDER, SECOND)], NOON)
    number = {name: open_ticket(store, name=name, **how) for name, how in TICKETS.items()}
    with store.transaction() as session:
        looks.mark(session, number["marked"], "bounce_unclear", NOON)
    here.tickets.close(number["closed"], by=BOB)
    here.tickets.assign(number["given"], "bob", by=BOB)
    here.tickets.mark_junk(number["junk"], by=BOB)
    here.tickets.merge(number["merged"], number["twin"], by=BOB)
    here.tickets.link(number["twin"], number["given"], by=BOB)
    here.tickets.snooze(number["snoozed"], NOON + timedelta(hours=2), by=ALICE)
    number["event"] = here.tickets.take(number["taken"], by=ALICE)
    for name, ticket in (("answer", "open"), ("failed", "marked")):
        written = Written("We look into it.", no_order=name == "failed")
        seen = here.tickets.latest_event(number[ticket])
        number[name] = here.answers.write(number[ticket], written, seen=seen, by=ALICE).answer
    rows = table(OutboxTable)
    with store.transaction() as session:
        failed = update(rows).where(rows.c.id == number["failed"]).values(state="failed")
        session.connection().execute(failed)
    number["seen"] = here.tickets.latest_event(number["open"])
    return number


class Place:
    """A desk of its own, and the numbers of what is on it."""

    def __init__(self, store: Store, numbers: dict[str, int]) -> None:
        self.store, self.desk, self.numbers = store, desk(store), numbers

    def left(self) -> dict[str, Any]:
        """What an act has left: every ticket as it stands and its events, without moments and numbers."""
        whole = {}
        for key in TICKETS:
            view = self.desk.tickets.view(self.numbers[key])
            whole[key] = {
                "state": {
                    field: value
                    for field, value in asdict(view.ticket).items()
                    if not isinstance(value, datetime)
                },
                "clocks": [(clock.clock, clock.running, clock.stopped_how) for clock in view.clocks],
                "numbers": sorted((number.value, number.how) for number in view.numbers),
                "answers": [answer.row.state for answer in view.answers],
                "linked": [linked.id for linked in view.linked],
                "events": [(event.what, event.actor, plain(event.data)) for _, event in view.events],
            }
        return whole


def plain(data: Any) -> Any:
    """A payload without moments and numbers of rows that count up by themselves."""
    text = json.dumps(data, default=str, sort_keys=True)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)?", "MOMENT", text)


# act: who does it, (page, form), (method, API path, body), arguments of the command line
Row = tuple[str, tuple[str, dict[str, str]], tuple[str, str, Any], tuple[str, ...]]


def simple(ticket: str, page: str, option: str, api: str = "", who: str = "alice") -> Row:
    """An act that takes nothing but the ticket."""
    at = f"/tickets/{{{ticket}}}"
    return (
        who,
        (f"{at}/{page}", {}),
        ("POST", f"{at}/{api or page}", None),
        ("ticket", f"{{{ticket}}}", option),
    )


ROWS: dict[Act, Row] = {
    "answer": (
        "alice",
        ("/tickets/{open}/answer", {"text": "Hello", "seen": "{seen}", "token": "t" * 32}),
        ("POST", "/tickets/{open}/answers", {"text": "Hello", "seen": "{seen}"}),
        ("answer", "{open}", "--text", "hello.txt", "--seen", "{seen}"),
    ),
    "cancel_answer": (
        "alice", ("/answers/{answer}/undo", {}), ("POST", "/answers/{answer}/cancel", None),
        ("outbox", "cancel", "{answer}"),
    ),
    "cancel_answer_of_another": (
        "bob", ("/answers/{answer}/undo", {}), ("POST", "/answers/{answer}/cancel", None),
        ("outbox", "cancel", "{answer}"),
    ),
    "retry_answer": (
        "alice", ("/answers/{failed}/retry", {}), ("POST", "/answers/{failed}/retry", None),
        ("outbox", "retry", "{failed}"),
    ),
    "retry_answer_of_another": (
        "bob", ("/answers/{failed}/retry", {}), ("POST", "/answers/{failed}/retry", None),
        ("outbox", "retry", "{failed}"),
    ),
    "take": simple("open", "take", "--take"),
    "assign": (
        "alice", ("/tickets/{open}/assign", {"agent": "ada"}),
        ("POST", "/tickets/{open}/assign", {"agent": "ada"}), ("ticket", "{open}", "--assign", "ada"),
    ),
    "reassign": (
        "ada", ("/tickets/{given}/assign", {"agent": "alice"}),
        ("POST", "/tickets/{given}/assign", {"agent": "alice"}), ("ticket", "{given}", "--assign", "alice"),
    ),
    "note": (
        "alice", ("/tickets/{open}/note", {"text": "She called."}),
        ("POST", "/tickets/{open}/note", {"text": "She called."}),
        ("ticket", "{open}", "--note", "She called."),
    ),
    "state_answered_elsewhere": (
        "alice", ("/tickets/{open}/elsewhere", {"at": AT}),
        ("POST", "/tickets/{open}/elsewhere", {"at": AT}), ("ticket", "{open}", "--answered-outside", AT),
    ),
    "state_handled": (
        "alice", ("/tickets/{unanswerable}/handled", {"at": AT, "text": "Paid back."}),
        ("POST", "/tickets/{unanswerable}/handled", {"at": AT, "how": "Paid back."}),
        ("ticket", "{unanswerable}", "--handled", AT, "--how", "Paid back."),
    ),
    "mark_looked_at": simple("marked", "looked", "--looked-at"),
    "close": simple("open", "close", "--close"),
    "reopen": (
        "alice", ("/tickets/{closed}/reopen", {"why": "She wrote again"}),
        ("POST", "/tickets/{closed}/reopen", {"why": "She wrote again"}),
        ("ticket", "{closed}", "--reopen", "--why", "She wrote again"),
    ),
    "move": (
        "alice", ("/tickets/{open}/move", {"queue": "claim", "why": "a claim"}),
        ("POST", "/tickets/{open}/move", {"queue": "claim", "why": "a claim"}),
        ("ticket", "{open}", "--move", "claim", "--why", "a claim"),
    ),
    "undo": (
        "alice", ("/undo/{event}", {}), ("POST", "/tickets/{taken}/undo/{event}", None),
        ("ticket", "{taken}", "--undo"),
    ),
    "snooze": (
        "alice", ("/tickets/{open}/snooze", {"until": LATER}),
        ("POST", "/tickets/{open}/snooze", {"until": LATER}), ("ticket", "{open}", "--snooze", LATER),
    ),
    "wake": simple("snoozed", "wake", "--wake"),
    "link": (
        "alice", ("/tickets/{open}/link", {"other": "{unsorted}"}),
        ("POST", "/tickets/{open}/link", {"ticket": "{unsorted}"}),
        ("ticket", "{open}", "--link", "{unsorted}"),
    ),
    "unlink": (
        "alice", ("/tickets/{twin}/unlink", {"other": "{given}"}),
        ("POST", "/tickets/{twin}/unlink", {"ticket": "{given}"}),
        ("ticket", "{twin}", "--unlink", "{given}"),
    ),
    "merge": (
        "alice", ("/tickets/{open}/merge", {"other": "{twin}"}),
        ("POST", "/tickets/{open}/merge", {"ticket": "{twin}"}),
        ("ticket", "{open}", "--merge-into", "{twin}"),
    ),
    "unmerge": simple("merged", "unmerge", "--unmerge"),
    "sort": (
        "alice", ("/tickets/{unsorted}/sort", {"kind": "claim"}),
        ("POST", "/tickets/{unsorted}/sort", {"kind": "claim"}),
        ("ticket", "{unsorted}", "--sort-as", "claim"),
    ),
    "propose_rule": (
        "alice",
        ("/tickets/{unsorted}/sort", {"kind": "claim", "rule": "1", "sender": "{sender}",
                                       "subject": "{subject}"}),
        ("BOTH", "/tickets/{unsorted}", {"kind": "claim"}),
        ("rules", "propose", "{unsorted}", "--kind", "claim"),
    ),
    "mark_junk": simple("unsorted", "junk", "--junk"),
    "mark_proven_junk": simple("open", "junk", "--junk", who="bob"),
    "unmark_junk": simple("junk", "reopen", "--not-junk", "not-junk"),
    "bind_order": (
        "alice", ("/tickets/{open}/order", {"order": SECOND}),
        ("POST", "/tickets/{open}/order", {"order": SECOND}), ("ticket", "{open}", "--bind-order", SECOND),
    ),
    "release_order": (
        "alice", ("/tickets/{open}/release", {"order": ORDER}),
        ("POST", "/tickets/{open}/release", {"order": ORDER}), ("ticket", "{open}", "--release-order", ORDER),
    ),
    "state_no_order": (
        "alice", ("/tickets/{open}/release", {"order": "*"}), ("POST", "/tickets/{open}/no-order", None),
        ("ticket", "{open}", "--no-order"),
    ),
    "add_evidence": (
        "alice", ("/tickets/{open}/evidence", {"item": "Invoice", "FILE": "invoice.pdf"}),
        ("POST", "/tickets/{open}/evidence",
         {"item": "Invoice", "file": {"name": "invoice.pdf", "content": base64.b64encode(FILE).decode()}}),
        ("ticket", "{open}", "--evidence", "Invoice", "--file", "invoice.pdf"),
    ),
}  # fmt: skip


def test_every_act_on_a_ticket_has_its_row() -> None:
    assert set(ROWS) | ELSEWHERE == set(PERMITTED)
    assert not set(ROWS) & ELSEWHERE


@pytest.fixture(scope="module")
def filled_file(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, int]]:
    """A database file with one of everything."""
    file = tmp_path_factory.mktemp("doors") / "filled.db"
    file.write_bytes(sqlite_template.read_bytes())
    store = Store.open(f"sqlite:///{file}")
    numbers = filled_desk(store)
    store.close()
    return file, numbers


@pytest.fixture
def places(filled_file: tuple[Path, dict[str, int]], tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    """Equal desks, each in a database file of its own."""
    opened: list[Store] = []

    def place(door: str) -> Place:
        file = tmp_path / f"{door}.db"
        shutil.copy(filled_file[0], file)
        opened.append(Store.open(f"sqlite:///{file}"))
        return Place(opened[-1], filled_file[1])

    yield place
    for store in opened:
        store.close()


def filled(value: Any, place: Place) -> Any:
    """A row's words with the numbers of this desk."""
    if isinstance(value, dict):
        return {name: filled(part, place) for name, part in value.items()}
    if not isinstance(value, str):
        return value
    words = place.desk.rules.draft(place.numbers["unsorted"])
    return value.format(**place.numbers, sender=words.sender, subject=words.subject)


def client(here: Desk) -> TestClient:
    config = WebConfig(templates=data_path("templates"), shop="Shop", zone=here.config.calendar.zone)
    return TestClient(create_app(here, config), base_url="http://localhost", follow_redirects=False)


def by_page(place: Place, who: str, row: Row) -> None:
    here = place.desk
    browser = client(here)
    link = here.accounts.link(who, by=CONSOLE, kind="direct")
    browser.cookies.set(COOKIE, here.sign_in.by_link(link).token)
    path, form = filled(row[1][0], place), filled(row[1][1], place)
    name = form.pop("FILE", "")
    files = {"file": (name, FILE, "application/pdf")} if name else None
    headers = {"Sec-Fetch-Site": "same-origin"}
    response = browser.post(path, data=form, files=files, headers=headers)
    assert response.status_code in (200, 303), response.text[-2000:]


def by_api(place: Place, who: str, row: Row) -> None:
    token = place.desk.credentials.make_token("t", ["read", "write"], by=f"agent:{who}")
    method, path, body = row[2]
    asked = [(method, path, body)]
    if method == "BOTH":  # the page does two acts at once, as its sheet offers them
        asked = [("POST", f"{path}/rules", body), ("POST", f"{path}/sort", body)]
    for how, address, sent in asked:
        values = filled(sent, place)
        for name in ("seen", "ticket"):
            if values and name in values:
                values[name] = int(values[name])
        response = client(place.desk).request(
            how,
            f"/api/v1{filled(address, place)}",
            json=values,
            headers={"Authorization": f"Bearer {token}"},
        )
        assert response.is_success, response.text


def by_command(place: Place, who: str, row: Row, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The real command over the same desk: its clock stands still as that of the others does."""
    monkeypatch.chdir(folder)
    (folder / "relaydesk.yaml").write_text("mailboxes: [help@shop.example]\nhostname: mx.shop.example\n")
    (folder / "hello.txt").write_text("Hello")
    (folder / "invoice.pdf").write_bytes(FILE)
    monkeypatch.setattr("relaydesk.config.open_desk", lambda *_, **__: place.desk)
    arguments = [filled(argument, place) for argument in row[3]]
    commands = [arguments]
    if arguments[0] == "rules":
        commands.append(["ticket", str(place.numbers["unsorted"]), "--sort-as", "claim"])
    for command in commands:
        result = run(*command, "--as", who)
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize("act", ROWS)
def test_every_door_leaves_the_same(
    act: Act, places: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    row = ROWS[act]
    untouched = places("untouched").left()
    page, api, command = places("page"), places("api"), places("command")
    by_page(page, row[0], row)
    by_api(api, row[0], row)
    by_command(command, row[0], row, monkeypatch, tmp_path)
    left = page.left()
    assert left == api.left()
    assert left == command.left()
    assert left != untouched
