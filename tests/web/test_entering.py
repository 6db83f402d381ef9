"""Who is let in, and what every response carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.desk.permissions import CONSOLE
from relaydesk.web.cookies import COOKIE
from relaydesk_testkit.pages import barriers, signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from relaydesk_testkit.pages import DeskPages


def test_nobody_is_sent_to_sign_in_and_comes_back_to_the_page(pages: DeskPages) -> None:
    response = pages.nobody().get("/?q=mug")
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in?to=%2F%3Fq%3Dmug")


def test_a_link_lets_in_once(pages: DeskPages) -> None:
    link = pages.desk.accounts.link("day.agent", by=CONSOLE)
    client = pages.nobody()
    assert client.get(f"/enter/{link}").status_code == 303
    assert client.cookies[COOKIE]
    assert "poster.fan" in client.get("/").text
    assert pages.nobody().get(f"/enter/{link}").status_code == 403


def test_a_request_from_another_site_is_refused(pages: DeskPages) -> None:
    client = pages.client("day.agent")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert client.post("/", headers=headers).status_code == 403


def test_the_list_is_shown_in_a_browser_that_runs_nothing_inline(pages: DeskPages, browser: Browser) -> None:
    with pages.served() as address:
        context = signed_in(browser, address, pages.token("day.agent"))
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto("/")
        assert page.locator(".row").count() > 10
        assert problems == []
        assert barriers(page) == []
        context.close()
