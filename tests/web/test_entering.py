"""Who is let in by the pages: cookies, links, second step, where one goes on to; an account in a browser."""

from __future__ import annotations

import io
import logging
import re
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from pyotp import TOTP

from relaydesk import logs
from relaydesk.desk.permissions import CONSOLE
from relaydesk.web.cookies import COOKIE, MARK_COOKIE, STEP_COOKIE
from relaydesk.web.security import SMALL
from relaydesk_testkit.full_desk import staffed_desk
from relaydesk_testkit.pages import DeskPages, barriers, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page
    from starlette.testclient import TestClient

    from relaydesk.store.engine import Store

PHRASE, OTHER = "blue kettle tuesday rain", "four green lamps at sea"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture
def pages(sqlite_store: Store) -> DeskPages:
    """The pages of a desk with its agents and no mail."""
    return DeskPages(staffed_desk(sqlite_store))


def link_for(pages: DeskPages, name: str = "day.agent") -> str:
    return f"/enter/{pages.desk.accounts.link(name, by=CONSOLE)}"


def chosen(pages: DeskPages, name: str = "day.agent") -> TestClient:
    """Somebody who has chosen a password by a link."""
    client = pages.nobody()
    response = client.post(link_for(pages, name), data={"password": PHRASE, "again": PHRASE})
    assert (response.status_code, response.headers["location"]) == (303, "/")
    return client


def guarded(pages: DeskPages) -> str:
    """The key of an authenticator that the day's agent sets up."""
    by = "agent:day.agent"
    key = pages.desk.credentials.begin_authenticator(by=by)
    pages.desk.credentials.confirm_authenticator(TOTP(key).at(pages.desk.clock()), by=by)
    later = pages.desk.clock() + timedelta(minutes=1)
    pages.desk.sign_in.clock = lambda: later
    return key


def test_nobody_is_sent_to_sign_in_and_comes_back_to_the_page(pages: DeskPages) -> None:
    chosen(pages)
    client = pages.nobody()
    response = client.get("/?q=mug")
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in?to=%2F%3Fq%3Dmug")
    page = client.get(response.headers["location"]).text
    assert 'name="to" value="/?q=mug"' in page
    form = {"name": "day.agent", "password": PHRASE, "to": "/?q=mug"}
    assert client.post("/sign-in", data=form).headers["location"] == "/?q=mug"
    assert "All open" in client.get("/?q=mug").text
    assert client.get("/sign-in?to=/account").headers["location"] == "/account"
    assert pages.nobody().get("/", headers={"HX-Request": "true"}).headers["hx-redirect"] == "/sign-in"


