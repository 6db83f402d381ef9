"""The outbox: what is to go out, who is sending it just now, and how it ended.

A row is written with the event that makes it true. It is claimed under a lease, and an outcome is written
only by the claim that holds the row. One outcome is a fact whoever tells it: a 250 of the hop counts also
when the lease had run out meanwhile.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, text, update

from relaydesk.events import (
    AnswerCancelled,
    AnswerDeferred,
    AnswerFailed,
    AnswerQueued,
    AnswerRejected,
    AnswerSent,
    Event,
)
from relaydesk.store import events, raw_bytes, search
from relaydesk.store.contention import Claims, engine_of
from relaydesk.store.outbox_rows import UNDECIDED, Claimed, DeliveryOutcome, OutboxRow, Outgoing
from relaydesk.store.tables import OutboxTable, table

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Select, TextClause
    from sqlmodel import Session

    from relaydesk.events import OfAnswer
    from relaydesk.store.outbox_rows import AnswerState, Finished

O = table(OutboxTable).c  # noqa: E741 - as every table here has its letter
_NEW = insert(table(OutboxTable))
_UNDECIDED = O.state.in_(UNDECIDED)
MOST_BYTES = 48 << 20
"""So many bytes of messages are claimed at one time: they are in memory until they are sent."""
_CLAIMS = Claims(OutboxTable, undecided=UNDECIDED, working="sending")
_ROW = [O[field.name] for field in fields(OutboxRow)]
_LATER = ("raw", "lapsed")  # what a claim does not read of its row
_CLAIMED = [O[field.name] for field in fields(Claimed) if field.name not in _LATER]
_NUMBER: dict[str, TextClause] = {
    "sqlite": text("UPDATE outbox_number SET last = last + 1 RETURNING last"),
    "postgresql": text("SELECT nextval(pg_get_serial_sequence('outbox', 'id'))"),
}


def next_number(session: Session) -> int:
    """A number for a row to come, which nobody gets again; lost when the row is never written.

    It is sealed into the bounce address and the Message-ID, so the bytes can be made between two
    transactions: the one that takes the number, and the one that puts the row.
    """
    return int(session.connection().execute(_NUMBER[engine_of(session)]).scalar_one())


def put(session: Session, number: int, outgoing: Outgoing, finished: Finished, now: datetime) -> None:
    """Writes row ``number`` and its ``answer_queued``, in the caller's transaction.

    Conflict when the Message-ID or the submission exists.
    """
    row = {
        "id": number,
        "purpose": outgoing.purpose,
        "ticket_id": outgoing.ticket,
        "message_id": outgoing.message,
        "author": outgoing.author,
        "recipient": outgoing.recipient,
        "envelope_from": finished.envelope_from,
        "rfc_message_id": finished.rfc_message_id,
        "handed_in": outgoing.handed_in,
        "order_id": outgoing.order_id,
        "subject": finished.subject,
        "state": "queued",
        "created_at": now,
        "not_before": outgoing.not_before,
        "next_try_at": outgoing.not_before,
        "give_up_at": outgoing.give_up_at,
        "attempts": 0,
        "last_code": 0,
        "last_text": "",
        "hop": "",
        "raw": finished.raw,
    }
    session.connection().execute(_NEW, row)
    _tell_queued(session, number, outgoing, now)
    if outgoing.purpose != "forward":
        search.will_index(session, "answer", number)
    raw_bytes.written(session, finished.raw)


def _tell_queued(session: Session, answer: int, outgoing: Outgoing, now: datetime) -> None:
    queued = AnswerQueued(
        answer, outgoing.message, outgoing.purpose, outgoing.order_id, not_before=outgoing.not_before
    )
    events.append(session, [Event(outgoing.ticket, now, queued, outgoing.author)], now)


def anything_due(session: Session, now: datetime) -> bool:
    """Whether a claim could find something."""
    return _CLAIMS.any_due(session, now)


def claim(  # noqa: PLR0913 - whose, from when, for how long, how many, how much
    session: Session, worker: str, now: datetime, lease: timedelta, limit: int, *, most: int = MOST_BYTES
) -> tuple[Claimed, ...]:
    """Up to ``limit`` rows whose time has come or whose lease ran out, now ``worker``'s for the lease.

    No more than come to ``most`` bytes, but for the first. Their bytes are not read yet (:func:`with_raw`):
    they would be read while no other may write.
    """
    rows = _CLAIMS.take(
        session,
        worker,
        now=now,
        lease=lease,
        limit=limit,
        returning=_CLAIMED,
        size=func.length(O.raw),
        most=most,
    )
    return tuple(Claimed(**row._mapping, lapsed=lapsed) for row, lapsed in rows)


def with_raw(session: Session, claimed: Claimed) -> Claimed:
    """The same with the bytes to send."""
    return replace(claimed, raw=raw(session, claimed.id) or b"")


def delivered(session: Session, claimed: Claimed, outcome: DeliveryOutcome, hop: str, now: datetime) -> bool:
    """The hop took it with its 250. False when a 250 was written down before.

    This needs no lease: the message has left, whoever was to send it next. What else stops or starts then is
    the caller's business, in the same transaction.
    """
    values = {
        "state": "sent",
        "sent_at": outcome.at,
        "hop": hop,
        "last_code": outcome.code,
        "last_text": outcome.text,
        "lease_by": None,
        "lease_until": None,
        "needs_look_since": None,
    }
    statement = update(table(OutboxTable)).where(O.id == claimed.id, O.state.not_in(("sent", "bounced")))
    if session.connection().execute(statement.values(values)).rowcount != 1:
        return False
    sent = AnswerSent(claimed.id, claimed.message_id, claimed.purpose, hop)
    events.append(session, [Event(claimed.ticket_id, outcome.at, sent, claimed.author)], now)
    return True


def put_off(session: Session, claimed: Claimed, outcome: DeliveryOutcome, until: datetime) -> bool:
    """It is tried again at ``until``. False when the lease was lost."""
    deferred = AnswerDeferred(claimed.id, outcome.code, until, outcome.why)
    return _end(session, claimed, outcome, deferred, state="deferred", next_try_at=until)


def refused(session: Session, claimed: Claimed, outcome: DeliveryOutcome) -> bool:
    """It will not be delivered as it is. The code is 0 when our own last check refused it."""
    rejected = AnswerRejected(claimed.id, outcome.code, outcome.why)
    return _end(session, claimed, outcome, rejected, state="refused")


def failed(session: Session, claimed: Claimed, outcome: DeliveryOutcome) -> bool:
    """Its give-up time has passed."""
    return _end(session, claimed, outcome, AnswerFailed(claimed.id, outcome.why), state="failed")


def _end(
    session: Session,
    claimed: Claimed,
    outcome: DeliveryOutcome,
    payload: OfAnswer,
    *,
    state: AnswerState,
    **values: Any,
) -> bool:
    """Ends a claim with an outcome and its event, if the claim still holds the row."""
    values |= {"state": state, "last_code": outcome.code, "last_text": outcome.text}
    if state in ("refused", "failed"):
        values["needs_look_since"] = outcome.at
    if not _CLAIMS.end(session, claimed, **values):
        return False
    events.append(session, [Event(claimed.ticket_id, outcome.at, payload)], outcome.at)
    return True


def cancel(session: Session, answer: int, *, actor: str, now: datetime) -> bool:
    """Takes it back while it waits. False when it is being sent, has left or was decided otherwise."""
    statement = (
        update(table(OutboxTable))
        .where(O.id == answer, O.state.in_(("queued", "deferred")))
        .values(state="cancelled")
        .returning(O.ticket_id)
    )
    ticket = session.connection().execute(statement).scalar()
    if ticket is None:
        return False
    events.append(session, [Event(ticket, now, AnswerCancelled(answer), actor)], now)
    return True


def retry(session: Session, answer: int, *, give_up_at: datetime, actor: str, now: datetime) -> bool:
    """Has a deferred, refused or failed one tried again now, the same bytes. False for any other."""
    statement = (
        update(table(OutboxTable))
        .where(O.id == answer, O.state.in_(("deferred", "refused", "failed")))
        .values(state="queued", not_before=now, next_try_at=now, give_up_at=give_up_at, needs_look_since=None)
    )
    if session.connection().execute(statement).rowcount != 1:
        return False
    again = row(session, answer)
    if again is None:
        return False
    outgoing = Outgoing(
        again.purpose,
        again.ticket_id,
        again.message_id,
        actor,
        again.recipient,
        again.order_id,
        again.not_before,
        give_up_at,
    )
    _tell_queued(session, answer, outgoing, now)
    return True


def mark_bounced(session: Session, answer: int) -> bool:
    """A hard bounce of a sent answer came. The caller tells it with its event. False when none was sent."""
    statement = update(table(OutboxTable)).where(O.id == answer, O.state == "sent").values(state="bounced")
    return session.connection().execute(statement).rowcount == 1


def note_returned(session: Session, answer: int, about: str, look_since: datetime | None) -> None:
    """What a bounce of it was about, and since when a person must look at it, None when nobody need."""
    values: dict[str, Any] = {"returned": about}
    if look_since is not None:
        values["needs_look_since"] = func.coalesce(O.needs_look_since, look_since)
    session.connection().execute(update(table(OutboxTable)).where(O.id == answer).values(values))


def row(session: Session, answer: int) -> OutboxRow | None:
    """One row, or None when there is none of that number."""
    line = session.connection().execute(select(*_ROW).where(O.id == answer)).first()
    return None if line is None else OutboxRow(**line._mapping)


def raw(session: Session, answer: int) -> bytes | None:
    """The bytes as they were made."""
    return raw_bytes.read(session, O.raw, O.id == answer)


def of_ticket(session: Session, ticket: int, limit: int | None = None) -> tuple[OutboxRow, ...]:
    """What went or goes out for a ticket, oldest first: all, or the latest ``limit``."""
    statement = select(*_ROW).where(O.ticket_id == ticket).order_by(O.id.desc()).limit(limit)
    return _rows(session, statement)[::-1]


def handed_in(session: Session, delivery_key: str) -> int | None:
    """The answer that this very submission became, None when it is new."""
    answer: int | None = (
        session.connection().execute(select(O.id).where(O.handed_in == delivery_key)).scalar()
    )
    return answer


def waiting(session: Session, limit: int = 1000) -> tuple[OutboxRow, ...]:
    """What is undecided, by when its turn comes."""
    statement = select(*_ROW).where(_UNDECIDED).order_by(O.next_try_at, O.id).limit(limit)
    return _rows(session, statement)


def needing_look(session: Session, limit: int = 1000) -> tuple[OutboxRow, ...]:
    """What a person must look at, newest first: it came back, was refused or given up."""
    statement = select(*_ROW).where(O.needs_look_since.is_not(None)).order_by(O.id.desc()).limit(limit)
    return _rows(session, statement)


def newest(session: Session, limit: int = 1000) -> tuple[OutboxRow, ...]:
    """Everything, newest first."""
    statement = select(*_ROW).order_by(O.id.desc()).limit(limit)
    return _rows(session, statement)


def _rows(session: Session, statement: Select[Any]) -> tuple[OutboxRow, ...]:
    return tuple(OutboxRow(**line._mapping) for line in session.connection().execute(statement))
