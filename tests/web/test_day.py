"""An agent's day at a real ``relaydesk serve``: mail by SMTP, keys, an answer with a photo, undo, next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from relaydesk.desk.permissions import CONSOLE
from relaydesk.order import Order, OrderRow
from relaydesk.store import orders
from relaydesk.store.engine import Store
from relaydesk_testkit.buyers import ZONE, mail
from relaydesk_testkit.full_desk import photograph
from relaydesk_testkit.serving import STORED, Serving
from relaydesk_testkit.zones import dns_server
from tests.support.desk import desk

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

PHRASE = "blue kettle tuesday rain"


def test_an_agents_day(tmp_path: Path, sqlite_url: str, browser: Browser) -> None:
    with (
        dns_server(ZONE) as names,
        Serving(
            tmp_path / "serve",
            sqlite_url,
            names.address,
            web=["127.0.0.1:0"],
            support_contact="Demo Shop <help@shop.example>",
        ) as serving,
    ):
        now = datetime.now(UTC)
        there = desk(Store.open(sqlite_url), now)
        known = [OrderRow(Order(f"36000000000000{number}"), frozenset()) for number in (1, 2)]
        orders.put(there.store, known, now)
        context = browser.new_context(base_url=serving.web.replace("127.0.0.1", "localhost"))
        context.set_default_timeout(15_000)
        page, problems = context.new_page(), list[str]()
        page.on("pageerror", lambda error: problems.append(str(error)))
        press = page.keyboard.press

        page.goto("/enter/" + there.accounts.link("alice", by=CONSOLE))
        page.get_by_label("New password").fill(PHRASE)
        page.get_by_label("The same once more").fill(PHRASE)
        press("Enter")
        page.locator("#live:not(.off)", has_text="Live").wait_for(state="attached")
        assert page.locator(".row").count() == 0

        for number in (1, 2):
            assert serving.deliver(mail(number)).startswith(STORED)
            page.locator(f"#t{number}").wait_for()  # comes in without reloading
        press("j")
        press("i")
        page.locator("#t1 .own", has_text="You").wait_for()
        press("o")
        page.locator("#thread", has_text="I ordered a jacket").wait_for()

        press("r")
        page.locator("#answer:focus").wait_for()
        page.get_by_text("Template", exact=True).click()
        page.locator("button[name=template]").first.click()
        expect(page.locator("#answer")).not_to_have_value("")
        text = page.input_value("#answer")
        photo = {"name": "label.png", "mimeType": "image/png", "buffer": photograph(0)}
        page.set_input_files("[data-attach]", photo)  # type: ignore[arg-type]
        page.locator("#files bdi", has_text="label.png").wait_for()
        page.locator("#answer").focus()
        press("Control+Enter")
        page.wait_for_url("**/tickets/2*")  # the next ticket

        page.locator("#leaving form", has_text="Answer to buyer1 leaves in").wait_for()
        press("z")  # taken back, with its text and its photo
        page.wait_for_url("**/tickets/1*")
        expect(page.locator("#answer")).to_have_value(text)
        page.locator("#files bdi", has_text="label.png").wait_for()
        page.locator("#answer").focus()
        press("Control+Enter")
        page.wait_for_url("**/tickets/2*")
        page.locator("#thread", has_text="I ordered a jacket").wait_for()

        whole = there.tickets.view(1)
        states = [row.state for row in there.outbox.newest()]
        assert (states[-1], len(states), whole.answers[-1].text[:20]) == ("cancelled", 2, text[:20])
        assert problems == []
        context.close()
        there.store.close()
