"""The API: every route asked by everybody, errors as problems, writes done once, and nothing that fails.

A new route without a row fails: add its line below.
"""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from relaydesk.api.app import create_api
from relaydesk.data import data_path
from relaydesk.events import NoteAdded
from relaydesk.store import StoreUnavailable
from relaydesk.web.app import create_app
from relaydesk.web.config import WebConfig
from relaydesk_testkit.arriving import open_ticket
from tests.support.desk import desk

if TYPE_CHECKING:
    from relaydesk.desk.desk import Desk
    from relaydesk.store.engine import Store
    from relaydesk_testkit.pages import DeskPages

CALLERS = ("nobody", "read", "write", "admin", "lead")
"""Nobody; an agent's token to read, and to read and write; an admin's
with every scope; a lead's to read and write, for only an admin's has more."""
READ = (401, 200, 200, 200, 200)
LEADS = (401, 403, 403, 200, 200)
ADMINS = (401, 403, 403, 200, 403)
WRITE = (401, 403, 200, 200, 200)
MADE = (401, 403, 201, 201, 201)
REFUSED = (401, 403, 409, 409, 409)
NONE = (401, 403, 404, 404, 404)
NEWER = 2**40  # a number that nothing has
FILE = {"name": "note.txt", "content": base64.b64encode(b"hello").decode()}
AT = "/tickets/{ticket_id}"

