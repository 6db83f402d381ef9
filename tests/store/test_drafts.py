"""Drafts with files, what was sent and comes back, and evidence: on both engines."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from relaydesk.desk.answers import Written
from relaydesk.desk.config import DeskError
from relaydesk.outbound.answer import AnswerRefused
from relaydesk.outbound.old_drafts import prune_drafts
from relaydesk.store import outbox
from relaydesk.store.outbox_rows import DeliveryOutcome
from relaydesk_testkit.arriving import NOON, ORDER, candidate, open_ticket
from tests.support.desk import ALICE, BOB, desk, events

if TYPE_CHECKING:
    from relaydesk.desk.answers import Queued
    from relaydesk.desk.desk import Desk
    from relaydesk.store.engine import Store

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
DAY = timedelta(days=1)


@pytest.fixture
def ticket(store: Store) -> int:
    return open_ticket(store, candidates=(candidate(),), bind_orders=(ORDER,))


def write(here: Desk, ticket: int, token: str, text: str = "It is on its way.", **more: object) -> Queued:
    """As the page does it: the draft's files go with it."""
    seen = here.tickets.latest_event(ticket)
    files = here.drafts.enclosed(ticket, by=ALICE)
    written = Written(text, enclosures=files, token=token, on_page=True, **more)  # type: ignore[arg-type]
    return here.answers.write(ticket, written, seen=seen, by=ALICE)


def begun(store: Store, ticket: int, text: str = "It is on its way.") -> Desk:
    here = desk(store)
    here.drafts.save(ticket, text, by=ALICE)
    here.drafts.attach(ticket, [("label.pdf", PDF)], by=ALICE)
    return here


def names(here: Desk, ticket: int, by: str = ALICE) -> list[str]:
    draft = here.drafts.read(ticket, by=by)
    return [file.name for file in draft.files] if draft else []


def test_each_agent_has_a_draft_of_their_own_that_outlives_the_desk(store: Store, ticket: int) -> None:
    begun(store, ticket)
    kept = desk(store).drafts.read(ticket, by=ALICE)
    assert kept is not None
    assert (kept.text, [file.name for file in kept.files]) == ("It is on its way.", ["label.pdf"])
    assert desk(store).drafts.read(ticket, by=BOB) is None


def test_files_are_bounded_and_refused_with_the_reason(store: Store, ticket: int) -> None:
    here = desk(store, attachment_bytes=len(PDF))
    with pytest.raises(AnswerRefused, match=r"page\.html"):
        here.drafts.attach(ticket, [("page.html", b"<html></html>")], by=ALICE)
    with pytest.raises(AnswerRefused, match="at most"):
        here.drafts.attach(ticket, [("big.pdf", PDF + b" ")], by=ALICE)
    with pytest.raises(DeskError, match="at most 20 files"):
        here.drafts.attach(ticket, [(f"{number}.pdf", PDF) for number in range(21)], by=ALICE)
    assert here.drafts.read(ticket, by=ALICE) is None


def test_a_discarded_draft_comes_back_unless_another_was_begun(store: Store, ticket: int) -> None:
    here = begun(store, ticket)
    assert here.drafts.discard(ticket, by=ALICE)
    assert here.drafts.read(ticket, by=ALICE) is None
    assert here.drafts.enclosed(ticket, by=ALICE) == ()
    assert here.tickets.view(ticket).drafts == ()
    here.drafts.save(ticket, " ", by=ALICE)  # what the page saved last comes after it
    here.drafts.restore(ticket, by=ALICE)
    assert names(here, ticket) == ["label.pdf"]
    here.drafts.discard(ticket, by=ALICE)
    here.drafts.save(ticket, "Another.", by=ALICE)
    with pytest.raises(DeskError, match="another was begun"):
        here.drafts.restore(ticket, by=ALICE)
    assert names(here, ticket) == []


def test_files_without_a_text_can_be_discarded_and_come_back(store: Store, ticket: int) -> None:
    here = desk(store)
    here.drafts.attach(ticket, [("label.pdf", PDF)], by=ALICE)
    assert here.drafts.discard(ticket, by=ALICE)
    assert names(here, ticket) == []
    here.drafts.restore(ticket, by=ALICE)
    assert names(here, ticket) == ["label.pdf"]
    assert not here.drafts.discard(ticket, by=BOB)


