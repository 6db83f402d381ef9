"""Every route of the pages, asked by everybody. A new route without a row fails: add its line below.

A row is method, path as the route is written, and the status for nobody, an agent, a lead and an admin; a
form stands behind it where the route wants one. Each is asked once by each on the same full desk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import iter_route_contexts

from relaydesk.store import lists

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from relaydesk_testkit.pages import DeskPages

NOBODY, AGENT, LEAD, ADMIN = "", "day.agent", "desk.lead", "shop.admin"
ANYBODY = (200, 200, 200, 200)
SIGNED_IN = (303, 200, 200, 200)
ABSENT = (303, 404, 404, 404)
REFUSED = (303, 409, 409, 409)
DONE = (303, 303, 303, 303)
FOR_ADMINS, FOR_LEADS = (303, 403, 403, 200), (303, 403, 200, 200)
"""Nobody is sent to sign in, others on to the page that says what was done."""
PHRASE = "blue kettle tuesday rain"

# What stands for a part of a path; ``{ticket_id}`` and the like are looked up on the desk.
PLACES = {
    "version": "0",
    "name": "desk.css",
    "link": "unknown",
    "number": "999999",
    "message_id": "999999",
    "place": "0",
    "queue": "case",
    "view": "mine",
    "view_id": "999999",
    "act": "unknown",
    "event": "999999",
    "form": "csv",
}

ROWS: tuple[tuple[Any, ...], ...] = (
    # method, route, (nobody, agent, lead, admin), form
    ("GET", "/static/{version}/{name}", ANYBODY),
    ("GET", "/sign-in", (200, 303, 303, 303)),
    ("POST", "/sign-in", (403, 403, 403, 403), {"name": "nobody", "password": "x"}),
    ("GET", "/sign-in/code", DONE),
    ("POST", "/sign-in/code", (403, 403, 403, 403), {"code": "1"}),
    ("GET", "/sign-in/company", (403, 403, 403, 403)),
    ("GET", "/sign-in/company/back", (403, 403, 403, 403)),
    ("GET", "/enter/{link}", (403, 403, 403, 403)),
    ("POST", "/enter/{link}", (403, 403, 403, 403)),
    ("POST", "/theme", DONE, {"theme": "dark"}),
    ("GET", "/account", SIGNED_IN),
    ("POST", "/account/name", DONE, {"display_name": "Somebody"}),
    ("POST", "/account/preferences", DONE, {"zone": "Europe/Berlin"}),
    ("POST", "/account/password", (303, 403, 403, 403), {"former": "x", "password": PHRASE, "again": PHRASE}),
    ("GET", "/account/authenticator", SIGNED_IN),
    ("POST", "/account/authenticator", SIGNED_IN),
    ("POST", "/account/authenticator/confirm", (303, 403, 403, 403), {"code": "000 00"}),
    ("POST", "/account/authenticator/recovery", (303, 403, 403, 403), {"code": "000000"}),
    ("POST", "/account/authenticator/remove", (303, 403, 403, 403), {"code": "000000"}),
    ("POST", "/account/sessions/others/end", DONE),
    ("POST", "/account/sessions/{number}/end", (303, 403, 403, 403)),
    ("POST", "/account/tokens", SIGNED_IN, {"name": "report", "scope": "read"}),
    ("POST", "/account/tokens/{number}/revoke", (303, 403, 403, 403)),
    ("GET", "/live", (303, None, None, None)),  # has no end; tests/e2e/test_live.py opens it
    ("GET", "/presence", (303, 422, 422, 422)),
    ("POST", "/presence", (303, 204, 204, 204), {"ticket": "1", "tab": "t1"}),
    ("GET", "/keys", SIGNED_IN),
    ("POST", "/preferences/keys", DONE, {"on": "on"}),
    ("GET", "/palette", SIGNED_IN),
    ("GET", "/i/{version}", ANYBODY),
    ("GET", "/", SIGNED_IN),
    ("GET", "/queues/{queue}", SIGNED_IN),
    ("GET", "/views/{view}", SIGNED_IN),
    ("GET", "/views/saved/{view_id}", (303, 404, 404, 404)),
    ("POST", "/views/saved", DONE, {"name": "Kept"}),
    ("POST", "/views/saved/{view_id}", (303, 404, 404, 404), {"name": "Kept"}),
    ("POST", "/views/saved/{view_id}/remove", (303, 404, 404, 404)),
    ("GET", "/search", SIGNED_IN),
    ("GET", "/search/jump", SIGNED_IN),
    ("GET", "/rail", DONE),
    ("GET", "/lists/team", SIGNED_IN),
    ("GET", "/tickets/{ticket_id}/row", SIGNED_IN),
    ("POST", "/bulk", (303, 409, 409, 409), {"act": "take"}),
    ("POST", "/bulk/undo", (303, 409, 409, 409)),
    ("GET", "/tickets/{ticket_id}", SIGNED_IN),
    ("GET", "/tickets/{ticket_id}/history", SIGNED_IN),
    ("GET", "/tickets/{ticket_id}/messages/{message_id}", ABSENT),
    ("GET", "/tickets/{ticket_id}/messages/{message_id}/frame", ABSENT),
    ("GET", "/orders/find", SIGNED_IN),
    ("GET", "/files/{ticket_id}/files.zip", SIGNED_IN),
    ("GET", "/files/{ticket_id}/{message_id}/files.zip", ABSENT),
    ("GET", "/files/{ticket_id}/{message_id}/raw", ABSENT),
    ("GET", "/files/{ticket_id}/{message_id}/{place}/photo", ABSENT),
    ("GET", "/files/{ticket_id}/{message_id}/{place}/{name}", ABSENT),
    ("GET", "/admin", DONE),
    *(
        ("GET", f"/admin/{page}", FOR_ADMINS)
        for page in ("agents", "queues", "calendar", "templates", "rules")
    ),
    *(("GET", f"/admin/{page}", FOR_ADMINS) for page in ("allowlist", "audit", "health", "settings")),
    *(("GET", f"/admin/{page}", FOR_LEADS) for page in ("outbox", "refusals")),
    ("GET", "/admin/agents/{name}", (303, 403, 403, 409)),
    ("GET", "/admin/calendar/moving", (303, 422, 422, 422)),
    ("GET", "/admin/templates/{name}", (303, 403, 403, 200)),
    ("GET", "/admin/settings/{name}", (303, 403, 403, 409)),
    ("POST", "/admin/agents", FOR_ADMINS, {"name": "route.agent", "role": "agent"}),
    ("POST", "/admin/agents/{name}/change", (303, 403, 403, 403), {"role": "lead"}),
    ("POST", "/admin/agents/{name}/link", (303, 403, 403, 403)),
    ("POST", "/admin/agents/{name}/deactivate", (303, 403, 403, 403)),
    ("POST", "/admin/agents/{name}/reactivate", (303, 403, 403, 200)),
    ("POST", "/admin/calendar", (303, 403, 403, 200), {"zone": "UTC"}),
    ("POST", "/admin/queues", (303, 403, 403, 200), {"queue": "case", "answer": "1 business day"}),
    ("POST", "/admin/templates", DONE, {"name": "gift"}),
    ("POST", "/admin/templates/{name}", (303, 403, 403, 200), {"value": "Hello"}),
    ("POST", "/admin/rules/try", (303, 403, 403, 409), {"message": ""}),
    ("POST", "/admin/rules/new", (303, 403, 403, 409), {"name": "x"}),
    ("POST", "/admin/rules/{name}/up", (303, 403, 403, 409)),
    ("POST", "/admin/rules/{name}/remove", (303, 403, 403, 409)),
    ("POST", "/admin/proposals/{number}/accept", (303, 403, 404, 404)),
    ("POST", "/admin/proposals/{number}/decline", ABSENT),
    ("POST", "/admin/allowlist/entries", (303, 403, 403, 409), {"entry": "x"}),
    ("POST", "/admin/allowlist/entries/remove", (303, 403, 403, 303), {"which": "networks", "entry": "x"}),
    ("POST", "/admin/allowlist/audit", (303, 403, 403, 409)),
    ("POST", "/admin/health/check", (303, 403, 403, 409)),
    ("POST", "/admin/outbox/{number}/take-back", ABSENT),
    ("POST", "/admin/outbox/{number}/try-now", ABSENT),
    ("POST", "/admin/settings/{name}", (303, 403, 403, 409), {"value": "1", "version": "0"}),
    ("POST", "/admin/settings/{name}/versions/{version}", (303, 403, 403, 409)),
    ("GET", "/tickets/{ticket_id}/composer", SIGNED_IN),
    ("POST", "/tickets/{ticket_id}/composer", DONE, {"text": "Hello"}),
    ("POST", "/tickets/{ticket_id}/draft", DONE, {"text": "Hello"}),
    ("POST", "/tickets/{ticket_id}/draft/files", DONE, {"text": "Hello"}),
    ("POST", "/tickets/{ticket_id}/draft/files/{number}/remove", REFUSED, {"text": "Hello"}),
    ("POST", "/tickets/{ticket_id}/draft/discard", DONE),
    ("POST", "/tickets/{ticket_id}/draft/restore", DONE),
    ("POST", "/tickets/{ticket_id}/template", REFUSED, {"template": "none"}),
    ("POST", "/tickets/{ticket_id}/preview", SIGNED_IN, {"text": "Hello"}),
    ("POST", "/tickets/{ticket_id}/answer", REFUSED, {"text": "Hello"}),
    ("GET", "/answers/leaving", SIGNED_IN),
    ("POST", "/answers/{number}/undo", (303, 404, 404, 404)),
    ("POST", "/answers/{number}/retry", (303, 404, 404, 404)),
    ("POST", "/tickets/{ticket_id}/note", DONE, {"text": "Hello"}),
    ("POST", "/tickets/{ticket_id}/note/draft", DONE, {"text": "Hello"}),
    ("POST", "/tickets/{ticket_id}/elsewhere", REFUSED, {"at": "yesterday"}),
    ("POST", "/tickets/{ticket_id}/handled", REFUSED, {"at": "yesterday"}),
    ("POST", "/tickets/{ticket_id}/evidence", REFUSED, {"item": "Invoice"}),
    ("GET", "/files/evidence/{number}", (303, 404, 404, 404)),
    ("GET", "/files/evidence/{ticket_id}/all.zip", SIGNED_IN),
    ("GET", "/tickets/{ticket_id}/acts", SIGNED_IN),
    ("GET", "/tickets/{ticket_id}/ruling", SIGNED_IN),
    ("GET", "/tickets/{ticket_id}/{act}", ABSENT),
    ("POST", "/tickets/{ticket_id}/take", (303, 409, 303, 303)),
    ("POST", "/tickets/{ticket_id}/assign", (303, 403, 403, 403), {"agent": "nobody.known"}),
    *(
        ("POST", f"/tickets/{{ticket_id}}/{act}", REFUSED)
        for act in ("link", "unlink", "looked", "merge", "unmerge", "move", "order", "release", "reopen")
    ),
    *(("POST", f"/tickets/{{ticket_id}}/{act}", REFUSED) for act in ("snooze", "sort", "wake")),
    ("POST", "/tickets/{ticket_id}/close", (303, 303, 409, 409)),  # once
    ("POST", "/tickets/{ticket_id}/junk", (303, 403, 303, 409)),  # once, and by a lead
    ("POST", "/undo/{event}", REFUSED),
    ("GET", "/due", (303, 204, 204, 204)),
    ("GET", "/report", FOR_LEADS),
    ("GET", "/report/tickets", (303, 422, 422, 422)),
    ("GET", "/report/export/{form}", FOR_LEADS),
    ("ANY", "/api/v1", None),  # tests/web/test_api.py has the rows of its own routes
    ("POST", "/sign-out", DONE),
)


@pytest.fixture(scope="module")
def pages(shared_pages: DeskPages) -> DeskPages:
    """One full desk for all rows."""
    return shared_pages


def places(pages: DeskPages) -> dict[str, str]:
    """What a path's parts stand for: the newest ticket among them."""
    page = pages.desk.queues.page(lists.TicketFilter(), limit=1)
    return {**PLACES, "ticket_id": str(page.tickets[0].id)}


