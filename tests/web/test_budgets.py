"""What a page may cost, and that it fits small screens, works without a script and refuses in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from relaydesk.search import index_waiting
from relaydesk.store import TicketFilter
from relaydesk_testkit.pages import DeskPages, barriers, signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LARGEST, MOST_REQUESTS = 60_000, 6
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
FILE = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 scan"}
PATHS = (
    "/",
    "/queues/case",
    "/views/look",
    "/views/closed",
    "/search?q=mug",
    "/account",
    "/keys",
    "/palette",
    "/report",
    "/admin/agents",
    "/admin/calendar",
    "/admin/rules",
    "/admin/health",
    "/tickets/{claim}",
    "/tickets/{chargeback}",
    "/tickets/{unsorted}",
    "/tickets/{mug.collector}",
    "/tickets/{mug.collector}/composer",
)


@pytest.fixture(scope="module")
def full(shared_pages: DeskPages) -> DeskPages:
    index_waiting(shared_pages.desk.store)
    return shared_pages


def numbers(pages: DeskPages) -> dict[str, int]:
    """Tickets by their buyer, or their kind."""
    rows = pages.desk.queues.page(TicketFilter(), limit=200).tickets
    return {name: row.id for row in reversed(rows) for name in (row.kind, row.username) if name}


def address(pages: DeskPages, path: str) -> str:
    head, brace, rest = path.partition("{")
    name, _, tail = rest.partition("}")
    return f"{head}{numbers(pages)[name]}{tail}" if brace else path


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_small(full: DeskPages, path: str) -> None:
    response = full.client("shop.admin").get(address(full, path))
    assert response.status_code == 200
    assert len(response.content) <= LARGEST


@pytest.mark.parametrize("part", [True, False])
def test_a_refusal_speaks_to_who_reads_a_page(full: DeskPages, part: bool) -> None:
    client = full.client("day.agent")
    headers = {"HX-Request": "true"} if part else {}
    for method, path, form, status, words in (
        ("GET", "/report", None, 403, "needs the role lead or admin; ask an admin."),
        ("GET", "/tickets/99999", None, 404, "There is no ticket 99999."),
        ("GET", "/tickets/mug", None, 404, "There is no such page."),
        ("POST", "/tickets/3/note", {"text": "x" * 1_100_000}, 400, "longer than this page takes"),
        ("POST", "/bulk", {"act": "take", "ticket": "x"}, 422, "The form was not filled in"),
    ):
        response = client.request(method, path, data=form, headers=headers)
        assert (response.status_code, words in response.text) == (status, True), (path, response.text[-600:])
        assert "`relaydesk" not in response.text
        assert ("<html" in response.text) is not part
    refused = client.post("/bulk", data={"act": "take", "ticket": str(numbers(full)["poster.fan"])})
    assert (refused.status_code, "ask an admin." in refused.text) == (409, True)
    assert "relaydesk agents" not in refused.text


def test_a_list_asks_for_little(full: DeskPages, browser: Browser) -> None:
    with full.served() as place:
        page = signed_in(browser, place, full.token("day.agent")).new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        page.goto("/queues/case", wait_until="load")
        page.wait_for_timeout(200)
        page.context.close()
    apart = [path for path in asked if path != "/live" and not path.endswith("favicon.svg")]
    assert len(apart) <= MOST_REQUESTS, asked


def test_pages_fit_a_small_screen(full: DeskPages, browser: Browser) -> None:
    with full.served() as place:
        page = signed_in(
            browser, place, full.token("day.agent"), viewport={"width": 320, "height": 640}
        ).new_page()
        for name in ("/", "/tickets/{claim}", "/tickets/{chargeback}", "/tickets/{" + "rosa" * 12 + "}"):
            page.goto(address(full, name))
            assert page.evaluate("document.documentElement.scrollWidth") == 320, name
        page.context.close()

        page = signed_in(browser, place, full.token("day.agent"), **PHONE).new_page()
        page.goto("/queues/case")
        page.locator(".filters summary", has_text="Anyone").click()
        in_view(page, ".filters .pop[open] > .sheet")
        page.goto(address(full, "/tickets/{chargeback}"))
        page.locator("#deadline > summary").click()
        in_view(page, "#deadline > .sheet")
        assert barriers(page) == []
        page.goto(address(full, "/tickets/{mug.collector}"))
        page.locator(".dock a", has_text="Note").click()
        page.locator("#note").fill("Packed.")
        page.get_by_role("button", name="Add the note").click()
        page.get_by_text("Packed.").wait_for()
        page.context.close()


def test_the_focus_is_where_one_writes(full: DeskPages, browser: Browser) -> None:
    with full.served() as place:
        page = signed_in(browser, place, full.token("day.agent")).new_page()
        problems: list[str] = []
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(address(full, "/tickets/{lamp_lover}"))
        page.keyboard.press("z")  # nothing to undo
        page.keyboard.press("n")
        page.locator("#note:focus").fill("By key.")
        page.keyboard.press("Control+Enter")
        page.get_by_text("By key.").first.wait_for()
        page.keyboard.press("r")
        page.locator("#answer:focus").wait_for()
        page.context.close()
    assert problems == []


def in_view(page: Page, sheet: str) -> None:
    """Nothing of an open sheet lies outside of the window."""
    box = page.locator(sheet).bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert 0 <= box["y"] <= box["y"] + box["height"] <= 844


def test_what_agents_do_works_without_a_script(pages: DeskPages, browser: Browser) -> None:
    index_waiting(pages.desk.store)
    with pages.served() as place:
        context = signed_in(browser, place, pages.token("day.agent"), java_script_enabled=False)
        page = context.new_page()

        def says(words: str) -> None:
            page.locator("#toast", has_text=words).wait_for()

        def press(name: str) -> None:
            page.get_by_role("button", name=name).first.click()

        page.goto(address(pages, "/tickets/{scarf.season}"))
        press("Take")
        says("You have #")
        page.locator("#composer a", has_text="Note").click()
        page.locator("#note").fill("Ask the carrier.")
        press("Add the note")
        page.get_by_text("Ask the carrier.").first.wait_for()

        page.goto(address(pages, "/tickets/{lamp_lover}/composer"))
        page.locator("#answer").fill("It is, with any bulb.")
        page.locator("input[type=file]").set_input_files(FILE)
        press("Send")
        page.locator("#answer").wait_for(state="detached")
        assert pages.desk.tickets.view(numbers(pages)["lamp_lover"]).answers

        page.goto(address(pages, "/tickets/{chargeback}"))
        press("There")
        says("Order confirmation: there.")
        page.locator(".task input[name=item]:not([type=hidden])").fill("Scan")
        page.locator(".task input[type=file]").last.set_input_files(FILE)
        press("Add evidence")
        says("Scan: file added.")

        page.goto("/queues/case")
        page.locator(".filters summary", has_text="Anyone").click()
        page.get_by_role("radio", name="Nobody").check()
        press("Filter")
        page.locator("summary", has_text="Keep as a view").click()
        page.get_by_label("Name").fill("Free cases")
        press("Keep the view")
        says("Free cases")
        page.locator(".pick input").first.check()
        page.locator("#bulk button[value=close]").click()
        says("1 ticket closed.")

        page.goto("/search?q=mug")
        assert page.locator(".row").count() == 1
        page.goto("/account")
        press("Sign out")
        page.wait_for_url("**/sign-in")
        context.close()
