"""What an agent does with a ticket in the browser: buttons, sheets, keys, and the toast with its Undo."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from relaydesk.data import data_path
from relaydesk.store import TicketFilter
from relaydesk_testkit.pages import barriers, signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from relaydesk.store import TicketRow
    from relaydesk_testkit.pages import DeskPages

HTMX = {"HX-Request": "true"}
KEYS = data_path("templates") / "desk" / "static" / "script" / "keys.js"


def numbers(pages: DeskPages) -> dict[str, int]:
    """The open tickets by buyer; ``unsorted`` is the one that no rule knows."""
    rows = pages.desk.queues.page(TicketFilter(), limit=100).tickets
    named = {row.username: row.id for row in rows if row.username}
    return {**named, "unsorted": next(r.id for r in rows if r.kind == "unsorted" and r.verified)}


def row(pages: DeskPages, ticket: int) -> TicketRow:
    return pages.desk.tickets.view(ticket, most=0).ticket


def told(pages: DeskPages, ticket: int) -> list[str]:
    return [event.what for _, event in pages.desk.tickets.view(ticket, most=0).events]


def test_an_act_is_done_without_a_script_and_said_on_the_next_page(pages: DeskPages) -> None:
    ticket, client = numbers(pages)["night.reader"], pages.client("day.agent")
    response = client.post(f"/tickets/{ticket}/take")
    assert (response.status_code, response.headers["location"]) == (303, f"/tickets/{ticket}")
    page = client.get(f"/tickets/{ticket}/acts").text
    assert f"You have #{ticket} now." in page
    undo = re.search(r'action="(/undo/\d+)"', page)
    assert undo is not None
    assert f"You have #{ticket} now." not in client.get(f"/tickets/{ticket}/acts").text
    assert client.post(undo[1]).status_code == 303
    assert row(pages, ticket).assignee is None


def test_a_page_of_htmx_stays_and_is_told_what_has_changed(pages: DeskPages) -> None:
    ticket, client = numbers(pages)["night.reader"], pages.client("day.agent")
    response = client.post(f"/tickets/{ticket}/take", headers=HTMX)
    assert response.status_code == 204
    events = json.loads(response.headers["hx-trigger"])
    assert set(events) == {"toast", f"ticket-{ticket}", "tickets", "counts"}
    assert events["toast"]["undo"].startswith("/undo/")
    part = client.get(f"/tickets/{ticket}/acts", headers=HTMX).text
    assert "<html" not in part
    assert f'hx-trigger="ticket-{ticket} from:body"' in part


def test_after_closing_the_next_deadline_comes_and_says_what_became_of_the_clock(pages: DeskPages) -> None:
    ticket, client = numbers(pages)["lamp_lover"], pages.client("day.agent")
    response = client.post(f"/tickets/{ticket}/close", headers=HTMX)
    following = response.headers["hx-redirect"]
    other = row(pages, int(following.rpartition("/")[2]))
    assert (other.queue, other.assignee in (None, "day.agent")) == ("case", True)
    page = client.get(f"{following}/acts").text
    assert f"#{ticket} closed; its clock counts as undecided, neither met nor breached." in page


@pytest.mark.parametrize("act", ["assign", "move", "snooze", "merge", "order", "sort", "junk"])
def test_each_sheet_is_a_page_and_a_dialog(pages: DeskPages, act: str) -> None:
    ticket, client = numbers(pages)["mug.collector"], pages.client("day.agent")
    whole = client.get(f"/tickets/{ticket}/{act}")
    assert whole.status_code == 200
    assert '<section class="dialog act"' in whole.text
    alone = client.get(f"/tickets/{ticket}/{act}", headers=HTMX).text
    assert alone.strip().startswith("<dialog")
    assert client.get(f"/tickets/4711/{act}").status_code == 404
    assert client.get(f"/tickets/{ticket}/nonsense").status_code == 404


def test_what_is_refused_says_why_and_changes_nothing(pages: DeskPages) -> None:
    known, client = numbers(pages), pages.client("day.agent")
    ticket, others = known["mug.collector"], known["poster.fan"]
    for path, form, status, why in (
        (f"{ticket}/move", {"queue": "claim", "why": " "}, 409, "say why"),
        (f"{ticket}/move", {"queue": "nowhere", "why": "x"}, 404, "There is no queue nowhere"),
        (f"{ticket}/snooze", {"until": "soon"}, 409, "choose until when"),
        (f"{ticket}/snooze", {"until": "2026-11-25T10:00"}, 409, "is past"),
        (f"{ticket}/merge", {"other": "abc"}, 409, "is no number of a ticket"),
        (f"{ticket}/merge", {"other": f"#{others}"}, 409, "neither a relay address nor an order"),
        (f"{others}/take", {}, 403, "needs the role lead or admin"),
        (f"{ticket}/junk", {}, 403, "needs the role lead or admin"),
        (f"{ticket}/sort", {}, 409, "Choose what it is"),
        (f"{ticket}/order", {}, 409, "No order was bound"),
        (f"{ticket}/release", {"order": "1"}, 409, "is not bound"),
        (f"{ticket}/wake", {}, 409, "You have not snoozed"),
        (f"{ticket}/looked", {}, 409, "Nothing on ticket"),
        (f"{ticket}/reopen", {}, 409, "already open"),
        (f"{ticket}/unmerge", {}, 409, "is not merged"),
    ):
        before = told(pages, ticket)
        response = client.post(f"/tickets/{path}", data=form)
        assert (response.status_code, why in response.text) == (status, True), path
        assert told(pages, ticket) == before
    assert client.post("/undo/4711").status_code == 409


def test_tickets_of_one_order_are_linked_and_merged_and_parted(pages: DeskPages) -> None:
    known, client = numbers(pages), pages.client("day.agent")
    first, second = known["carla.returns"], known["handgemachte.keramik.liebhaberin.2026"]  # one order
    assert f'value="{second}"' in client.get(f"/tickets/{first}/merge").text
    assert f'Unlink<span class="vh"> #{second}' in client.get(f"/tickets/{first}/merge").text  # as mail came
    assert client.post(f"/tickets/{first}/unlink", data={"other": str(second)}).status_code == 303
    assert client.post(f"/tickets/{first}/link", data={"other": str(second)}).status_code == 303
    merged = client.post(f"/tickets/{first}/link", data={"other": f"#{second}", "merge": "yes"})
    assert merged.headers["location"] == f"/tickets/{second}"
    assert f"Merged into #{second}" in client.get(f"/tickets/{first}/acts").text
    assert client.post(f"/tickets/{first}/close").status_code == 409
    assert client.post(f"/tickets/{first}/unmerge").status_code == 303
    assert row(pages, first).open
    assert told(pages, first)[-4:] == ["unlinked", "linked", "merged", "unmerged"]


def test_a_snoozed_ticket_leaves_the_list_of_who_snoozed_it(pages: DeskPages) -> None:
    ticket, client = numbers(pages)["night.reader"], pages.client("day.agent")
    assert client.post(f"/tickets/{ticket}/snooze", data={"choice": "tomorrow"}).status_code == 303
    assert "night.reader" not in client.get("/").text
    assert "night.reader" in pages.client("late.agent").get("/").text
    page = client.get(f"/tickets/{ticket}/acts").text
    assert "Snoozed until Fri 27 Nov 09:00" in page
    client.post(f"/tickets/{ticket}/wake")
    assert "night.reader" in client.get("/").text
    until = {"until": "2026-11-25T15:30"}  # where the agent is
    client.post(f"/tickets/{ticket}/snooze", data=until)
    assert "Snoozed until Wed 25 Nov 15:30" in client.get(f"/tickets/{ticket}/acts").text


def press(page: Page, key: str) -> None:
    """A key of the map; as long as no script reads keys, what stands behind it."""
    if KEYS.exists():
        page.keyboard.press(key)
    else:
        page.locator(f"[data-key={key}]").first.click()


def test_the_agents_acts_in_a_real_browser(pages: DeskPages, browser: Browser) -> None:
    known = numbers(pages)
    with pages.served() as address:
        context = signed_in(browser, address, pages.token("day.agent"))
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        toast = page.locator("#toast")
        ticket = known["night.reader"]

        page.goto(f"/tickets/{ticket}/acts")
        press(page, "i")
        toast.get_by_text(f"You have #{ticket} now.").wait_for()
        assert page.locator("#said").inner_text() == f"You have #{ticket} now."
        page.locator("summary", has_text="You").wait_for()
        assert barriers(page) == []
        press(page, "z")
        page.get_by_text("Nobody has it").wait_for()
        assert row(pages, ticket).assignee is None

        press(page, "a")
        page.get_by_role("button", name="late.agent").wait_for()
        assert barriers(page) == []
        page.get_by_role("button", name="day.agent", exact=False).or_(
            page.get_by_role("button", name="Take it")
        ).first.click()
        toast.get_by_text("You have").wait_for()

        page.locator(".acts-head summary").click()
        page.get_by_text("Move to another queue").first.click()
        page.locator("dialog[open] select").select_option("claim")
        page.locator("dialog[open] textarea").fill("The buyer opened a claim")
        assert barriers(page) == []
        page.get_by_role("button", name="Move it").click()
        toast.get_by_text("is in claim now").wait_for()
        assert page.locator("dialog[open]").count() == 0
        assert (row(pages, ticket).queue, told(pages, ticket).count("moved")) == ("claim", 1)

        press(page, "e")
        page.wait_for_url(re.compile(rf"/tickets/(?!{ticket}\b)\d+|/$"))
        page.goto(f"/tickets/{known['lamp_lover']}/acts")
        assert not row(pages, ticket).open
        assert problems == []
        context.close()


def test_close_is_undone_from_the_next_page_by_its_toast(pages: DeskPages, browser: Browser) -> None:
    known = numbers(pages)
    ticket = known["lamp_lover"]
    with pages.served() as address:
        context = signed_in(browser, address, pages.token("day.agent"))
        page = context.new_page()
        page.goto(f"/tickets/{ticket}/acts")
        with page.expect_response(re.compile("/close")) as answer:
            press(page, "e")
        assert answer.value.headers["hx-redirect"]
        page.wait_for_url(re.compile(r"/tickets/\d+$"))
        toast = page.locator("#toast")
        if not toast.is_visible():  # there is no page of a ticket yet
            page.goto("/")
        toast.get_by_text(f"#{ticket} closed").wait_for()
        with page.expect_response(re.compile("/undo/")):
            press(page, "z")
        page.wait_for_url(re.compile(rf"/tickets/{ticket}$"))
        assert row(pages, ticket).open
        context.close()


def test_unsorted_mail_becomes_a_claim_and_its_rule_is_proposed(pages: DeskPages, browser: Browser) -> None:
    ticket = numbers(pages)["unsorted"]
    with pages.served() as address:
        for how in (
            {"viewport": {"width": 390, "height": 844}, "has_touch": True},
            {"color_scheme": "dark"},
            {"color_scheme": "light"},
        ):
            context = signed_in(browser, address, pages.token("day.agent"), **how)
            page = context.new_page()
            page.goto(f"/tickets/{ticket}/acts")
            assert barriers(page) == [], how
            if "has_touch" in how:
                page.locator(".dock summary").click()
                assert barriers(page) == []
                page.locator(".dock").get_by_text("Snooze for yourself").click()
                page.locator("dialog[open]").wait_for()
                assert barriers(page) == []
            if how != {"color_scheme": "light"}:
                context.close()
        page.get_by_label("Subject has").fill("Your statement of …")
        page.get_by_text("Fits 0 of the last").wait_for()
        page.get_by_label("Subject has").fill("A claim was updated for order #…")
        page.get_by_text("Fits 1 of the last").wait_for()
        page.locator(".choice label", has_text="Claim").click()
        page.get_by_role("button", name="propose the rule").click()
        page.wait_for_url(re.compile(rf"/tickets/{ticket}$"))
        context.close()
    assert (row(pages, ticket).kind, row(pages, ticket).needs_look) == ("claim", None)
    (proposal,) = pages.desk.rules.proposals()
    assert (proposal.kind, proposal.ticket_id) == ("claim", ticket)
    assert told(pages, ticket)[-1] != "opened"