def routes(pages: DeskPages) -> set[tuple[str, str]]:
    """Every route, by method and path as it is written."""
    return {
        (method, str(route.path))
        for route in iter_route_contexts(pages.app.routes)
        for method in route.methods or ("ANY",)
    }


def test_every_route_has_its_row(pages: DeskPages) -> None:
    rows = [(method, path) for method, path, *_ in ROWS]
    assert len(rows) == len(set(rows))
    assert routes(pages) == set(rows)


PAGES = tuple(row for row in ROWS if row[0] != "ANY")


@pytest.mark.parametrize("row", PAGES, ids=lambda row: f"{row[0]} {row[1]}")
def test_each_gets_what_is_theirs(pages: DeskPages, row: tuple[Any, ...]) -> None:
    method, path, statuses, *form = row
    address = path.format_map(places(pages))
    told = {}
    for who, status in zip((NOBODY, AGENT, LEAD, ADMIN), statuses, strict=True):
        if status is None:
            continue
        client: TestClient = pages.client(who) if who else pages.nobody()
        response = client.request(method, address, data=form[0] if form else None)
        told[who] = (response.status_code, status)
        demand_guarded(response.headers)
        if status == 303 and not who and path.startswith("/account"):
            assert response.headers["location"].startswith("/sign-in"), who
    assert {who: got for who, (got, _) in told.items()} == {who: wanted for who, (_, wanted) in told.items()}