ROWS: tuple[tuple[Any, ...], ...] = (
    # method, route, statuses of CALLERS, body or query
    ("GET", "/openapi.json", (200, 200, 200, 200, 200)),
    ("GET", "/me", READ),
    ("GET", "/queues", READ),
    ("GET", "/tickets", READ),
    ("GET", "/search", READ, {"q": "mug"}),
    ("GET", AT, READ),
    ("GET", f"{AT}/messages/{{message_id}}", READ),
    ("GET", f"{AT}/messages/{{message_id}}/raw", READ),
    ("GET", f"{AT}/messages/{{message_id}}/headers", READ),
    ("GET", f"{AT}/messages/{{message_id}}/attachments/{{number}}", (401, 200, 200, 200, 200)),
    ("GET", f"{AT}/events", READ),
    # What one caller has done, the next cannot do again: so each is asked where nothing is to be done.
    ("POST", "/tickets/{none}/take", NONE),
    ("POST", "/tickets/{none}/assign", NONE, {"agent": None}),
    ("POST", f"{AT}/note", WRITE, {"text": "She called."}),
    ("POST", "/tickets/{none}/close", NONE),
    ("POST", "/tickets/{none}/reopen", NONE, {}),
    ("POST", "/tickets/{none}/move", NONE, {"queue": "claim"}),
    ("POST", "/tickets/{none}/elsewhere", NONE, {"at": "2026-11-25T12:00:00Z"}),
    ("POST", "/tickets/{none}/handled", NONE, {"at": "2026-11-25T12:00:00Z", "how": "Paid."}),
    ("POST", "/tickets/{none}/looked", NONE),
    ("POST", "/tickets/{none}/snooze", NONE, {"until": "2026-11-26T12:00:00Z"}),
    ("POST", f"{AT}/wake", REFUSED),
    ("POST", "/tickets/{none}/sort", NONE, {"kind": "claim"}),
    ("POST", "/tickets/{none}/junk", NONE),
    ("POST", f"{AT}/not-junk", REFUSED),
    ("POST", f"{AT}/undo/{{event}}", REFUSED),
    ("POST", f"{AT}/order", REFUSED, {"order": "1"}),
    ("POST", f"{AT}/release", REFUSED, {"order": "1"}),
    ("POST", "/tickets/{none}/no-order", NONE),
    ("POST", f"{AT}/link", REFUSED, {"ticket": "{ticket_id}"}),
    ("POST", f"{AT}/unlink", NONE, {"ticket": NEWER}),
    ("POST", f"{AT}/merge", REFUSED, {"ticket": "{ticket_id}"}),
    ("POST", f"{AT}/unmerge", REFUSED),
    ("POST", f"{AT}/answers", MADE, {"text": "Hello", "seen": "{seen}", "dry_run": True}),
    ("GET", "/answers", READ),
    ("POST", "/answers/{answer_id}/cancel", NONE),
    ("POST", "/answers/{answer_id}/retry", NONE),
    ("GET", "/templates", READ),
    ("GET", f"{AT}/draft", READ),
    ("PUT", f"{AT}/draft", WRITE, {"text": "Dear"}),
    ("DELETE", f"{AT}/draft", WRITE),
    ("POST", f"{AT}/draft/files", MADE, {"files": [{**FILE, "name": "a.pdf", "content": "JVBERi0xLjQ="}]}),
    ("DELETE", f"{AT}/draft/files/{{file_id}}", REFUSED),
    ("GET", f"{AT}/evidence", READ),
    ("POST", f"{AT}/evidence", MADE, {"item": "Invoice", "file": FILE}),
    ("GET", "/evidence/{evidence_id}", (401, 404, 404, 404, 404)),
    ("GET", "/rules/proposals", READ),
    ("GET", "/rules/proposals/{number}", (401, 404, 404, 404, 404)),
    ("POST", f"{AT}/rules", MADE, {"kind": "claim", "dry_run": True}),
    ("POST", "/rules/proposals/{number}/withdraw", NONE),
    ("POST", "/rules/proposals/{number}/settle", NONE, {"how": "declined"}),
    ("GET", "/views", READ),
    ("POST", "/views", MADE, {"name": "Mine", "query": {"place": ["/"]}}),
    ("PATCH", "/views/{view_id}", (401, 403, 403, 404, 404), {"shared": True}),
    ("DELETE", "/views/{view_id}", NONE),
    ("GET", "/report/sla", (401, 403, 403, 200, 200), {"month": "2026-11"}),
    ("GET", "/report/tickets", (401, 403, 403, 409, 409), {"figure": "none"}),
    ("GET", "/agents", READ),
    ("POST", "/agents", (401, 403, 403, 409, 403), {"name": "desk.lead"}),
    ("PATCH", "/agents/{name}", (401, 403, 403, 200, 403), {"display_name": "Late"}),
    ("POST", "/agents/{name}/deactivate", (401, 403, 403, 200, 403)),
    ("GET", "/orders", READ, {"q": "371202934455811"}),
    ("GET", "/refusals", READ),
    ("GET", "/webhooks", ADMINS),
    ("POST", "/webhooks", (401, 403, 403, 201, 403), {"url": "https://hook.example/"}),
    ("PATCH", "/webhooks/{webhook_id}", (401, 403, 403, 404, 403), {"active": False}),
    ("POST", "/webhooks/{webhook_id}/secret", (401, 403, 403, 404, 403)),
    ("POST", "/webhooks/{webhook_id}/test", (401, 403, 403, 404, 403)),
    ("GET", "/deliveries", ADMINS),
    ("POST", "/deliveries/{delivery_id}/again", (401, 403, 403, 409, 403)),
    ("GET", "/settings", ADMINS),
    ("GET", "/settings/{name}", (401, 403, 403, 409, 403)),
    ("PUT", "/settings/{name}", (401, 403, 403, 409, 403), {"value": None}),
    ("POST", "/settings/{name}/put-back", (401, 403, 403, 409, 403), {"version": 1}),
    ("GET", "/rules", ADMINS),
    ("POST", "/rules/try", (401, 403, 403, 409, 403), {"text": "From: a@b.example"}),
    ("POST", "/rules/proposals/{number}/accept", (401, 403, 403, 404, 403)),
    ("GET", "/audit", ADMINS),
    ("GET", "/health", ADMINS),
)


class Api:
    """The API over a desk, under the pages as it is served, and tokens for it."""

    def __init__(self, here: Desk, agent: str, lead: str, admin: str) -> None:
        self.desk = here
        config = WebConfig(templates=data_path("templates"), shop="Shop", zone=here.config.calendar.zone)
        self.app = create_app(here, config)
        make = here.credentials.make_token
        self.tokens = {
            "read": make("reader", ["read"], by=f"agent:{agent}"),
            "write": make("writer", ["read", "write"], by=f"agent:{agent}"),
            "lead": make("writer", ["read", "write"], by=f"agent:{lead}"),
            "admin": make("every", ["read", "write", "admin"], by=f"agent:{admin}"),
        }

    def ask(self, method: str, path: str, who: str = "write", **how: Any) -> Any:
        headers = dict(how.pop("headers", {}))
        if who != "nobody":
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        client = TestClient(self.app, base_url="http://localhost", raise_server_exceptions=False)
        return client.request(method, f"/api/v1{path}", headers=headers, **how)