def test_an_answer_taken_back_is_a_draft_again_with_its_files(store: Store, ticket: int) -> None:
    here = begun(store, ticket)
    queued = write(here, ticket, "one")
    assert b"label.pdf" in queued.raw
    assert here.drafts.read(ticket, by=ALICE) is None
    assert [answer.answer for answer in here.drafts.leaving(by=ALICE)] == [queued.answer]
    assert here.drafts.leaving(by=BOB) == ()
    here.drafts.save(ticket, "Begun since.", by=ALICE)
    here.answers.take_back(queued.answer, by=ALICE)
    kept = here.drafts.read(ticket, by=ALICE)
    assert kept is not None
    assert kept.text == "Begun since.\n\nIt is on its way."
    assert names(here, ticket) == ["label.pdf"]
    assert here.drafts.leaving(by=ALICE) == ()
    with pytest.raises(DeskError, match="cancelled"):
        here.answers.take_back(queued.answer, by=ALICE)


def test_a_ticket_closed_with_its_answer_opens_when_that_is_taken_back(store: Store, ticket: int) -> None:
    here = begun(store, ticket)
    queued = write(here, ticket, "one", closes=True)
    assert not here.tickets.view(ticket).ticket.open
    here.answers.take_back(queued.answer, by=ALICE)
    assert here.tickets.view(ticket).ticket.open
    again = write(here, ticket, "two", closes=True)
    here.tickets.reopen(ticket, by=BOB)
    here.tickets.close(ticket, by=BOB)
    here.answers.take_back(again.answer, by=ALICE)
    assert not here.tickets.view(ticket).ticket.open  # Bob closed it since


def test_an_answer_that_was_lost_is_written_again(store: Store, ticket: int) -> None:
    here = begun(store, ticket)
    queued = write(here, ticket, "one")
    later = NOON + DAY
    for keeps in (True, False):  # what it was written as, else from its bytes
        with store.transaction() as session:
            [claimed] = outbox.claim(session, "test", later, timedelta(minutes=15), 1)
            outbox.refused(session, claimed, DeliveryOutcome(later, 550, "5.7.1", "no"))
        if not keeps:
            with store.transaction() as session:
                session.connection().exec_driver_sql("DELETE FROM written_answer")
                session.connection().exec_driver_sql("DELETE FROM draft_file")
            here.drafts.finish(ticket, by=ALICE)
        assert here.answers.take_back(queued.answer, by=ALICE).state == "refused"
        draft = here.drafts.read(ticket, by=ALICE)
        assert draft is not None
        assert draft.text.startswith("It is on its way.")
        assert names(here, ticket) == ["label.pdf"]
        here.answers.retry(queued.answer, by=ALICE)
        later += DAY


def test_a_form_sent_by_two_threads_is_one_answer_and_leaves_no_draft(store: Store, ticket: int) -> None:
    here = begun(store, ticket)
    seen = here.tickets.latest_event(ticket)
    files = here.drafts.enclosed(ticket, by=ALICE)
    written = Written("It is on its way.", enclosures=files, token="one", on_page=True)
    barrier, outcomes = threading.Barrier(2), list[str]()

    def send() -> None:
        barrier.wait()
        try:
            here.answers.write(ticket, written, seen=seen, by=ALICE)
            outcomes.append("sent")
        except AnswerRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "sent"]
    assert len(here.outbox.newest()) == 1
    here.drafts.save(ticket, "It is on its way.", by=ALICE, token="one")  # saved last, arrives late
    assert here.drafts.read(ticket, by=ALICE) is None
    assert here.drafts.sent_as("one", by=ALICE) is not None
    assert here.drafts.sent_as("one", by=BOB) is None


def test_what_came_meanwhile_is_named(store: Store, ticket: int) -> None:
    here = desk(store)
    seen = here.tickets.latest_event(ticket)
    here.answers.write(ticket, Written("First."), seen=seen, by=BOB)
    changes = here.answers.changes(ticket, seen, by=ALICE)
    assert [(change.what, change.actor) for change in changes] == [("answer", BOB)]
    with pytest.raises(AnswerRefused, match="has changed since"):
        here.answers.write(ticket, Written("Second.", token="x", on_page=True), seen=seen, by=ALICE)
    kept = here.drafts.read(ticket, by=ALICE)
    assert kept is not None
    assert kept.text == "Second."
    assert here.answers.changes(ticket, here.tickets.latest_event(ticket), by=ALICE) == ()


