"""Writing in a real browser: drafts that survive, files, sending, taking back, collisions, records."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from relaydesk.store.lists import TicketFilter
from relaydesk_testkit.full_desk import photograph
from relaydesk_testkit.pages import barriers, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from relaydesk_testkit.pages import DeskPages

SIZES = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
}
TEXT = "Hello mug.collector, a new mug leaves today."


def number_of(pages: DeskPages, username: str) -> int:
    rows = pages.desk.queues.page(TicketFilter(), limit=100).tickets
    return next(row.id for row in rows if row.username == username)


@pytest.fixture
def address(pages: DeskPages) -> Iterator[str]:
    with pages.served() as where:
        yield where


def opened(browser: Browser, pages: DeskPages, address: str, agent: str = "day.agent", **how: object) -> Page:
    page = signed_in(browser, address, pages.token(agent), **how).new_page()
    page.set_default_timeout(10_000)
    return page


def write(page: Page, ticket: int, text: str = TEXT) -> None:
    page.goto(f"/tickets/{ticket}")
    page.locator("#composer [data-key=r]").first.click()
    page.fill("#answer", text)


def test_a_draft_survives_and_an_answer_can_be_taken_back_with_its_photo(
    pages: DeskPages, browser: Browser, address: str
) -> None:
    ticket, page = number_of(pages, "mug.collector"), opened(browser, pages, address)
    write(page, ticket)
    page.get_by_text("Draft saved").wait_for()
    page.set_input_files(
        "[data-attach]", {"name": "receipt.png", "mimeType": "image/png", "buffer": photograph(0)}
    )
    page.get_by_text("receipt.png", exact=True).wait_for()
    page.context.close()  # the browser is gone
    page = opened(browser, pages, address)
    page.goto(f"/tickets/{ticket}")
    assert page.input_value("#answer") == TEXT
    page.focus("#answer")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Undo").wait_for()  # on the next ticket
    assert not page.url.endswith(f"/tickets/{ticket}")
    assert [row.state for row in pages.desk.outbox.newest()] == ["queued"]
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(f"**/tickets/{ticket}#composer")
    assert page.input_value("#answer") == TEXT
    page.get_by_text("receipt.png", exact=True).wait_for()
    assert [row.state for row in pages.desk.outbox.newest()] == ["cancelled"]
    page.get_by_role("button", name=re.compile("^Send Ctrl")).click()
    page.get_by_role("button", name="Undo").wait_for()
    assert [row.state for row in pages.desk.outbox.newest()] == ["queued", "cancelled"]
    raw = pages.desk.tickets.view(ticket).answers[-1]
    assert raw.text.startswith(TEXT)
    page.context.close()


def test_a_form_that_is_sent_twice_is_one_answer(pages: DeskPages) -> None:
    ticket, client = number_of(pages, "mug.collector"), pages.client("day.agent")
    form = client.get(f"/tickets/{ticket}/composer").text
    token = re.search(r'name="token" value="([^"]+)"', form)
    seen = re.search(r'name="seen" value="(\d+)"', form)
    assert token
    assert seen
    data = {"text": TEXT, "token": token[1], "seen": seen[1]}
    assert [client.post(f"/tickets/{ticket}/answer", data=data).status_code for _ in range(2)] == [303, 303]
    assert len(pages.desk.outbox.newest()) == 1


def test_the_second_of_two_who_answer_is_refused_and_keeps_the_text(
    pages: DeskPages, browser: Browser, address: str
) -> None:
    ticket = number_of(pages, "mug.collector")
    first, second = opened(browser, pages, address), opened(browser, pages, address, "late.agent")
    write(first, ticket)
    write(second, ticket, "Another answer.")
    first.get_by_role("button", name=re.compile("^Send Ctrl")).click()
    first.get_by_role("button", name="Undo").wait_for()
    second.get_by_role("button", name=re.compile("^Send Ctrl")).click()
    second.get_by_role("heading", name="Not sent: this ticket moved on while you wrote").wait_for()
    assert second.locator("#composer blockquote").inner_text() == "Another answer."
    assert barriers(second) == []
    assert len(pages.desk.outbox.newest()) == 1
    second.get_by_role("link", name="I have read it").click()
    second.get_by_role("button", name=re.compile("^Send Ctrl")).click()
    second.get_by_role("button", name="Undo").wait_for()
    assert len(pages.desk.outbox.newest()) == 2
    first.context.close()
    second.context.close()


def test_a_template_is_filled_and_asks_for_what_it_needs(
    pages: DeskPages, browser: Browser, address: str
) -> None:
    ticket, page = number_of(pages, "mug.collector"), opened(browser, pages, address)
    write(page, ticket, "First my own words.")
    templates = pages.desk.templates.everything()
    needing = next(template for template in templates if template.name == "shipped-with-tracking")
    page.get_by_text("Template", exact=True).click()
    page.get_by_role("button", name=needing.title).click()
    for need in needing.needs:
        page.fill(f"[name='value.{need}']", "TRACK-123")
    page.get_by_role("button", name=f"Insert {needing.title}").click()
    expect(page.locator("#answer")).to_have_value(re.compile("^First my own words[^$]*TRACK-123"))
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("(order 368508827392800)").wait_for()
    assert pages.desk.outbox.newest() == ()
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_the_composer_has_no_barriers(pages: DeskPages, browser: Browser, address: str, size: str) -> None:
    page = opened(browser, pages, address, **SIZES[size])
    page.goto(f"/tickets/{number_of(pages, 'mug.collector')}/composer")
    assert barriers(page) == []
    claim = next(row.id for row in pages.desk.queues.page(TicketFilter(kind="chargeback")).tickets)
    page.goto(f"/tickets/{claim}")
    assert barriers(page) == []
    page.context.close()


def test_evidence_is_added_and_the_evidence_clock_is_stopped(
    pages: DeskPages, browser: Browser, address: str
) -> None:
    ticket = next(row.id for row in pages.desk.queues.page(TicketFilter(kind="chargeback")).tickets)
    page = opened(browser, pages, address)
    page.goto(f"/tickets/{ticket}")
    chooser = page.locator("#needed .task", has_text="Proof of shipment").locator("input[type=file]")
    chooser.set_input_files(
        {"name": "receipt.html", "mimeType": "text/html", "buffer": b"<script>alert(1)</script>"}
    )
    page.locator("#needed").get_by_text("receipt.html").wait_for()
    [row] = pages.desk.evidence.of_ticket(ticket)
    assert (row.item, row.name, row.state) == ("Proof of shipment", "receipt.html", "there")
    reply = pages.client("day.agent").get(f"/files/evidence/{row.id}")
    assert reply.headers["content-disposition"].startswith("attachment")
    assert reply.headers["content-type"] == "application/octet-stream"
    page.goto(f"/tickets/{ticket}")
    page.fill("#answer", "Sent in Meta's tool.")
    page.get_by_role("button", name="Record and stop the evidence clock").click()
    page.locator("#toast", has_text="Recorded, and the clock stopped.").wait_for()
    clocks = {clock.clock: clock.stopped_how for clock in pages.desk.tickets.view(ticket).clocks}
    assert clocks["evidence"] == "handled"
    page.context.close()