@pytest.fixture(scope="module")
def full(shared_pages: DeskPages) -> Api:
    """One full desk for all rows."""
    return Api(shared_pages.desk, "day.agent", "desk.lead", "shop.admin")


@pytest.fixture
def api(store: Store) -> Api:
    """A small desk, on each engine; ticket 1 is open."""
    here = desk(store)
    open_ticket(store, name="open")
    return Api(here, "alice", "bob", "ada")


def places(full: Api) -> dict[str, str]:
    """What stands for a part of a path; a ticket with a photo."""
    ticket = full.desk.search.tickets("10100677592885259").tickets[0].id
    view = full.desk.tickets.view(ticket)
    none = dict.fromkeys(("none", "answer_id", "evidence_id", "view_id", "webhook_id", "delivery_id"), NEWER)
    seen = full.desk.tickets.latest_event(ticket)
    numbers = {"ticket_id": ticket, "message_id": view.messages[-1].row.id, "seen": seen, **none}
    more = {"event": NEWER, "file_id": NEWER, "name": "late.agent"}
    return {name: str(value) for name, value in {**numbers, **more}.items()}


def is_problem(response: Any) -> bool:
    body = response.json()
    return (
        response.headers["content-type"] == "application/problem+json"
        and {"type", "title", "status", "detail"} <= set(body)
        and body["status"] == response.status_code
        and "Traceback" not in response.text
    )


def test_every_route_has_its_row(full: Api) -> None:
    routes = {
        (method, str(route.path))
        for route in iter_route_contexts(create_api(full.desk).routes)
        for method in route.methods or ("ANY",)
        if method != "HEAD"
    }
    rows = [(method, path.replace("{none}", "{ticket_id}")) for method, path, *_ in ROWS]
    assert len(rows) == len(set(rows))
    assert routes == set(rows)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_each_gets_what_is_theirs(full: Api, row: tuple[Any, ...]) -> None:
    method, path, statuses, *sent = row
    numbers = places(full)
    number = "1" if "attachments" in path else str(NEWER)
    address = path.format_map({**numbers, "number": number})
    body = {
        name: int(value.format_map(numbers)) if isinstance(value, str) and value.startswith("{") else value
        for name, value in (sent[0] if sent else {}).items()
    }
    how: dict[str, Any] = {"params": body} if method == "GET" else {"json": body} if sent else {}
    told = {}
    for who in CALLERS:
        response = full.ask(method, address, who, **how)
        told[who] = response.status_code
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.status_code < 400 or is_problem(response), response.text
        if response.status_code == 401:
            assert response.headers["www-authenticate"] == "Bearer"
    assert tuple(told.values()) == statuses


@pytest.mark.parametrize("token", ["", "unknown", "Basic x"])
def test_no_cookie_and_no_other_word_is_a_token(api: Api, token: str) -> None:
    headers = {"Authorization": token, "Cookie": f"relaydesk={api.tokens['write']}"}
    response = api.ask("GET", "/me", "nobody", headers=headers)
    assert (response.status_code, is_problem(response)) == (401, True)


def test_a_write_with_a_key_is_done_once(api: Api) -> None:
    path, key = "/tickets/1/note", {"Idempotency-Key": "a"}
    first = api.ask("POST", path, json={"text": "one"}, headers=key)
    again = api.ask("POST", path, json={"text": "one"}, headers=key)
    other = api.ask("POST", path, json={"text": "two"}, headers=key)
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert again.json() == first.json()
    assert again.headers["idempotent-replay"] == "true"
    assert is_problem(other)
    notes = [event for _, event in api.desk.tickets.view(1).events if isinstance(event.payload, NoteAdded)]
    assert len(notes) == 1
    # another agent's key is another key
    assert api.ask("POST", path, "lead", json={"text": "two"}, headers=key).status_code == 200


