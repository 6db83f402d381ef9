"""The pages of admins and leads: what each shows, changes and refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from relaydesk.store.lists import TicketFilter
from relaydesk_testkit.pages import barriers, signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from relaydesk_testkit.pages import DeskPages

ADMIN = "shop.admin"
PAGES = (
    *("agents", "agents/day.agent", "queues", "calendar", "templates", "templates/refund-done", "rules"),
    *("allowlist", "outbox", "refusals", "audit", "health", "settings", "settings/undo_seconds"),
)
FOR_LEADS = ("outbox", "refusals")


@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_for_its_role(pages: DeskPages, page: str) -> None:
    shown = pages.client(ADMIN).get(f"/admin/{page}")
    assert shown.status_code == 200, shown.text[-2000:]
    assert len(shown.content) < 60_000
    assert pages.client("day.agent").get(f"/admin/{page}").status_code == 403
    assert pages.client("desk.lead").get(f"/admin/{page}").status_code == (200 if page in FOR_LEADS else 403)


def test_an_agent_is_added_and_comes_in_by_the_link_that_is_shown_once(pages: DeskPages) -> None:
    client = pages.client(ADMIN)
    answer = client.post(
        "/admin/agents", data={"name": "new.agent", "role": "lead", "email": "n@shop.example"}
    )
    link = re.search(r"/enter/[\w-]+", answer.text)
    assert link is not None
    assert link[0] not in client.get("/admin/agents").text
    assert pages.nobody().get(link[0]).status_code in (200, 303)
    again = client.post("/admin/agents", data={"name": "new.agent", "role": "agent"})
    assert again.status_code == 409
    assert "already exists" in again.text
    assert 'value="new.agent"' in again.text


def test_the_tickets_of_who_leaves_go_where_the_admin_says(pages: DeskPages) -> None:
    client = pages.client(ADMIN)
    answer = client.post("/admin/agents/day.agent/deactivate", data={"tickets": "give", "to": "late.agent"})
    assert answer.status_code == 303
    roster = {each.agent.name: each for each in pages.desk.agents.roster(by="agent:shop.admin")}
    assert not roster["day.agent"].agent.active
    assert (roster["day.agent"].open, roster["late.agent"].open) == (0, 3)
    assert client.post("/admin/agents/shop.admin/deactivate").status_code == 409


def test_a_calendar_is_looked_at_before_it_is_stored(pages: DeskPages) -> None:
    client = pages.client(ADMIN)
    form = {"zone": "America/Los_Angeles", "region": "US", "at": "2026-11-25T10:42", "reading": "elapsed"}
    shown = client.post("/admin/calendar", data={**form, "act": "preview"})
    assert "Mon 30 Nov 10:42" in shown.text  # Thanksgiving and the weekend are skipped
    hours = {f"hours_{day}": "09:00-17:00" for day in ("mon", "tue", "wed", "thu", "fri")}
    narrow = client.post("/admin/calendar", data={**form, **hours, "act": "preview"})
    assert re.search(r"derives <b>\d+ running deadlines</b> again; \d+ would move", narrow.text)
    assert pages.desk.settings.editable("calendar", by="agent:shop.admin").version == 1
    moving = re.search(r'href="(/admin/calendar/moving[^"]+)"', narrow.text)
    assert moving is not None
    assert "Would be due" in client.get(moving[1].replace("&amp;", "&")).text
    stored = client.post(
        "/admin/calendar", data={**form, **hours, "act": "store", "version": "1", "why": "summer"}
    )
    assert stored.status_code == 303
    newest = pages.desk.settings.history("calendar", by="agent:shop.admin")[0]
    assert (newest.version, newest.why, newest.actor) == (2, "summer", "agent:shop.admin")


def test_a_wrong_calendar_is_refused_with_its_sentence_and_the_form_kept(pages: DeskPages) -> None:
    form = {"hours_mon": "9-5", "zone": "America/Los_Angeles", "act": "store", "version": "1"}
    answer = pages.client(ADMIN).post("/admin/calendar", data=form)
    assert answer.status_code == 409
    assert "9-5" in answer.text
    assert "hours" in answer.text


def test_of_two_admins_the_second_is_told_what_the_first_stored(pages: DeskPages) -> None:
    client = pages.client(ADMIN)
    assert (
        client.post("/admin/settings/undo_seconds", data={"value": "20", "version": "0"}).status_code == 409
    )
    for name, value in (("give_up_hours", "48"), ("give_up_hours", "24")):
        answer = client.post(
            f"/admin/settings/{name}", data={"value": value, "version": "0", "why": "faster"}
        )
    assert answer.status_code == 409
    assert "has changed give_up_hours meanwhile" in answer.text
    assert "48" in answer.text
    assert ">\n24</textarea>" in answer.text
    assert 'name="version" value="1"' in answer.text


def test_targets_are_changed_and_put_back(pages: DeskPages) -> None:
    client = pages.client(ADMIN)
    form = {"queue": "case", "answer": "1 business day", "evidence": "", "reading": "elapsed"}
    form |= {
        "warn_before": "2 business hours",
        "tighter": "return_request: 24 hours",
        "version": "0",
        "act": "store",
    }
    assert client.post("/admin/queues", data=form).status_code == 303
    assert "1 business day" in client.get("/admin/queues").text
    wrong = client.post("/admin/queues", data={**form, "answer": "soon", "version": "1"})
    assert (wrong.status_code, "queues.case.answer" in wrong.text) == (409, True)
    assert client.post("/admin/settings/queues/versions/0").status_code == 303
    assert "2 business days" in client.get("/admin/queues").text


def test_a_template_is_changed_previewed_and_reset(pages: DeskPages) -> None:
    client = pages.client(ADMIN)
    text = "---\ntitle: Refund\ndescription: A refund\n---\nHello {{ buyer.name }}, order {{ order.id }}.\n"
    shown = client.post("/admin/templates/refund-done", data={"value": text, "act": "preview"})
    assert "Hello alice" in shown.text or "Hello " in shown.text
    wrong = client.post(
        "/admin/templates/refund-done", data={"value": text + "{{ nobody.x }}", "act": "store"}
    )
    assert wrong.status_code == 409
    assert "line 6" in wrong.text
    assert (
        client.post("/admin/templates/refund-done", data={"value": text, "act": "store"}).status_code == 303
    )
    assert "order {{ order.id }}" in client.get("/admin/templates/refund-done").text
    assert client.post("/admin/settings/template.refund-done/versions/0").status_code == 303
    assert "order {{ order.id }}." not in client.get("/admin/templates/refund-done").text.split("Versions")[0]


def test_a_rule_of_the_shop_comes_first_and_is_taken_out(pages: DeskPages) -> None:
    client = pages.client(ADMIN)
    rule = {"name": "claim-decided", "kind": "notice", "subject": "^A claim was decided"}
    sample = {
        "sample_from": "no-reply@shopping.instagram.com",
        "sample_subject": "A claim was decided for order #1",
    }
    wrong = client.post("/admin/rules/new", data={**rule, **sample, "subject": "("})
    assert (wrong.status_code, "does not compile" in wrong.text) == (409, True)
    assert client.post("/admin/rules/new", data={**rule, **sample}).status_code == 303
    book = pages.desk.rulebook.book(by="agent:shop.admin")
    assert (book.rules[0].name, book.rules[0].own) == ("claim-decided", True)
    assert sum(rule.matched for rule in book.rules) > 10
    assert client.post("/admin/rules/claim-decided/remove").status_code == 303
    assert pages.desk.rulebook.book(by="agent:shop.admin").rules[0].name != "claim-decided"


def test_a_proposal_of_an_agent_is_put_in_force_once(pages: DeskPages) -> None:
    ticket = next(
        row
        for row in pages.desk.queues.page(TicketFilter(queue="unsorted"), limit=10).tickets
        if row.verified
    )
    words = pages.desk.rules.draft(ticket.id)
    number = pages.desk.rules.propose(ticket.id, None, words, "claim", by="agent:day.agent")
    lead, client = pages.client("desk.lead"), pages.client(ADMIN)
    assert "proposed" in client.get("/admin/rules").text
    assert pages.client("day.agent").post(f"/admin/proposals/{number}/accept").status_code == 403
    assert lead.post(f"/admin/proposals/{number}/accept").status_code == 303
    assert client.post(f"/admin/proposals/{number}/accept").status_code == 409
    rule = pages.desk.rulebook.book(by="agent:shop.admin").rules[0]
    assert (rule.name, rule.kind, rule.own) == (f"proposal-{number}", "claim", True)


def test_an_entry_of_the_allowlist_is_added_and_taken_out(pages: DeskPages) -> None:
    client = pages.client(ADMIN)
    wrong = client.post("/admin/allowlist/entries", data={"which": "networks", "entry": "10.0.0.0/99"})
    assert (wrong.status_code, "10.0.0.0/99" in wrong.text) == (409, True)
    entry = {"which": "networks", "entry": "192.0.2.0/24", "note": "new of Meta's"}
    assert client.post("/admin/allowlist/entries", data=entry).status_code == 303
    page = client.get("/admin/allowlist").text
    assert "192.0.2.0/24" in page
    assert "new of Meta&#39;s" in page
    gone = {"which": "networks", "entry": "192.0.2.0/24", "version": "1"}
    assert client.post("/admin/allowlist/entries/remove", data=gone).status_code == 303
    assert pages.desk.settings.editable("allowlist", by="agent:shop.admin").version == 2


def test_a_stored_message_is_tried_and_the_reading_is_on_record(pages: DeskPages) -> None:
    answer = pages.client(ADMIN).post("/admin/rules/try", data={"message": "1", "peer": "198.51.100.9"})
    assert answer.status_code == 200, answer.text[-1500:]
    assert "Would be refused" in answer.text  # no network of the list: no name server is asked
    assert pages.desk.audit_log.page(by="agent:shop.admin")[0].what == "raw_read"


def test_the_admins_day_in_a_browser(pages: DeskPages, browser: Browser) -> None:
    pages.app.state.checks = {
        "doctor": lambda _: [lambda: [{"check": "dkim", "level": "unchecked", "text": "No answer."}]]
    }
    with pages.served() as address:
        context = signed_in(browser, address, pages.token(ADMIN), viewport={"width": 1440, "height": 900})
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)

        page.goto("/admin/agents")
        page.get_by_label("Name", exact=True).fill("spring.helper")
        page.get_by_role("button", name="Add and show the link").click()
        assert "/enter/" in page.locator("#link").inner_text()

        page.goto("/admin/calendar")
        page.get_by_label("A mail that comes").fill("2026-11-25T10:42")
        page.get_by_label("Fri", exact=True).fill("10:00-12:00")
        page.get_by_label("Fri", exact=True).blur()
        page.locator("#preview", has_text="running deadlines").wait_for()

        page.goto("/admin/templates/refund-done")
        text = page.get_by_label("Text, with its head")
        text.fill(text.input_value() + "Kind regards from the mill.")
        page.locator("#preview", has_text="from the mill").wait_for()
        page.get_by_role("button", name="Put in force").click()
        page.locator(".toast", has_text="is stored and in use").wait_for()

        page.goto("/admin/rules")
        page.get_by_label("A message, or the number").fill("From: a@b.example\nSubject: Hello\n\nText")
        page.get_by_label("Came from").fill("198.51.100.9")
        page.get_by_role("button", name="Explain").click()
        page.locator("#tried", has_text="Would be refused").wait_for()

        page.goto("/admin/health")
        page.get_by_role("button", name="Check now").click()
        page.locator("#health", has_text="not checked").wait_for()
        assert problems == []

        for width, scheme in ((1440, "light"), (390, "dark")):
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=scheme)
            for name in PAGES:
                page.goto(f"/admin/{name}")
                assert barriers(page, looks=scheme == "dark") == [], (name, width, scheme)
                wide = page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                assert wide <= 0, (name, width)
        context.close()
