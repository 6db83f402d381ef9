"""Events by type: what each kind writes, and what rows of other versions are read as."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from relaydesk.events import PAYLOADS, ClockStopped, Event, NoteAdded, TicketMoved, UnreadPayload
from relaydesk.store import events, tickets
from relaydesk.store.tables import TicketEventTable, table
from relaydesk_testkit.arriving import NOON, open_ticket

if TYPE_CHECKING:
    from relaydesk.store.engine import Store

# Rows as release 0.1 wrote them, word and JSON text. They must be read for ever: add, never change.
OF_0_1 = """
opened {"message": 1, "reasons": ["aligned_dkim"], "kind": "case", "queue": "case"}
message {"message": 2, "reasons": ["aligned_dkim", "joins_thread"]}
duplicate {"message": 3, "reasons": ["replayed"]}
bounced {"message": 4, "reasons": ["bounce_of_answer"]}
escalated {"by": 2}
linked {"ticket": 1}
clock_started {"clock": "response", "round": 1, "due": "2026-11-26T12:00:00+00:00", \
"warn_at": "2026-11-26T04:00:00+00:00", "reading": "elapsed", "target": "48 hours", "queue": "case"}
clock_started {"clock": "handling", "round": 1, "due": "2026-11-26T12:00:00+00:00", \
"warn_at": null, "reading": "elapsed", "target": "48 hours", "queue": "case"}
clock_moved {"clock": "response", "round": 1, "due": "2026-11-25T12:00:00+00:00", \
"warn_at": "2026-11-25T04:00:00+00:00", "reading": "elapsed", "target": "24 hours", "queue": "claim"}
clock_stopped {"clock": "response", "round": 1, "how": "answered"}
clock_stopped {"clock": "response", "round": 2, "how": "answered_outside"}
clock_stopped {"clock": "handling", "round": 1, "how": "handled", "text": "asked the carrier"}
clock_reopened {"clock": "response", "round": 1, "why": "its answer came back undelivered"}
clock_withdrawn {"clock": "response", "round": 2, "why": "its answer came back undelivered"}
warned {"clock": "response", "round": 1}
breached {"clock": "response", "round": 1, "due": "2026-11-26T12:00:00+00:00"}
breach_withdrawn {"clock": "response", "round": 1}
answer_queued {"answer": 1, "message": 1, "purpose": "answer", "order": "368509000000001", \
"not_before": "2026-11-24T12:00:30+00:00"}
answer_queued {"answer": 2, "message": 1, "purpose": "forward", "order": null, \
"not_before": "2026-11-24T12:00:00+00:00"}
answer_sent {"answer": 1, "message": 1, "purpose": "answer", "hop": "mx.example"}
answer_deferred {"answer": 1, "code": 450, "until": "2026-11-24T13:00:00+00:00", "why": "Busy."}
answer_refused {"answer": 1, "code": 550, "why": ""}
answer_failed {"answer": 1, "why": "Given up."}
answer_cancelled {"answer": 1}
answer_swallowed {}
answer_cleaned {"answer": 1, "taken": ["Zendesk: [XYZ123-4ABC]"]}
answer_bounced {"answer": 1, "purpose": "answer", "hard": true, "status": "5.1.1", "message": 1}
answer_bounced {"answer": 1, "purpose": "automatic", "hard": null, "status": "", "message": 1}
no_order_confirmed {"answer": 1}
assigned {"agent": "bob"}
assigned {"agent": null}
note {"text": ""}
moved {"from": "case", "to": "claim"}
order_bound {"order": "368509000000001", "how": "mail"}
order_released {"order": "368509000000001"}
closed {"undecided": ["response"]}
closed {"undecided": []}
reopened {"why": ""}
clock_withdrawn {"clock": "evidence", "round": 1, "why": "queue case does not promise it"}
clock_withdrawn {"clock": "evidence", "round": 1, "why": "queue case does not promise it", "breached": true}
order_bound {"order": "368509000000001", "how": "directory"}
needs_look {"reason": "bounce_unclear", "answer": 1, "message": 4, "of": 0}
looked_at {}
"""
LATER = """
evidence {"item": "Invoice", "state": "there"}
evidence {"item": "Invoice", "state": "there", "name": "invoice.pdf", "sha256": "00"}
unlinked {"ticket": 7}
merged {"from": 3, "into": 7, "was": "open", "why": "the same order, 1"}
unmerged {"from": 3, "into": 7}
sorted {"from": "unsorted", "to": "claim"}
snoozed {"until": "2026-11-27T17:00:00+00:00"}
woken {}
junk {}
not_junk {}
rule_proposed {"proposal": 1, "message": 4, "kind": "claim"}
"""
"""Of kinds that came after it."""
ROWS = [tuple(line.split(" ", 1)) for line in (OF_0_1 + LATER).splitlines() if line]


def written(store: Store, ticket: int, what: str, data: object) -> Event:
    """The event that a row of these columns is read as."""
    row = {"ticket_id": ticket, "at": NOON, "noted_at": NOON, "what": what, "actor": "mail", "data": data}
    with store.transaction() as session:
        session.connection().execute(insert(table(TicketEventTable)), row)
    with store.reading() as session:
        return tickets.events(session, ticket)[-1][1]


def test_the_rows_cover_every_kind():
    assert {what for what, _ in ROWS} == set(PAYLOADS)


@pytest.mark.parametrize(("what", "text"), ROWS)
def test_it_reads_the_rows_of_each_release_and_writes_the_same(what: str, text: str):
    event = events.read_event(1, NOON, what, "mail", json.loads(text))
    assert type(event.payload) is PAYLOADS[what]
    assert not event.beyond
    assert event.what == what
    assert json.dumps(event.data) == text


@pytest.mark.parametrize(("what", "text"), ROWS)
def test_it_goes_through_the_store_unchanged(store: Store, what: str, text: str):
    ticket = open_ticket(store)
    event = events.read_event(ticket, NOON, what, "agent:alice", json.loads(text))
    with store.transaction() as session:
        events.append(session, [event], NOON)
    with store.reading() as session:
        assert tickets.events(session, ticket)[-1][1] == event
        newest = select(TicketEventTable.data).order_by(TicketEventTable.id.desc()).limit(1)
        assert session.execute(newest).scalar_one() == json.loads(text)


def test_moments_are_moments_and_lists_are_tuples():
    for what, text in ROWS:
        payload = events.read_event(1, NOON, what, "mail", json.loads(text)).payload
        for one in fields(payload):
            value = getattr(payload, one.name)
            assert not isinstance(value, list | dict)
            if one.name in ("due", "until", "not_before"):
                assert isinstance(value, datetime)
                assert value.utcoffset() == UTC.utcoffset(None)


def test_a_key_of_a_newer_version_is_kept(store: Store):
    ticket = open_ticket(store)
    event = written(store, ticket, "note", {"text": "called", "mood": "angry"})
    assert event.payload == NoteAdded("called")
    assert event.beyond == {"mood": "angry"}
    assert event.data == {"text": "called", "mood": "angry"}


def test_a_kind_of_a_newer_version_is_kept(store: Store):
    ticket = open_ticket(store)
    event = written(store, ticket, "refunded", {"amount": "3.50", "lines": [1, 2]})
    assert event.payload == UnreadPayload("refunded", {"amount": "3.50", "lines": [1, 2]})
    assert (event.what, event.data) == ("refunded", {"amount": "3.50", "lines": [1, 2]})


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("moved", {"to": "claim"}),
        ("breached", {"clock": "response", "round": 1, "due": "soon"}),
        ("breached", {"clock": "response", "round": 1, "due": None}),
        ("closed", {"undecided": 3}),
    ],
)
def test_a_form_of_a_newer_version_is_kept(store: Store, what: str, data: dict[str, object]):
    ticket = open_ticket(store)
    event = written(store, ticket, what, data)
    assert event.payload == UnreadPayload(what, data)
    assert (event.what, event.data) == (what, data)


def test_what_a_row_lacks_is_the_default():
    event = events.read_event(1, NOON, "clock_reopened", "mail", {"clock": "response"})
    assert event.data == {"clock": "response", "round": 1, "why": ""}


def test_from_is_written_under_its_own_word():
    assert Event(1, NOON, TicketMoved("case", "claim")).data == {"from": "case", "to": "claim"}


def test_what_was_done_is_written_only_where_it_was_said():
    assert Event(1, NOON, ClockStopped("handling", 2, how="handled")).data == {
        "clock": "handling",
        "round": 2,
        "how": "handled",
    }