def test_a_request_that_is_under_way_is_not_begun_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    note = api.desk.tickets.note

    def slow(*arguments: Any, **how: Any) -> None:
        begun.set()
        assert go_on.wait(20)
        note(*arguments, **how)

    monkeypatch.setattr(api.desk.tickets, "note", slow)
    ask = lambda: api.ask(  # noqa: E731 - twice the same
        "POST", "/tickets/1/note", json={"text": "one"}, headers={"Idempotency-Key": "k"}
    )
    told: list[Any] = []
    first = threading.Thread(target=lambda: told.append(ask()))
    first.start()
    assert begun.wait(20)
    second = ask()
    go_on.set()
    first.join()
    assert (told[0].status_code, second.status_code, is_problem(second)) == (200, 409, True)


def test_a_failure_frees_the_key(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key = {"Idempotency-Key": "k"}
    with monkeypatch.context() as patch:
        patch.setattr(api.desk.tickets, "close", lambda *_, **__: 1 / 0)
        response = api.ask("POST", "/tickets/1/close", headers=key)
        assert (response.status_code, is_problem(response)) == (500, True)
        assert "ZeroDivision" not in response.text
    assert api.ask("POST", "/tickets/1/close", headers=key).status_code == 200
    refused = api.ask("POST", "/tickets/1/close", headers={"Idempotency-Key": "other"})
    assert refused.status_code == 409
    assert api.ask("POST", "/tickets/1/close", headers={"Idempotency-Key": "x" * 201}).status_code == 422
    assert api.ask("POST", "/tickets/1/close", headers={"Idempotency-Key": ""}).status_code == 422


def test_cursors_walk_over_all_tickets_once(full: Api) -> None:
    whole = [row["id"] for row in full.ask("GET", "/tickets?limit=200").json()["tickets"]]
    walked, cursor = [], ""
    for _ in range(100):
        page = full.ask("GET", "/tickets", params={"limit": 3, "cursor": cursor}).json()
        walked += [row["id"] for row in page["tickets"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert walked == whole
    assert len(whole) > 10


def test_events_of_a_ticket_have_a_cursor(api: Api) -> None:
    for text in ("one", "two", "three"):
        api.ask("POST", "/tickets/1/note", json={"text": text})
    whole = [event["id"] for event in api.ask("GET", "/tickets/1/events").json()["events"]]
    first = api.ask("GET", "/tickets/1/events?limit=2").json()
    rest = api.ask("GET", f"/tickets/1/events?before={first['cursor']}").json()
    assert [event["id"] for event in (*first["events"], *rest["events"])] == whole


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", f"/tickets/{2**62}", 404),
        ("GET", "/tickets?queue=none", 404),
        ("PUT", "/tickets", 405),
        ("OPTIONS", "/tickets", 405),
        ("GET", "/tickets/0", 422),
        ("GET", "/tickets?cursor=x", 409),
        ("GET", "/tickets?cursor=W251bGwsMWU5OV0", 409),
        ("GET", "/search?q=%00", 422),
        ("GET", "/tickets?due_before=0001-01-01T00:00:00%2B14:00", 422),
        ("GET", "/report/sla?since=never", 422),
        ("POST", "/tickets/1/note", 422),
    ],
)
def test_every_error_is_a_problem(api: Api, method: str, path: str, status: int) -> None:
    response = api.ask(method, path)
    assert (response.status_code, is_problem(response)) == (status, True), response.text


def test_a_text_that_no_database_keeps_is_refused(api: Api) -> None:
    for body in ('{"text": "a\\u0000b"}', '{"text": "\\ud800"}', '{"\\ud800": 1}', "[" * 5000, "{", '"x"'):
        response = api.ask(
            "POST", "/tickets/1/note", content=body, headers={"Content-Type": "application/json"}
        )
        assert response.status_code in (400, 422), body[:20]
        assert is_problem(response)


def test_a_database_that_is_away_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(api.desk.queues, "counts", away)
    response = api.ask("GET", "/queues")
    assert (response.status_code, is_problem(response)) == (503, True)
    assert "gone" not in response.text


def test_what_is_sent_is_bounded(api: Api) -> None:
    great = {"item": "x", "file": {"name": "a", "content": "A" * 24_000_000}}
    assert api.ask("POST", "/tickets/1/evidence", json=great).status_code == 422
    kept = {"item": "x", "file": {"name": "a", "content": "AAAA" * 1_000_000}}
    assert api.ask("POST", "/tickets/1/evidence", json=kept).status_code == 201
    for who, size in (("nobody", 65_000), ("write", 41_000_000)):
        response = api.ask("POST", "/tickets/1/evidence", who, content=b"x" * size)
        assert (response.status_code, is_problem(response)) == (413, True)
        chunks = api.ask("POST", "/tickets/1/evidence", who, content=iter([b"x" * 1000] * (size // 1000 + 1)))
        assert (chunks.status_code, is_problem(chunks)) == (413 if who == "write" else 401, True)


def test_an_admin_stores_a_setting_tries_the_rules_and_reads_what_was_done(full: Api) -> None:
    new = {"value": "zone: Europe/Berlin", "version": 1, "why": "we moved"}
    assert full.ask("PUT", "/settings/calendar", "admin", json=new).json()["version"] == 2
    stale = full.ask("PUT", "/settings/calendar", "admin", json=new)
    assert (stale.status_code, "has changed calendar meanwhile" in stale.json()["detail"]) == (409, True)
    in_force = {line["name"]: line for line in full.ask("GET", "/settings", "admin").json()}
    assert (in_force["calendar"]["source"], in_force["calendar"]["stored"]["why"]) == ("stored", "we moved")
    assert (
        full.ask("POST", "/settings/calendar/put-back", "admin", json={"version": 1}).json()["version"] == 3
    )
    assert "Los_Angeles" in full.ask("GET", "/settings/calendar", "admin").json()["text"]
    wrong = full.ask("PUT", "/settings/calendar", "admin", json={"value": "zone: Nowhere"})
    assert (wrong.status_code, "Nowhere" in wrong.json()["detail"]) == (409, True)

    rules = full.ask("GET", "/rules", "admin").json()["rules"]
    assert rules[0]["name"] and {"kind", "sender", "subject", "own", "matched"} < rules[0].keys()
    tried = full.ask("POST", "/rules/try", "admin", json={"message": 1, "peer": "198.51.100.9"}).json()
    assert tried["outcome"] == "refused"
    lines = full.ask("GET", "/audit?limit=3", "admin").json()
    assert [line["what"] for line in lines["lines"]] == ["raw_read", "setting_stored", "setting_stored"]
    older = full.ask("GET", f"/audit?before={lines['cursor']}", "admin").json()["lines"]
    assert older[0]["id"] < lines["lines"][-1]["id"]
    health = full.ask("GET", "/health", "admin").json()
    assert (health["database"]["engine"], health["running_clocks"] > 10) == ("sqlite", True)


def test_head_is_get_without_its_body(api: Api) -> None:
    assert api.ask("HEAD", "/me").status_code == 200
    assert api.ask("HEAD", "/me", "nobody").status_code == 401


def test_no_request_that_anybody_can_think_of_fails(full: Api) -> None:
    """schemathesis makes requests from the description; none may be answered as our own mistake."""
    import schemathesis
    from hypothesis import HealthCheck, given, seed, settings

    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", full.app)
    assert full.ask("GET", "/openapi.json", "nobody").json()["servers"] == [{"url": "/api/v1"}]
    headers = {"Authorization": f"Bearer {full.tokens['admin']}"}
    tried = 0
    for operation in schema.get_all_operations():

        @seed(2026)
        @settings(
            max_examples=4,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            derandomize=False,
        )
        @given(case=operation.ok().as_strategy())
        def ask(case: Any) -> None:
            nonlocal tried
            tried += 1
            response = case.call(headers=headers)
            assert response.status_code < 500, (case.method, case.path, response.text)

        ask()
    assert tried > 200