def demand_guarded(headers: Any) -> None:
    """What every response carries, whatever it is."""
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "cache-control" in headers


def test_a_request_from_another_site_reaches_no_route_that_does_something(pages: DeskPages) -> None:
    for method, path, *_ in PAGES:
        if method == "GET":
            continue
        address = path.format_map(places(pages))
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            response = pages.nobody().request(method, address, headers=headers)
            assert (response.status_code, "another site" in response.text) == (403, True), path
            demand_guarded(response.headers)


def test_no_page_is_kept_by_a_browser_or_a_proxy(pages: DeskPages) -> None:
    for path in ("/", "/account", "/sign-in", "/no-such-page"):
        assert pages.client(AGENT).get(path).headers["cache-control"] == "no-store"
    file = pages.app.state.pages.static.address("desk.css")
    assert "immutable" in pages.nobody().get(file).headers["cache-control"]


def test_errors_are_guarded_and_told_in_a_sentence(pages: DeskPages, monkeypatch: pytest.MonkeyPatch) -> None:
    client = pages.client(AGENT)
    for response in (
        client.get("/no-such-page"),
        client.request("PATCH", "/account"),
        client.get("/static/0/x"),
    ):
        demand_guarded(response.headers)
        assert "Go to the lists" in response.text
    monkeypatch.setattr(pages.desk.queues, "page", lambda *_, **__: 1 / 0)
    response = client.get("/")
    assert response.status_code == 500
    assert "has been written to its log" in response.text
    assert "ZeroDivision" not in response.text
    demand_guarded(response.headers)