def test_a_page_is_not_told_of_options(store: Store) -> None:
    ticket, here = open_ticket(store), desk(store)
    seen = here.tickets.latest_event(ticket)
    with pytest.raises(AnswerRefused, match="tick that there is no order number"):
        here.answers.write(ticket, Written("Text.", on_page=True), seen=seen, by=ALICE)
    here.tickets.close(ticket, by=ALICE)
    with pytest.raises(AnswerRefused, match="is closed; reopen it first\\. Your text"):
        here.answers.write(ticket, Written("Text.", on_page=True), seen=seen, by=ALICE)


def test_notes_have_drafts(store: Store, ticket: int) -> None:
    here = desk(store)
    here.drafts.save_note(ticket, "Called the depot", by=ALICE)
    assert (here.drafts.note(ticket, by=ALICE), here.drafts.note(ticket, by=BOB)) == ("Called the depot", "")
    here.drafts.save_note(ticket, "", by=ALICE)
    assert here.drafts.note(ticket, by=ALICE) == ""


def test_the_office_drops_what_nobody_comes_back_to(store: Store, ticket: int) -> None:
    here, other = (
        begun(store, ticket),
        open_ticket(store, name="bea"),
    )
    queued = write(here, ticket, "one")
    here.drafts.save(other, "Old.", by=ALICE)
    here.drafts.save(other, "Discarded.", by=BOB)
    here.drafts.save_note(other, "Old note.", by=ALICE)
    here.drafts.discard(other, by=BOB)
    assert prune_drafts(store, NOON + timedelta(hours=1)) == 0
    assert prune_drafts(store, NOON + 2 * DAY) == 1
    with pytest.raises(DeskError):
        here.drafts.restore(other, by=BOB)
    here.answers.take_back(queued.answer, by=ALICE)  # it still waited, so it was kept
    assert names(here, ticket) == ["label.pdf"]
    assert prune_drafts(store, NOON + 91 * DAY) == 3
    assert here.drafts.read(other, by=ALICE) is None
    assert names(here, ticket) == []


def test_evidence_is_bounded(store: Store, ticket: int, monkeypatch: pytest.MonkeyPatch) -> None:
    here = desk(store)
    with pytest.raises(DeskError, match=r"film\.mp4 has 16,000,001 bytes; at most 16,000,000 are kept"):
        here.evidence.add(ticket, "Film", "film.mp4", bytes(16_000_001), by=ALICE)
    monkeypatch.setattr("relaydesk.desk.evidence.MOST_BYTES", 2 * len(PDF))
    for item in ("first", "second"):
        here.evidence.add(ticket, item, "a.pdf", PDF, by=ALICE)
    with pytest.raises(DeskError, match="all the evidence that is kept"):
        here.evidence.add(ticket, "third", "a.pdf", PDF, by=ALICE)
    for number in range(98):
        here.evidence.mark(ticket, f"item {number}", "missing", by=ALICE)
    with pytest.raises(DeskError, match="100 entries"):
        here.evidence.mark(ticket, "one more", "missing", by=ALICE)


def test_evidence_is_kept_once_by_its_content_and_told_in_events(store: Store, ticket: int) -> None:
    here = desk(store)
    first = here.evidence.add(ticket, "Proof of shipment", "receipt.pdf", PDF, by=ALICE)
    assert here.evidence.add(ticket, "Proof of shipment", "receipt.pdf", PDF, by=ALICE) == first  # came twice
    second = here.evidence.add(ticket, "Invoice", "../invoice.pdf", PDF, by=BOB)
    here.evidence.mark(ticket, "Refund already given", "not_needed", by=ALICE)
    with store.reading() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM evidence_file").scalar() == 1
    row, content = here.evidence.file(second)
    assert (content, "/" in row.name, row.size) == (PDF, False, len(PDF))
    assert len(list(here.evidence.files(ticket))) == 2
    noted = [event.data for event in events(store, ticket) if event.what == "evidence"]
    assert [(one["item"], bool(one.get("name"))) for one in noted] == [
        ("Proof of shipment", True),
        ("Invoice", True),
        ("Refund already given", False),
    ]
    assert noted[0]["sha256"] == row.sha256
    with pytest.raises(DeskError, match="no evidence file"):
        here.evidence.file(here.evidence.of_ticket(ticket)[-1].id)