@pytest.mark.parametrize("to", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x"])
def test_nobody_is_sent_on_elsewhere(pages: DeskPages, to: str) -> None:
    client = chosen(pages)
    assert client.get("/sign-in", params={"to": to}).headers["location"] == "/"
    assert client.post("/theme", data={"to": to}).headers["location"] == "/"
    client = pages.nobody()
    assert "evil" not in client.get("/sign-in", params={"to": to}).text
    form = {"name": "day.agent", "password": PHRASE, "to": to}
    assert client.post("/sign-in", data=form).headers["location"] == "/"


def test_a_link_is_used_up_by_its_button_not_by_its_page(pages: DeskPages) -> None:
    link = link_for(pages)
    for _ in range(3):
        assert "Choose a password for" in pages.nobody().get(link).text  # as a mail scanner does
    client = pages.nobody()
    for form, why in (
        ({"password": PHRASE, "again": OTHER}, "passwords differ"),
        ({"password": "day.agent.2026", "again": "day.agent.2026"}, "guessed first"),
    ):
        response = client.post(link, data=form)
        assert (response.status_code, why in response.text) == (403, True)
        assert COOKIE not in response.cookies
    assert client.post(link, data={"password": PHRASE, "again": PHRASE}).status_code == 303
    assert "All open" in client.get("/").text
    assert (pages.nobody().get(link).status_code, pages.nobody().post(link).status_code) == (403, 403)


def test_a_link_of_one_button_and_a_direct_one(pages: DeskPages) -> None:
    link = f"/enter/{pages.desk.accounts.link('day.agent', by=CONSOLE, kind='enter')}"
    client = pages.nobody()
    assert "Sign in as day.agent" in client.get(link).text
    assert client.get("/").status_code == 303
    assert client.post(link).status_code == 303
    assert client.get("/").status_code == 200
    direct = f"/enter/{pages.desk.accounts.link('day.agent', by=CONSOLE, kind='direct')}"
    client = pages.nobody()
    assert client.get(direct).headers["location"] == "/"
    assert client.get("/").status_code == 200
    assert pages.nobody().get(direct).status_code == 403


def test_the_second_step_wants_the_first(pages: DeskPages) -> None:
    chosen(pages)
    key = guarded(pages)
    client = pages.nobody()
    assert client.get("/sign-in/code").headers["location"] == "/sign-in"
    form = {"name": "day.agent", "password": PHRASE, "to": "/account"}
    response = client.post("/sign-in", data=form)
    assert response.headers["location"] == "/sign-in/code?to=%2Faccount"
    assert COOKIE not in response.cookies
    assert client.get("/account").status_code == 303
    page = client.get(response.headers["location"]).text
    assert 'name="to" value="/account"' in page
    assert "4 tries are left" in client.post("/sign-in/code", data={"code": "1"}).text
    code = TOTP(key).at(pages.desk.sign_in.clock())
    response = client.post("/sign-in/code", data={"code": code, "to": "/account"})
    assert (response.status_code, response.headers["location"]) == (303, "/account")
    assert client.get("/account").status_code == 200
    assert STEP_COOKIE not in client.cookies


def test_wrong_passwords_are_counted_and_then_wait(pages: DeskPages) -> None:
    chosen(pages)
    client = pages.nobody()
    form = {"name": "day.agent", "password": "wrong"}
    told = [client.post("/sign-in", data=form) for _ in range(6)]
    assert [response.status_code for response in told] == [403] * 5 + [429]
    assert "3 tries are left for this name." in told[1].text
    assert 'value="day.agent"' in told[1].text
    assert "wrong" not in re.findall(r'value="([^"]*)"', told[1].text)
    assert "Try again in 15 minutes" in told[5].text


def flags(response: object, name: str) -> set[str]:
    """The attributes of a cookie as they were set."""
    (line,) = [line for line in response.headers.get_list("set-cookie") if line.startswith(f"{name}=")]  # type: ignore[attr-defined]
    return {
        part.strip().partition("=")[0].lower() + "=" + part.partition("=")[2].lower()
        for part in line.split(";")[1:]
    }


def test_no_script_and_no_other_site_gets_a_cookie(pages: DeskPages) -> None:
    chosen(pages)
    form = {"name": "day.agent", "password": PHRASE}
    response = pages.nobody().post("/sign-in", data=form)
    assert flags(response, COOKIE) == {"httponly=", "path=/", "samesite=lax"}  # until the browser closes
    assert {"httponly=", "path=/", "samesite=lax"} < flags(response, MARK_COOKIE)
    stays = pages.nobody().post("/sign-in", data={**form, "stay": "on"})
    assert "max-age=1209600" in flags(stays, COOKIE)


def test_by_https_cookies_go_no_other_way(sqlite_store: Store) -> None:
    pages = DeskPages(staffed_desk(sqlite_store), address="https://desk.shop.example")
    client = pages.nobody()
    response = client.post(link_for(pages), data={"password": PHRASE, "again": PHRASE})
    assert "secure=" in flags(response, f"__Host-{COOKIE}")
    assert response.headers["strict-transport-security"].startswith("max-age=")
    client = pages.nobody()
    client.cookies.set(COOKIE, pages.token("day.agent"))  # a name that another host of the domain could set
    assert client.get("/").status_code == 303
    for origin, status in (("https://desk.shop.example", 403), ("https://evil.example", 403), ("null", 403)):
        del client.headers["sec-fetch-site"]
        response = client.post("/sign-in", headers={"Origin": origin}, data={"name": "x", "password": "y"})
        assert response.status_code == status
        assert ("another site" in response.text) is (origin != "https://desk.shop.example")
        client.headers["sec-fetch-site"] = "same-origin"


def test_signing_in_begins_a_new_session_and_signing_out_ends_it(pages: DeskPages) -> None:
    client = chosen(pages)
    planted = client.cookies[COOKIE]
    client.post("/sign-in", data={"name": "day.agent", "password": PHRASE})
    assert client.cookies[COOKIE] != planted
    assert pages.desk.accounts.visitor(planted) is None
    kept = client.cookies[COOKIE]
    assert client.get("/sign-out").status_code == 405  # no picture in a mail signs anybody out
    assert client.post("/sign-out").headers["location"] == "/sign-in"
    assert COOKIE not in client.cookies
    assert pages.desk.accounts.visitor(kept) is None


def test_who_is_deactivated_is_out_with_the_next_page(pages: DeskPages) -> None:
    client = chosen(pages)
    assert client.get("/").status_code == 200
    pages.desk.agents.deactivate("day.agent", by=CONSOLE)
    assert client.get("/").headers["location"] == "/sign-in"


def test_a_request_from_another_site_is_refused(pages: DeskPages) -> None:
    client = pages.nobody()
    del client.headers["sec-fetch-site"]
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "none"}):
        assert "another site" in client.post("/sign-in", headers=headers).text
    assert client.post("/sign-out", headers={"Origin": "http://localhost"}).status_code == 303


