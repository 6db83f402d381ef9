"""Writing in a real browser: drafts that survive, files, sending, taking back, collisions, records."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from relaydesk.desk.answers import Written
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


def attached(page: Page, name: str = "receipt.png") -> None:
    photo = {"name": name, "mimeType": "image/png", "buffer": photograph(0)}
    page.set_input_files("[data-attach]", photo)
    page.locator("#files bdi", has_text=name).wait_for()


def states(pages: DeskPages) -> list[str]:
    return [row.state for row in pages.desk.outbox.newest()]


def test_a_draft_survives_and_an_answer_can_be_taken_back_with_its_photo(
    pages: DeskPages, browser: Browser, address: str
) -> None:
    ticket, page = number_of(pages, "mug.collector"), opened(browser, pages, address)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    write(page, ticket)
    page.get_by_text("Draft saved").wait_for()
    attached(page)
    assert page.input_value("#answer") == TEXT  # nothing moved under the writer
    page.reload()
    page.locator("#files bdi").wait_for()
    page.fill("#answer", f"{TEXT} It is blue.")
    page.goto("/")  # left before the pause was over
    page.context.close()  # the browser is gone
    page = opened(browser, pages, address)
    page.goto(f"/tickets/{ticket}")
    assert page.input_value("#answer") == f"{TEXT} It is blue."
    page.focus("#answer")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Undo").wait_for()  # on the next ticket
    assert not page.url.endswith(f"/tickets/{ticket}")
    assert states(pages) == ["queued"]
    page.goto("/account")  # it stays across pages until it has left
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(f"**/tickets/{ticket}#composer")
    assert page.input_value("#answer") == f"{TEXT} It is blue."
    page.locator("#files bdi", has_text="receipt.png").wait_for()
    assert states(pages) == ["cancelled"]
    page.locator("#send").click()
    page.get_by_role("button", name="Undo").wait_for()
    assert states(pages) == ["queued", "cancelled"]
    sent = pages.desk.tickets.view(ticket).answers[-1]
    assert sent.text.startswith(TEXT)
    assert wrong == []
    page.context.close()


def test_what_the_desk_cannot_take_stays_in_the_browser(
    pages: DeskPages, browser: Browser, address: str
) -> None:
    ticket, page = number_of(pages, "mug.collector"), opened(browser, pages, address)
    write(page, ticket, "")
    page.context.set_offline(True)
    page.fill("#answer", TEXT)
    page.get_by_text("Kept in this browser").wait_for()
    page.locator("#send").click()
    page.get_by_text("Not sent: the desk cannot be reached").wait_for()
    assert page.input_value("#answer") == TEXT
    page.context.set_offline(False)
    assert pages.desk.drafts.read(ticket, by="agent:day.agent") is None
    write_again = page.context.new_page()  # as after a crash: nothing but the browser's own memory
    write_again.goto(f"/tickets/{ticket}")
    write_again.locator("#composer [data-key=r]").first.click()
    expect(write_again.locator("#answer")).to_have_value(TEXT)
    write_again.get_by_text("Draft saved").wait_for()
    write_again.get_by_role("button", name="Discard").click()
    write_again.locator("#composer .rest").wait_for()
    write_again.locator("#toast").get_by_role("button", name="Undo").click()
    expect(write_again.locator("#answer")).to_have_value(TEXT)
    page.context.close()


def test_turning_to_a_note_keeps_both_and_the_preview_follows(
    pages: DeskPages, browser: Browser, address: str
) -> None:
    ticket, page = number_of(pages, "mug.collector"), opened(browser, pages, address)
    write(page, ticket)
    page.get_by_role("button", name="Preview").click()
    page.locator("#preview").get_by_text("(order 368508827392800)").wait_for()
    page.fill("#answer", "Hello, {{ name }}.")
    page.locator("#preview").get_by_text("It would not be sent").wait_for()
    page.fill("#answer", "Hello again.")
    page.locator("#preview .words-sent", has_text="Hello again.").wait_for()
    assert barriers(page) == []
    page.get_by_role("button", name=re.compile("^Note")).click()
    page.fill("#note", "Called the depot.")
    page.get_by_role("button", name=re.compile("^Answer")).click()
    expect(page.locator("#answer")).to_have_value("Hello again.")
    page.get_by_role("button", name=re.compile("^Note")).click()
    expect(page.locator("#note")).to_have_value("Called the depot.")
    page.press("#note", "Control+Enter")
    page.locator("#thread").get_by_text("Called the depot.").wait_for()
    expect(page.locator("#answer")).to_have_value("Hello again.")
    assert pages.desk.outbox.newest() == ()
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
    first.locator("#send").click()
    first.get_by_role("button", name="Undo").wait_for()
    attached(second)  # what it does meanwhile makes it no newer
    second.locator("#send").click()
    second.get_by_role("heading", name="Not sent: this ticket moved on while you wrote").wait_for()
    assert second.locator("#composer blockquote").inner_text() == "Another answer."
    came = second.locator(".came").inner_text()
    assert re.search(r"day\.agent answered today \d\d:\d\d, not yet left", came)
    assert TEXT[:20] in came
    assert barriers(second) == []
    assert len(pages.desk.outbox.newest()) == 1
    second.get_by_role("link", name="I have read it").click()
    second.locator("#send").click()
    second.get_by_role("button", name="Undo").wait_for()
    assert len(pages.desk.outbox.newest()) == 2
    first.context.close()
    second.context.close()


def test_who_opens_the_composer_late_has_seen_what_the_page_shows(pages: DeskPages) -> None:
    """A page that got no news must not answer past what came since it was opened."""
    ticket, client = number_of(pages, "mug.collector"), pages.client("late.agent")
    shown = re.search(r'id="seen" name="seen" value="(\d+)"', client.get(f"/tickets/{ticket}").text)
    assert shown
    seen = pages.desk.tickets.latest_event(ticket)
    pages.desk.answers.write(ticket, Written(TEXT), seen=seen, by="agent:day.agent")
    form = client.get(f"/tickets/{ticket}/composer?seen={shown[1]}", headers={"HX-Request": "true"}).text
    assert f'name="seen" value="{shown[1]}"' in form
    data = {"text": "Another.", "token": "t", "seen": shown[1]}
    reply = client.post(f"/tickets/{ticket}/answer", data=data)
    assert reply.status_code == 409
    assert "this ticket moved on while you wrote" in reply.text
    assert "Another." in reply.text


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
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_have_value(re.compile("^First my own words[^$]*TRACK-123"))
    assert pages.desk.outbox.newest() == ()
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_the_composer_has_no_barriers(pages: DeskPages, browser: Browser, address: str, size: str) -> None:
    page, ticket = opened(browser, pages, address, **SIZES[size]), number_of(pages, "mug.collector")
    page.goto(f"/tickets/{ticket}")
    page.locator(".dock .main-act" if size == "phone" else "#composer [data-key=r]").first.click()
    page.fill("#answer", TEXT)
    attached(page)
    page.get_by_text("Template", exact=True).click()
    assert barriers(page, looks=size != "light") == []
    if size == "phone":  # it fills the screen, and leads back
        box = page.locator("#composer").bounding_box()
        assert box
        assert (box["x"], box["y"], box["width"]) == (0, 0, 390)
        page.get_by_role("button", name="Back to the conversation").click()
        page.locator("#thread .msg").first.wait_for()
        expect(page.locator("#composer")).to_be_hidden()
        page.locator(".dock .main-act").click()
        expect(page.locator("#answer")).to_have_value(TEXT)
    claim = next(row.id for row in pages.desk.queues.page(TicketFilter(kind="chargeback")).tickets)
    page.goto(f"/tickets/{claim}")
    assert barriers(page, looks=size != "light") == []
    page.context.close()


def test_a_browser_without_a_script_writes_attaches_previews_and_sends(pages: DeskPages) -> None:
    ticket, client = number_of(pages, "mug.collector"), pages.client("day.agent")
    at = f"/tickets/{ticket}"
    form = client.get(f"{at}/composer").text
    seen, token = (re.search(rf'name="{name}" value="([^"]+)"', form) for name in ("seen", "token"))
    assert seen
    assert token
    data = {"text": TEXT, "seen": seen[1], "token": token[1], "in": "/queues/case"}
    photo = {"file": ("receipt.png", photograph(0), "image/png")}
    assert client.post(f"{at}/draft/files", data=data, files=photo).headers["location"] == f"{at}#composer"
    page = client.post(f"{at}/draft/files", data=data, files={"file": ("a.html", b"<b>", "text/html")})
    assert page.status_code == 409
    assert "Not attached: a.html" in page.text
    assert "receipt.png" in client.post(f"{at}/preview", data=data).text
    assert (
        'name="value.tracking'
        in client.post(f"{at}/template", data={**data, "template": "shipped-with-tracking"}).text
    )
    sent = client.post(f"{at}/answer", data={**data, "then": "close"})
    assert sent.status_code == 303
    assert "in=%2Fqueues%2Fcase" in sent.headers["location"]
    assert "leaves in 30 seconds" in client.get(sent.headers["location"]).text
    assert not pages.desk.tickets.view(ticket).ticket.open
    [row] = pages.desk.outbox.newest()
    assert "Take it back" in client.get("/answers/leaving").text
    assert client.post(f"/answers/{row.id}/undo").headers["location"] == f"{at}#composer"
    assert "receipt.png" in client.get(at).text
    assert pages.desk.tickets.view(ticket).ticket.open
    client.post(f"{at}/draft/discard")
    assert "receipt.png" not in client.get(at).text
    client.post(f"{at}/draft/restore")
    assert "receipt.png" in client.get(at).text


def test_an_answer_given_elsewhere_is_recorded(pages: DeskPages) -> None:
    ticket, client = number_of(pages, "mug.collector"), pages.client("day.agent")
    assert "America/Los_Angeles" in client.get(f"/tickets/{ticket}/elsewhere").text
    refused = client.post(f"/tickets/{ticket}/elsewhere", data={"at": "yesterday"})
    assert (refused.status_code, "is not a time" in refused.text) == (409, True)
    assert client.post(f"/tickets/{ticket}/elsewhere", data={"at": ""}).status_code == 303
    clocks = {clock.clock: clock.stopped_how for clock in pages.desk.tickets.view(ticket).clocks}
    assert clocks["response"] == "answered_outside"


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
    archive = pages.client("day.agent").get(f"/files/evidence/{ticket}/all.zip").content
    assert archive.startswith(b"PK")
    assert b"<script>alert(1)</script>" in archive
    page.get_by_role("button", name=re.compile("^Not needed.*Proof of delivery")).click()
    page.get_by_text("1 of 4").wait_for()
    page.goto(f"/tickets/{ticket}")
    page.fill("#answer", "Sent in Meta's tool.")
    page.get_by_role("button", name="Record and stop the evidence clock").click()
    page.locator("#toast", has_text="Recorded, and the evidence clock stopped.").wait_for()
    clocks = {clock.clock: clock.stopped_how for clock in pages.desk.tickets.view(ticket).clocks}
    assert clocks["evidence"] == "handled"
    page.context.close()
