"""What agents see of each other's work, and the keys: real browsers, a real office, mail by SMTP."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from relaydesk.desk import TicketFilter
from relaydesk.desk.permissions import CONSOLE
from relaydesk.events import DeadlineBreached, Event
from relaydesk.search import index_waiting
from relaydesk.store import deadlines, events
from relaydesk.store.engine import Store
from relaydesk.web import live
from relaydesk_testkit.buyers import ZONE, mail
from relaydesk_testkit.full_desk import AGENTS
from relaydesk_testkit.pages import barriers, signed_in
from relaydesk_testkit.serving import STORED, Serving, eventually
from relaydesk_testkit.zones import dns_server
from tests.support.desk import desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest
    from playwright.sync_api import Browser, BrowserContext, Page

    from relaydesk.desk.desk import Desk
    from relaydesk_testkit.pages import DeskPages


@contextmanager
def office(directory: Path, database: str) -> Iterator[tuple[Serving, Desk]]:
    """A real ``relaydesk serve`` with pages, and a desk of another process over its database."""
    with (
        dns_server(ZONE) as names,
        Serving(directory, database, names.address, web=["127.0.0.1:0"]) as serving,
    ):
        store = Store.open(database)
        yield serving, desk(store, datetime.now(UTC))
        store.close()


def entered(browser: Browser, serving: Serving, there: Desk, agent: str) -> BrowserContext:
    context = browser.new_context(base_url=serving.web.replace("127.0.0.1", "localhost"))
    context.new_page().goto("/enter/" + there.accounts.link(agent, by=CONSOLE, kind="direct"))
    return context


def is_live(page: Page) -> None:
    page.locator("#live:not(.off)", has_text="Live").wait_for(state="attached")


def test_mail_and_acts_of_others_appear_without_reloading(
    tmp_path: Path, sqlite_url: str, browser: Browser
) -> None:
    with office(tmp_path / "serve", sqlite_url) as (serving, there):
        assert serving.deliver(mail(1)).startswith(STORED)
        alice, bob = (entered(browser, serving, there, name) for name in ("alice", "bob"))
        listed, opened = alice.pages[0], bob.pages[0]
        is_live(listed)
        assert listed.locator(".row").count() == 1

        sent = time.monotonic()
        assert serving.deliver(mail(2)).startswith(STORED)
        listed.locator("#t2").wait_for()
        assert time.monotonic() - sent < 10  # 0.3 s where nothing else runs

        opened.goto("/tickets/1")
        listed.locator("#t1 .here[title='bob is looking']").wait_for()
        assert opened.locator(".here").count() == 0  # never oneself
        opened.evaluate("document.body.dispatchEvent(new CustomEvent('writing'))")
        listed.locator("#t1 .here[title='bob is writing']").wait_for()
        listed.goto("/tickets/1")
        opened.locator(".head .here[title='alice is looking']").wait_for()

        there.tickets.assign(1, "alice", by="agent:alice")
        opened.goto("/")
        is_live(opened)
        opened.locator("#t1 .own", has_text="alice").wait_for()
        there.tickets.assign(2, "bob", by="agent:bob")
        opened.locator("#t2 .own", has_text="You").wait_for()
        opened.locator("#t1 .here").wait_for()
        listed.goto("/")
        opened.locator("#t1 .here").wait_for(state="detached")

        serving.end()
        opened.locator("#live.off", has_text="Not live since ").wait_for(state="attached")
        alice.close()
        bob.close()


def test_the_page_of_who_is_no_longer_let_in_is_not_live(
    pages: DeskPages, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.2)
    with pages.served() as address:
        context = signed_in(browser, address, pages.token("day.agent"))
        page = context.new_page()
        page.goto("/")
        is_live(page)
        pages.desk.agents.deactivate("day.agent", by=CONSOLE)
        # by the end of the stream, or by the first part that is fetched anew
        eventually(lambda: page.locator("#live.off").count() or page.url.endswith("/sign-in"), "the end")
        context.close()


def row_at(page: Page) -> str:
    return page.locator(".row[aria-current]").get_attribute("id") or ""


def test_the_keys_walk_by_ticket_and_press_what_the_page_has(pages: DeskPages, browser: Browser) -> None:
    with pages.served() as address:
        context = signed_in(
            browser, address, pages.token("day.agent"), permissions=["clipboard-read", "clipboard-write"]
        )
        page = context.new_page()
        page.goto("/")
        is_live(page)
        rows = page.locator(".row").evaluate_all("rows => rows.map(row => row.id)")
        press = page.keyboard.press
        press("j")
        assert row_at(page) == rows[0]
        press("j")
        press("j")
        press("k")
        assert row_at(page) == rows[1]
        press("x")
        assert page.locator(f"#{rows[1]} .pick input").is_checked()
        press("Control+j")  # with a modifier it is the browser's
        assert row_at(page) == rows[1]
        page.locator(f"#{rows[1]}").evaluate("row => row.remove()")  # somebody closed it
        press("j")
        assert row_at(page) == rows[2]
        press("o")
        page.wait_for_url(f"**/tickets/{rows[2][1:]}")
        press("v")
        assert page.evaluate("document.activeElement.closest('#evidence') !== null")
        press("u")
        page.wait_for_url(f"{address}/")
        press("g")
        press("c")
        page.wait_for_url("**/queues/case")
        context.close()


def test_the_sheet_turns_the_keys_off_and_on(pages: DeskPages, browser: Browser) -> None:
    with pages.served() as address:
        for look in LOOKS:
            context = signed_in(browser, address, pages.token("day.agent"), **look)
            page = context.new_page()
            page.goto("/")
            page.keyboard.press("?")
            sheet = page.locator("#keys[open]")
            sheet.wait_for()
            assert barriers(page) == []
            with page.expect_response("**/preferences/keys"):
                sheet.locator("[type=checkbox]").uncheck()
            page.keyboard.press("Escape")
            page.keyboard.press("j")
            assert page.locator(".row[aria-current]").count() == 0
            page.goto("/keys")  # the page of who has no script
            switch = page.locator("main [type=checkbox]")
            assert not switch.is_checked()
            assert barriers(page) == []
            with page.expect_response("**/preferences/keys"):
                switch.check()
            context.close()


LOOKS: tuple[dict[str, Any], ...] = ({"color_scheme": "light"}, {"color_scheme": "dark"})


def test_the_palette_finds_places_acts_and_tickets(pages: DeskPages, browser: Browser) -> None:
    index_waiting(pages.desk.store)
    row = next(row for row in pages.desk.search.tickets("carla").tickets)
    with pages.served() as address:
        for look in LOOKS:
            context = signed_in(browser, address, pages.token("day.agent"), **look)
            page = context.new_page()
            page.goto(f"/tickets/{row.id}")
            page.keyboard.press("Control+k")
            page.locator("#palette[open] [role=option]").first.wait_for()
            assert page.locator("[role=combobox]").evaluate("field => field === document.activeElement")
            page.keyboard.type("carla")
            hit = page.locator("[role=option][aria-selected=true]", has_text="carla.returns")
            hit.wait_for()
            assert page.locator("[role=combobox]").get_attribute(
                "aria-activedescendant"
            ) == hit.get_attribute("id")
            assert barriers(page) == []
            page.keyboard.press("Escape")
            page.keyboard.press("Control+k")
            page.keyboard.type("claims")
            page.locator("[role=option][aria-selected=true]", has_text="Claims").wait_for()
            page.keyboard.press("Enter")
            page.wait_for_url("**/queues/claim")
            context.close()


def test_the_palette_is_a_page_and_is_quick(pages: DeskPages) -> None:
    index_waiting(pages.desk.store)
    client = pages.client("day.agent")
    assert "carla.returns" in client.get("/palette?q=carla").text
    assert "Nothing is called so" in client.get("/palette?q=%3Cscript%3Exyz").text
    assert client.get("/palette?q=" + "a" * 101).status_code == 422
    row = pages.desk.search.tickets("carla").tickets[0]
    for text in (f"{row.id}", f"%23{row.id}", "382910456677102"):
        assert f'href="/tickets/{row.id}"' in client.get(f"/palette?q={text}").text


def test_presence_is_said_by_pages_and_bounded(pages: DeskPages) -> None:
    client = pages.client("day.agent")
    said = {"ticket": "3", "tab": "t1", "doing": "writing"}
    assert client.post("/presence", data=said).status_code == 204
    assert "day.agent" not in client.get("/presence?ticket=3").text  # never oneself
    assert "day.agent is writing" in pages.client("late.agent").get("/presence?ticket=3&ticket=4").text
    for wrong in (
        {"ticket": "0"},
        {"ticket": str(2**63)},
        {"tab": "x" * 33},
        {"tab": "<b>"},
        {"doing": "dancing"},
    ):
        assert client.post("/presence", data=said | wrong).status_code == 422, wrong
    assert client.post("/presence", data=said | {"doing": "gone"}).status_code == 204
    assert "day.agent" not in pages.client("late.agent").get("/presence?ticket=3").text
    assert pages.nobody().post("/presence", data=said).status_code == 303
    assert pages.nobody().get("/live").status_code == 303
    assert set(AGENTS) > {"day.agent", "late.agent"}


def test_the_keys_are_turned_off_without_a_script(pages: DeskPages) -> None:
    client = pages.client("day.agent")
    assert client.post("/preferences/keys", data={}).headers["location"] == "/keys"
    assert 'data-keys="off"' in client.get("/").text
    client.post("/preferences/keys", data={"on": "on"})
    assert 'data-keys="off"' not in client.get("/").text


RECORDS = """
window.notices = [];
window.Notification = class {
  static permission = "granted";
  static requestPermission = async () => window.answer ?? "granted";
  constructor(title, rest) { window.notices.push([title, rest.body]); }
};
"""


def test_the_browser_tells_of_deadlines_whom_they_concern_and_who_wants_it(
    pages: DeskPages, browser: Browser
) -> None:
    """The operating system's notices are the far side: what is handed to it is recorded."""
    mine = next(row.id for row in pages.desk.queues.page(TicketFilter(), limit=99).tickets if row.assignee)
    owner = str(pages.desk.tickets.view(mine).ticket.assignee)
    with pages.served() as address:
        context = signed_in(browser, address, pages.token(owner))
        context.add_init_script(RECORDS)
        page = context.new_page()
        page.goto("/account")
        page.evaluate("window.answer = 'denied'")
        page.locator("[name=notify_browser]").click()
        page.locator("#said", has_text="allow them in its settings").wait_for(state="attached")
        assert not page.locator("[name=notify_browser]").is_checked()
        page.evaluate("window.answer = 'granted'")
        page.locator("[name=notify_browser]").check()
        page.get_by_role("button", name="Keep these preferences").click()
        page.locator("#toast", has_text="kept").wait_for()
        is_live(page)
        with pages.desk.store.transaction() as session:
            clock = deadlines.of_tickets(session, [mine])[0]
            told = DeadlineBreached(clock.clock, clock.round, due=clock.due_at)
            events.append(session, [Event(mine, pages.desk.clock(), told)], pages.desk.clock())
        eventually(lambda: page.evaluate("notices"))
        ((title, text),) = page.evaluate("notices")
        assert (title in ("1 due soon", "1 past the deadline"), f"#{mine} " in text) == (True, True)
        context.close()
    assert pages.client("claims.agent").get("/due").status_code == 204


def test_the_countdown_goes_by_the_servers_clock_and_says_what_it_must_once(
    pages: DeskPages, browser: Browser
) -> None:
    row = next(
        row
        for row in pages.desk.queues.page(TicketFilter(), limit=100).tickets
        if row.username == "carla.returns"
    )
    with pages.served() as address:
        context = signed_in(browser, address, pages.token("day.agent"))
        page = context.new_page()
        page.clock.install()
        page.goto(f"/tickets/{row.id}")
        is_live(page)
        due = page.locator("#deadline .due").first
        assert "later" in str(due.get_attribute("class"))
        page.clock.fast_forward("40:00:00")
        page.locator("#deadline .due.over").first.wait_for()
        assert due.locator("time").inner_text().endswith("over")
        assert page.locator("#said").inner_text() == "Past the deadline"
        page.evaluate("document.querySelector('#said').textContent = ''")
        page.clock.fast_forward("02:00")
        assert page.locator("#said").inner_text() == ""
        context.close()