def test_a_request_that_is_too_long_is_not_read(pages: DeskPages) -> None:
    long = {"name": "x" * SMALL, "password": "y"}
    assert pages.nobody().post("/sign-in", data=long).status_code == 413

    def parts() -> Iterator[bytes]:
        for _ in range(10):
            yield b"name=" + b"x" * (SMALL // 4)

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert pages.nobody().post("/sign-in", content=parts(), headers=headers).status_code in (400, 413)


def test_behind_a_proxy_of_ours_each_browser_has_its_own_tries(sqlite_store: Store) -> None:
    pages = DeskPages(staffed_desk(sqlite_store), proxies=(ip_network("192.0.2.1/32"),))
    client = pages.nobody()
    client._transport.client = ("192.0.2.1", 5000)  # type: ignore[attr-defined]
    form = {"name": "day.agent", "password": "wrong"}

    def asked(address: str) -> str:
        return client.post("/sign-in", data=form, headers={"X-Forwarded-For": address}).text

    for number in range(3):
        assert f"{4 - number} tries are left" in asked("198.51.100.7")
    assert "4 tries are left" in asked("203.0.113.9")


def test_no_log_and_no_error_tells_a_secret(pages: DeskPages, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("debug", "json", stream)
    try:
        link = link_for(pages)
        form = {"name": "zqName", "password": "zqPassword zqPassword", "again": "zqAgain", "code": "zqCode"}
        client = pages.nobody()
        client.cookies.set(COOKIE, "zqCookie")
        for path in ("/sign-in", "/sign-in/code", link, "/account/password", "/enter/zqLink"):
            client.post(path, data=form)
        client.post(link, data={"password": "zq long enough", "again": "zq long enough"})

        def broken(*arguments: object, **named: object) -> None:
            raise KeyError(f"{arguments!r} {named!r}")

        monkeypatch.setattr(pages.desk.sign_in, "by_password", broken)
        assert client.post("/sign-in", data=form).status_code == 500
        monkeypatch.setattr(pages.desk.sign_in, "by_link", broken)
        direct = pages.desk.accounts.link("day.agent", by=CONSOLE, kind="direct")
        assert client.get(f"/enter/{direct}").status_code == 500
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)
    log = stream.getvalue()
    assert log.count("page_failed") == 2
    assert "sign_in_failed" in log
    assert "zq" not in log
    assert link.rpartition("/")[2] not in log
    assert direct not in log


def test_an_account_is_changed_and_what_is_wrong_is_said_at_its_form(pages: DeskPages) -> None:
    client = chosen(pages)
    assert client.post("/account/preferences", data={"zone": "Asia/Kolkata"}).status_code == 303
    page = client.get("/account").text
    assert "Your preferences are kept." in page
    assert "Thu 26 Nov 00:12" in page  # times of sessions, in Kolkata
    refused = client.post("/account/preferences", data={"zone": "Mars/Base"})
    assert (refused.status_code, "no time zone" in refused.text) == (403, True)
    refused = client.post("/account/password", data={"former": "x", "password": OTHER, "again": OTHER})
    assert "current password is wrong" in refused.text
    other = pages.client("day.agent")
    assert (
        client.post(
            "/account/password", data={"former": PHRASE, "password": OTHER, "again": OTHER}
        ).status_code
        == 303
    )
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    made = client.post(
        "/account/tokens", data={"name": "report", "scope": ["read", "write"], "days": "7"}
    ).text
    (token,) = re.findall(r'data-copy="(rd_[\w-]+)"', made)
    visitor = pages.desk.accounts.token_visitor(token)
    assert visitor is not None
    assert visitor.scopes == {"read", "write"}
    assert token not in client.get("/account").text
    assert (
        "number of days"
        in client.post("/account/tokens", data={"name": "x", "scope": "read", "days": "soon"}).text
    )


def watched(page: Page) -> list[str]:
    """What the browser complains of, but for the refusals that a test wants."""
    problems: list[str] = []
    page.on(
        "console",
        lambda message: (
            problems.append(message.text)
            if message.type == "error" and "status of 403" not in message.text
            else None
        ),
    )
    return problems


def test_a_day_begins_and_ends_in_a_browser(pages: DeskPages, browser: Browser) -> None:
    """From the first link to a code: with a password manager's fields, no script needed, both colours."""
    with pages.served() as address:
        context = browser.new_context(base_url=address, color_scheme="light")
        page = context.new_page()
        problems = watched(page)
        page.goto(link_for(pages))
        page.get_by_label("New password").fill(PHRASE)
        page.get_by_label("The same once more").fill(PHRASE)
        assert barriers(page) == []
        page.get_by_role("button", name="Keep this password and sign in").click()
        page.get_by_role("link", name="day.agent").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Your account"
        assert barriers(page) == []
        with page.expect_response("**/theme"):
            page.get_by_role("button", name="Dark").click()
        assert page.locator("html").get_attribute("data-theme") == "dark"
        page.reload()
        assert page.locator("html").get_attribute("data-theme") == "dark"
        assert barriers(page) == []
        page.get_by_role("button", name="Set up an authenticator").click()
        key = page.locator("code.key").inner_text().replace(" ", "")
        assert barriers(page) == []
        page.get_by_label("3. The code").fill(TOTP(key).at(pages.desk.clock()))
        page.get_by_role("button", name="Ask for a code from now on").click()
        page.get_by_label("Recovery codes").wait_for()
        codes = page.get_by_label("Recovery codes").locator("li").all_inner_texts()
        assert len(codes) == 10
        assert barriers(page) == []
        page.get_by_role("link", name="I have kept them").click()
        page.get_by_role("button", name="Sign out", exact=True).first.click()
        page.get_by_label("Name").fill("day.agent")
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("button", name="Sign in").click()
        assert "4 tries are left" in page.get_by_role("alert").inner_text() or "9 tries" in page.inner_text(
            "body"
        )
        assert page.evaluate("document.activeElement.name") == "password"
        assert barriers(page) == []
        page.get_by_label("Password").fill(PHRASE)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Code from your authenticator").fill(codes[0])
        assert barriers(page) == []
        page.get_by_role("button", name="Continue").click()
        assert page.get_by_role("heading", level=1).inner_text() == "All open"
        _sessions_on_the_phone(pages, browser, address, page)
        assert problems == []
        context.close()


def _sessions_on_the_phone(pages: DeskPages, browser: Browser, address: str, desktop: Page) -> None:
    """Another device is seen, fits its narrow page, and is signed out from the first."""
    phone = signed_in(browser, address, pages.token("day.agent"), color_scheme="dark", **PHONE)
    other = phone.new_page()
    for path in ("/account", "/account/authenticator"):
        other.goto(path)
        assert other.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert barriers(other) == []
    desktop.goto("/account")
    rows = desktop.locator("#sessions tbody tr")
    assert rows.count() == 2
    rows.get_by_role("button", name="Sign out").click()
    desktop.locator("#toast", has_text="That browser is signed out.").wait_for()
    assert rows.count() == 1
    other.goto("/account")
    assert other.get_by_role("button", name="Sign in").is_visible()
    assert other.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert barriers(other) == []
    phone.close()


def test_the_list_is_shown_in_a_browser_that_runs_nothing_inline(
    shared_pages: DeskPages, browser: Browser
) -> None:
    with shared_pages.served() as address:
        context = signed_in(browser, address, shared_pages.token("day.agent"))
        page = context.new_page()
        problems = watched(page)
        page.goto("/")
        assert page.locator(".row").count() > 10
        assert problems == []
        assert barriers(page) == []
        context.close()
