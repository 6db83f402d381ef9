"""The lists of the desk: what they show, narrow, keep and do, in this process and in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from relaydesk.desk import TicketFilter
from relaydesk.desk.desk import Desk
from relaydesk_testkit.full_desk import MORNING
from relaydesk_testkit.pages import DeskPages, barriers, signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


LONGEST_PAGE = 60 * 1024


def number(pages: DeskPages, username: str) -> int:
    rows = pages.desk.queues.page(TicketFilter(), limit=200).tickets
    return next(row.id for row in rows if row.username == username)


def names(html: str) -> list[str]:
    return re.findall(r'<span class="who line"><a [^>]*>([^<]*)</a>', html)


def groups(html: str) -> list[str]:
    heads = re.findall(r'<h2 class="group line[^>]*>(.*?)</h2>', html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", head).split()) for head in heads]


def test_a_list_stands_in_groups_by_deadline(pages: DeskPages) -> None:
    html = pages.client("day.agent").get("/").text
    assert groups(html) == [
        "Past the deadline 4",
        "Due in the next 4 hours 1",
        "Due today 6 · Wed 25 Nov",
        "Due tomorrow 1 · Thu 26 Nov, Thanksgiving Day: nobody is on duty",
        "Due Fri 27 Nov 4",
        "Due Mon 30 Nov 2",
    ]
    assert "18 open · 7 due today · 4 past the deadline" in html
    assert "<b>Damaged</b> <bdi>Here are two photos. The handle is off" in html
    assert "Instagram</a>" in html  # Meta's own mail, by its brand
    assert 'dir="auto">case++' in html  # nothing proves this one, so its whole address


def test_a_view_holds_what_it_says(pages: DeskPages) -> None:
    client = pages.client("day.agent")
    assert names(client.get("/views/mine").text) == ["mug.collector", "lamp_lover"]
    assert "mug.collector" not in names(client.get("/views/unassigned").text)
    assert names(client.get("/views/look").text) == ["Facebook"]
    pages.desk.tickets.snooze(number(pages, "lamp_lover"), MORNING + timedelta(hours=2), by="agent:day.agent")
    assert names(client.get("/views/snoozed").text) == ["lamp_lover"]
    assert "lamp_lover" not in client.get("/").text
    assert "lamp_lover" in pages.client("late.agent").get("/").text
    pages.desk.tickets.close(number(pages, "velvet.sofa"), by="agent:day.agent")
    assert names(client.get("/views/closed").text) == ["velvet.sofa"]
    assert client.get("/views/parcels").status_code == client.get("/queues/parcels").status_code == 404


def test_filters_stand_in_the_address_and_can_be_kept_as_a_view(pages: DeskPages) -> None:
    agent, lead = pages.client("day.agent"), pages.client("desk.lead")
    assert names(agent.get("/?reason=return_request").text) == [
        "handgemachte.keramik.liebhaberin.2026",
        "carla.returns",
    ]
    assert names(agent.get("/?kind=claim&kind=chargeback").text) == ["Instagram", "Facebook"]
    assert names(agent.get("/queues/case?own=@returns.agent").text) == ["carla.returns", "tea_for_three"]
    assert "No ticket matches" in agent.get("/?q=nothing-like-this").text
    kept = agent.post("/views/saved", data={"name": "Returns", "place": "/queues/case?reason=return_request"})
    path = kept.headers["location"]
    assert names(agent.get(path).text) == ["handgemachte.keramik.liebhaberin.2026", "carla.returns"]
    assert names(agent.get(f"{path}?f=1&reason=return_request&own=nobody").text) == [
        "handgemachte.keramik.liebhaberin.2026"
    ]
    assert ">Returns<" in agent.get("/").text
    assert ">Returns<" not in lead.get("/").text
    assert lead.get(path).status_code == 404
    assert agent.post(path, data={"name": "Returns", "shared": "1"}).status_code == 403
    shared = lead.post(
        "/views/saved", data={"name": "Late", "place": "/?reason=late_or_missing", "shared": "1"}
    )
    assert ">Late<" in agent.get("/").text
    assert agent.post(f"{shared.headers['location']}/remove").status_code == 403
    assert agent.post(path, data={"name": "To come back"}).status_code == 303
    assert agent.post(f"{path}/remove").status_code == 303
    assert agent.get(path).status_code == 404


def test_many_are_done_at_once_and_the_answer_says_which_were_not(pages: DeskPages) -> None:
    client = pages.client("day.agent")
    poster, gift = number(pages, "poster.fan"), number(pages, "gift.for.two")
    script = {"HX-Request": "true"}
    taken = client.post("/bulk", data={"act": "take", "ticket": [poster, gift]}, headers=script)
    assert taken.status_code == 204
    assert f"1 ticket taken. Not done for 1: #{poster}:" in taken.headers["hx-trigger"]
    assert "mug" not in taken.headers["hx-trigger"]
    view = pages.desk.tickets.view(gift)
    assert view.ticket.assignee == "day.agent"
    undo = re.search(r"/bulk/undo\?event=\d+", taken.headers["hx-trigger"])
    assert undo is not None
    assert client.post(undo[0], headers=script).status_code == 204
    assert pages.desk.tickets.view(gift).ticket.assignee is None
    assert client.post("/bulk", data={"act": "close"}).status_code == 409
    nothing = client.post("/bulk", data={"act": "take", "ticket": [poster]})
    assert (nothing.status_code, "No ticket was taken." in nothing.text) == (409, True)


def test_a_search_finds_open_and_closed_and_helps_where_it_finds_nothing(pages: DeskPages) -> None:
    client = pages.client("day.agent")
    sofa = number(pages, "velvet.sofa")
    pages.desk.tickets.close(sofa, by="agent:day.agent")
    assert names(client.get("/search?q=sofa").text) == ["velvet.sofa"]
    assert "No ticket matches" in client.get("/search?q=sofa&state=open").text
    assert names(client.get(f"/search?q={sofa}").text) == ["velvet.sofa"]
    assert "Search every ticket" in client.get("/search").text
    hits = client.get("/search/jump?q=ca", headers={"HX-Request": "true"}).text
    assert 'href="/queues/case"' in hits and "carla.returns" in hits


def test_a_new_desk_says_what_to_do(pages: DeskPages) -> None:
    assert "No mail has come yet" not in pages.client("day.agent").get("/").text
    with pages.desk.store.transaction() as session:
        session.connection().exec_driver_sql("UPDATE ticket SET state = 'closed'")
    fresh = DeskPages(Desk(pages.desk.store, pages.desk.config, pages.desk.clock))
    assert "Nothing is open" in fresh.client("day.agent").get("/").text


def test_a_row_and_the_rail_are_parts_of_their_own(pages: DeskPages) -> None:
    client, gift = pages.client("day.agent"), number(pages, "gift.for.two")
    script = {"HX-Request": "true", "HX-Current-URL": "http://localhost/queues/case"}
    row = client.get(f"/tickets/{gift}/row", headers=script).text
    assert row.strip().startswith(f'<li class="row" id="t{gift}"')
    pages.desk.tickets.close(gift, by="agent:day.agent")
    assert 'class="row gone"' in client.get(f"/tickets/{gift}/row", headers=script).text
    rail = client.get("/rail", headers=script).text
    assert rail.strip().startswith('<nav class="rail"')
    assert re.search(r'href="/queues/case" title="Cases" aria-current="page"', rail)
    assert client.get("/tickets/999999/row").status_code == 404


@pytest.fixture
def crowd(pages: DeskPages) -> DeskPages:
    """More open tickets than a page has."""
    with pages.desk.store.transaction() as session:
        columns = (
            "kind, queue, state, relay_address, case_token, case_number, username, sender, subject, "
            "contact_reason, escalated, verified, opened_at, last_message_at, next_due, message_count, "
            "excerpt"
        )
        due = MORNING + timedelta(days=6)
        values = "'b@x.y', 's', 'other_question', 0, 1"
        for n in range(60):
            at = (due + timedelta(minutes=n)).strftime("%Y-%m-%d %H:%M:%S.000000")
            session.connection().exec_driver_sql(
                f"INSERT INTO ticket ({columns}) VALUES ('case', 'case', 'open', '', '', '', 'buyer.{n}', "
                f"{values}, '{at}', '{at}', '{at}', 1, '{'more words ' * 12}')"
            )
    return pages


def test_a_page_is_small_and_leads_to_the_next(crowd: DeskPages) -> None:
    client = crowd.client("day.agent")
    page = client.get("/queues/case")
    assert len(page.content) < LONGEST_PAGE
    assert groups(page.text)[-1] == "Due Tue 1 Dec 60"
    more = re.search(r'href="(/queues/case\?after=[^"]*)"', page.text)
    assert more is not None
    rest = client.get(more[1].replace("&amp;", "&"))
    assert not set(names(page.text)) & set(names(rest.text))
    assert len(names(page.text) + names(rest.text)) == 14 + 60
    assert groups(rest.text) == []  # their head stands on the page before


def test_lists_by_key_pointer_and_news(crowd: DeskPages, browser: Browser) -> None:
    with crowd.served() as address:
        context = signed_in(
            browser, address, crowd.token("desk.lead"), viewport={"width": 1440, "height": 900}
        )
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.goto("/")
        assert barriers(page) == []
        page.get_by_text("Kind", exact=True).click()
        page.get_by_role("checkbox", name="Claim").check()
        page.wait_for_url("**/?**kind=claim**")
        assert page.locator(".row").count() == 1
        assert barriers(page) == []
        page.goto("/")
        page.locator(".more-row a").click()
        expect(page.locator(".row")).not_to_have_count(40)
        first_new = page.locator(".row").nth(40).locator(".who > a")
        expect(first_new).to_be_focused()
        _takes_many(page, crowd)
        _hears_news(page, crowd)
        assert problems == []
        context.close()


def _takes_many(page: Page, pages: DeskPages) -> None:
    gift, sofa = number(pages, "gift.for.two"), number(pages, "velvet.sofa")
    page.goto("/")
    for ticket in (gift, sofa):
        page.locator(f"#t{ticket} .pick input").check()
    assert page.locator(".bulk output").inner_text() == "2 selected"
    assert barriers(page) == []
    page.get_by_role("button", name="Take").click()
    expect(page.locator(".pick :checked")).to_have_count(0)
    assert page.get_by_text("2 tickets taken.").first.is_visible()
    assert pages.desk.tickets.view(gift).ticket.assignee == "desk.lead"


def _hears_news(page: Page, pages: DeskPages) -> None:
    gift, sofa = number(pages, "gift.for.two"), number(pages, "velvet.sofa")
    pages.desk.tickets.close(sofa, by="agent:desk.lead")
    page.goto("/")
    page.locator("#list").hover(position={"x": 600, "y": 80})  # rows do not move under a pointer
    pages.desk.tickets.reopen(sofa, by="agent:desk.lead")
    page.evaluate("document.body.dispatchEvent(new Event('tickets'))")
    page.locator("#news button").wait_for()
    assert page.locator("#news").inner_text() == "1 new, due earlier · Show"
    assert page.locator(f"#t{sofa}").count() == 0
    page.locator("#news button").click()
    page.locator(f"#t{sofa}").wait_for()
    pages.desk.tickets.close(gift, by="agent:desk.lead")
    page.evaluate(f"document.body.dispatchEvent(new Event('ticket-{gift}'))")
    page.locator(f"#t{gift}.gone").wait_for()
    page.mouse.move(20, 700)  # away from the list
    page.locator(f"#t{gift}").wait_for(state="detached")


@pytest.mark.parametrize("form", ["dark", "phone"])
def test_lists_have_no_barriers_in_other_forms(pages: DeskPages, browser: Browser, form: str) -> None:
    size = {"width": 390, "height": 844} if form == "phone" else {"width": 1440, "height": 900}
    with pages.served() as address:
        token = pages.token("day.agent")
        how = {"viewport": size, "color_scheme": "dark" if form == "dark" else "light"}
        context = signed_in(browser, address, token, **how)
        page = context.new_page()
        page.goto("/")
        if form == "phone":
            assert page.locator(".rail .queues li:visible").count() == 5
            page.get_by_role("link", name="More").click()
            assert page.get_by_role("link", name="Mine").is_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        else:
            page.get_by_text("Anyone", exact=True).first.click()
        assert barriers(page) == []
        for path in ("/views/waiting", "/search?q=mug"):
            page.goto(path)
            assert barriers(page) == []
        context.close()
