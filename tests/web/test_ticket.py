"""The page of one ticket: its thread, its panel, its files; and what a browser makes of it."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from relaydesk import events
from relaydesk.desk.answers import Written
from relaydesk.store import TicketFilter, audit
from relaydesk.web.event_lines import LINES
from relaydesk.web.files import disposition
from relaydesk_testkit.full_desk import ARRIVALS, Arrival, photograph, receive
from relaydesk_testkit.pages import DeskPages, barriers, signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LONG = "long.story"
HTML = "<p>Look: <a href='https://shop.example/a'>here</a> <img src='cid:one@x'></p>"


def ticket(pages: DeskPages, username: str) -> int:
    """The ticket of a buyer, or the first of a kind."""
    rows = pages.desk.queues.page(TicketFilter(), limit=200).tickets
    return next(row.id for row in rows if username in (row.username, row.kind))


@pytest.fixture(scope="module")
def still(shared_pages: DeskPages) -> DeskPages:
    """A full desk that nobody changes, and a buyer who wrote fifty mails."""
    usual = replace(ARRIVALS[2], username=LONG, quoted=True, order="")
    mails = [
        replace(usual, age=9 - number / 10, text=f"Mail {number} of the story. " * 8, photos=number % 2)
        for number in range(50)
    ]
    receive(shared_pages.desk.store, mails, first=500)
    return shared_pages


def test_every_kind_of_event_has_its_sentence() -> None:
    missing = {kind.__name__ for kind in events.PAYLOADS.values()} - {kind.__name__ for kind in LINES}
    assert not missing, "give it a row in relaydesk.web.event_lines.LINES"


def test_a_ticket_shows_what_there_is(still: DeskPages) -> None:
    page = still.client("day.agent").get(f"/tickets/{ticket(still, 'mug.collector')}").text
    for words in (
        "Opened by mail \u00b7 rule instagram-case \u00b7 order 368508827392800 bound",
        "One of the two mugs arrived broken. What now?",
        "Quoted text, 4 lines",
        "SHOP-1001",
        "May not be used for marketing",
        "39.80",
        "59.80 USD",
        "66.220.144.141 is permitted by support.instagram.com",
        "2 business days, counted in open hours",
        "You took it",
        "MUG-BLUE is on the shelf",
    ):
        assert words in page, words
    assert "Hi Demo Shop" not in re.sub(r"<details class=\"quote\">.*?</details>", "", page, flags=re.DOTALL)


def test_there_are_sentences_for_what_is_not_there(still: DeskPages) -> None:
    client = still.client("day.agent")
    number = ticket(still, "mug.collector")
    for path in ("/tickets/999999", f"/tickets/{number}/messages/1", f"/files/{number}/1/raw", "/tickets/0"):
        response = client.get(path)
        assert response.status_code == 404, path
        assert "There is no" in response.text or "has no message" in response.text
    assert client.get(f"/files/{number}/3/9/x").status_code == 404


def test_claims_say_that_mail_cannot_answer_them(still: DeskPages) -> None:
    client = still.client("day.agent")
    assert "Mail cannot answer this." in client.get(f"/tickets/{ticket(still, 'claim')}").text
    chargeback = client.get(f"/tickets/{ticket(still, 'chargeback')}").text
    for document in ("Order confirmation", "Proof of delivery", "Conversation with the buyer"):
        assert document in chargeback
    unsorted_mail = client.get(f"/tickets/{ticket(still, 'unsorted')}").text
    assert "Why it is here" in unsorted_mail
    assert 'name="order" value="64000841784004"' in unsorted_mail


def test_a_long_thread_is_shown_in_pieces(still: DeskPages) -> None:
    client, number = still.client("day.agent"), ticket(still, LONG)
    page = client.get(f"/tickets/{number}").text
    assert page.count('<details class="msg"') == 10
    assert "Mail 49 of" in page
    assert "Mail 37 of" not in page
    shown = set(re.findall(r'id="m(\d+)"', page))
    earlier = re.search(r"before=(\d+)", page)
    while earlier:
        headers = {"HX-Request": "true", "HX-Target": "p#earlier"}
        piece = client.get(f"/tickets/{number}?before={earlier[1]}", headers=headers).text
        assert "<html" not in piece
        assert not shown & set(re.findall(r'id="m(\d+)"', piece))
        shown |= set(re.findall(r'id="m(\d+)"', piece))
        earlier = re.search(r"before=(\d+)", piece)
        whole = client.get(f"/tickets/{number}?before={earlier[1]}").text if earlier else "These are older"
        assert "These are older" in whole
    assert len(shown) == 50


def test_a_ticket_of_fifty_mails_is_small(still: DeskPages) -> None:
    client, number = still.client("day.agent"), ticket(still, LONG)
    assert len(client.get(f"/tickets/{number}").content) <= 60_000


def test_files_are_downloads_that_nothing_can_be_made_of(pages: DeskPages) -> None:
    files = (
        ("text/html", "page.html", b"<script>x()</script>"),
        ("application/pdf", "Rechnung \u20ac\u202efdp.exe", b"MZ"),
        ("image/heic", "IMG_1.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
        ("image/png", "mug.png", photograph(0)),
    )
    receive(pages.desk.store, [Arrival(1, "file.sender", "Files", files=files)], first=700)
    client, number = pages.client("day.agent"), ticket(pages, "file.sender")
    message = pages.desk.tickets.view(number).messages[0].row.id
    page = client.get(f"/tickets/{number}").text
    for words in ("A web page, which may run scripts", "May run when it is opened", "HEIC), which browsers"):
        assert words in page, words
    for place, (_, _, content) in enumerate(files, 1):
        response = client.get(f"/files/{number}/{message}/{place}/x")
        assert response.content == content
        assert response.headers["content-disposition"].startswith("attachment; ")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"].startswith("default-src 'none'; sandbox")
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert response.headers["content-type"] in ("application/octet-stream", "image/png")
    assert client.get(f"/files/{number}/{message}/1/photo").status_code == 404
    assert client.get(f"/files/{number}/{message}/4/photo").headers["content-type"] == "image/png"
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"/files/{number}/files.zip").content))
    assert archive.testzip() is None
    assert [archive.read(name) for name in archive.namelist()] == [content for _, _, content in files]
    assert pages.nobody().get(f"/files/{number}/{message}/4/photo").status_code == 303


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("invoice.pdf", 'filename="invoice.pdf"'),
        ('a"b;c.pdf', 'filename="a_b_c.pdf"'),
        ("R\u00e9\u20ac.pdf", 'filename="R__.pdf"'),
    ],
)
def test_a_files_name_goes_into_a_header_whole(name: str, plain: str) -> None:
    header = disposition(name)
    assert plain in header
    assert header.isascii()
    assert not set(header) & set("\r\n")


def test_reading_a_raw_message_goes_on_record(pages: DeskPages) -> None:
    number = ticket(pages, "mug.collector")
    message = pages.desk.tickets.view(number).messages[0].row.id
    response = pages.client("day.agent").get(f"/files/{number}/{message}/raw")
    assert response.content.startswith(b"DKIM-Signature:")
    assert response.headers["content-disposition"].startswith(f'attachment; filename="message-{message}.eml"')
    assert response.headers["cache-control"] == "no-store"
    pages.client("day.agent").get(f"/tickets/{number}/messages/{message}?show=headers")
    with pages.desk.store.reading() as session:
        line = audit.page(session, limit=3)
    reads = [(row.actor, row.facts) for row in line if row.what == "raw_read"]
    assert reads == [("agent:day.agent", {"ticket": number, "message": message})]


def test_an_answers_way_is_told(pages: DeskPages) -> None:
    number = ticket(pages, "lamp_lover")
    desk = pages.desk
    seen = desk.tickets.latest_event(number)
    answer = desk.answers.write(number, Written("It is dimmable."), seen=seen, by="agent:day.agent").answer
    page = pages.client("day.agent").get(f"/tickets/{number}").text
    assert "It is dimmable." in page
    assert ">0:30</span>" in page
    desk.answers.cancel(answer, by="agent:day.agent")
    page = pages.client("late.agent").get(f"/tickets/{number}").text
    assert "Taken back before it left" in page
    assert f"day.agent took answer {answer} back before it left" in page


def test_orders_are_looked_up(still: DeskPages) -> None:
    client, number = still.client("day.agent"), ticket(still, "scarf.season")
    page = client.get(f"/orders/find?q=%20%23SHOP-1001&ticket={number}").text
    assert "368508827392800" in page
    assert f'action="/tickets/{number}/order"' in page
    assert "No order in the directory" in client.get("/orders/find?q=nothing").text


def opened(browser: Browser, address: str, pages: DeskPages, path: str, **how: object) -> Page:
    page = signed_in(browser, address, pages.token("day.agent"), **how).new_page()
    page.goto(path)
    return page


def test_the_page_in_a_browser(still: DeskPages, browser: Browser) -> None:
    number = ticket(still, "mug.collector")
    with still.served() as address:
        for how in (
            {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
            {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}},
            {"viewport": {"width": 390, "height": 844}, "has_touch": True},
        ):
            page = opened(browser, address, still, f"/tickets/{number}", **how)
            page.locator("#history > summary").click()
            page.locator("#evidence .under > summary").click()
            page.get_by_text("Quoted text").click()
            page.locator("#deadline > summary").click()  # its sheet stands over the others
            assert barriers(page, looks=how.get("color_scheme") != "light") == []
            assert page.evaluate("document.documentElement.scrollWidth") <= how["viewport"]["width"]  # type: ignore[index]
            page.context.close()
        for path in (f"/tickets/{number}/history", "/orders/find?q=SHOP-1001"):
            page = opened(browser, address, still, path)
            assert barriers(page) == []
            page.context.close()


def test_photos_are_looked_at_one_after_the_other(still: DeskPages, browser: Browser) -> None:
    with still.served() as address:
        page = opened(browser, address, still, f"/tickets/{ticket(still, 'mug.collector')}")
        page.locator("[data-photo]").first.click()
        assert page.locator("#photo-name").inner_text() == "Photo 1 of 2: photo-1.png"
        assert barriers(page) == []
        page.keyboard.press("ArrowRight")
        assert page.locator("#photo-name").inner_text() == "Photo 2 of 2: photo-2.png"
        page.keyboard.press("ArrowRight")
        page.get_by_role("button", name="Previous photo").click()
        assert page.locator("#photo-name").inner_text() == "Photo 2 of 2: photo-2.png"
        assert page.locator("#photo img").evaluate("(image) => image.naturalWidth") == 352
        page.keyboard.press("Escape")
        assert not page.locator("#photo").is_visible()
        page.context.close()


def test_html_stands_in_a_frame_whose_keys_the_page_can_hear(pages: DeskPages, browser: Browser) -> None:
    receive(pages.desk.store, [Arrival(1, "html.writer", "Look", html=HTML)], first=800)
    with pages.served() as address:
        page = opened(browser, address, pages, f"/tickets/{ticket(pages, 'html.writer')}")
        page.get_by_text("Show as HTML").click()
        frame = page.frame_locator("iframe.mail")
        link = frame.locator("a")
        assert (link.get_attribute("target"), link.get_attribute("rel")) == (
            "_blank",
            "noopener noreferrer nofollow",
        )
        assert link.inner_text() == "here \u2039shop.example\u203a"
        page.wait_for_function("document.querySelector('iframe.mail').clientHeight < 200")
        link.focus()
        page.keyboard.press("?")
        page.locator("#keys[open]").wait_for()
        page.keyboard.press("Escape")
        page.get_by_text("Fold again").click()
        page.get_by_text("Show as HTML").wait_for()
        page.context.close()


def test_news_of_the_open_ticket_comes_in_and_leaves_what_is_open(pages: DeskPages, browser: Browser) -> None:
    number = ticket(pages, "mug.collector")
    with pages.served() as address:
        page = opened(browser, address, pages, f"/tickets/{number}")
        first = page.locator("#thread details.msg").first
        first.locator("summary").first.click()
        page.locator("#evidence > summary").click()
        page.locator("#history > summary").focus()
        again = replace(ARRIVALS[5], age=0.01, text="Any news?", photos=0)
        receive(pages.desk.store, [again], first=900)
        pages.desk.tickets.note(number, "Called them.", by="agent:late.agent")
        page.evaluate(f"document.body.dispatchEvent(new CustomEvent('ticket-{number}'))")
        page.get_by_text("Called them.").wait_for()
        assert page.locator("#thread p", has_text="Any news?").is_visible()
        page.wait_for_function(
            "document.querySelector('#said').textContent === 'New mail from mug.collector'"
        )
        assert first.get_attribute("open") is not None
        assert page.locator("#evidence").get_attribute("open") is None
        assert page.evaluate("document.activeElement.closest('#history') !== null")
        page.context.close()
