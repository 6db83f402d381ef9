"""Webhooks, and the news on its way to them and to agents' mailboxes.

News is made by looking at the events that came since somebody last looked (:func:`events_since`); each goes
to each place once, by its key. It is claimed under a lease like the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, insert, select, update

from relaydesk.store.contention import Claims, upsert
from relaydesk.store.events import read_event
from relaydesk.store.notify_tables import NewsCursorTable, NewsTable, WebhookTable
from relaydesk.store.tables import TicketEventTable, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.events import Event

W, N, C, E = (
    table(WebhookTable).c,
    table(NewsTable).c,
    table(NewsCursorTable).c,
    table(TicketEventTable).c,
)
# PostgreSQL gives numbers out before the commit: a number may appear after a higher one was seen. So many
# numbers back are looked at again; what was told of them is not told twice.
OVERLAP = 2_000
OVERLAP_TIME = timedelta(minutes=5)

NewsState = Literal["queued", "sending", "sent", "failed"]
_CLAIMS = Claims(NewsTable, undecided=("queued", "sending"), working="sending")


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """An address that is told of events, without its secret; ``stopped_because`` says why not any more."""

    id: int
    url: str
    events: tuple[str, ...]
    active: bool
    stopped_because: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class NewsRow:
    """One piece of news in the delivery log. Times are aware UTC."""

    id: int
    webhook_id: int | None
    recipient: str
    what: str
    state: NewsState
    attempts: int
    created_at: datetime
    next_try_at: datetime
    last_code: int
    last_text: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimedNews:
    """A piece of news that is ours to deliver until its lease ends."""

    id: int
    attempts: int
    webhook_id: int | None
    recipient: str
    what: str
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """News to write: to a webhook, or to a mailbox (``recipient``)."""

    key: str
    what: str
    body: str
    webhook_id: int | None = None
    recipient: str = ""


_WEBHOOK = [W[field.name] for field in fields(WebhookRow)]
_NEWS = [N[field.name] for field in fields(NewsRow)]
_CLAIMED = [N[field.name] for field in fields(ClaimedNews)]


def add(  # noqa: PLR0913 - a row has that many facts
    session: Session, url: str, secret: str, events: Sequence[str], *, by: str, now: datetime
) -> int:
    """A new webhook; its number."""
    row = {
        "url": url,
        "secret": secret,
        "events": list(events),
        "active": True,
        "stopped_because": "",
        "made_by": by,
        "made_at": now,
    }
    return int(session.connection().execute(insert(table(WebhookTable)).returning(W.id), row).scalar_one())


def change(session: Session, webhook_id: int, **values: Any) -> bool:
    """Sets ``url``, ``events``, ``active``, ``stopped_because`` or ``secret``. False when there is none."""
    statement = update(table(WebhookTable)).where(W.id == webhook_id).values(**values)
    return session.connection().execute(statement).rowcount == 1


def everything(session: Session) -> tuple[WebhookRow, ...]:
    """All webhooks, those that were stopped too."""
    rows = session.connection().execute(select(*_WEBHOOK).order_by(W.id))
    return tuple(WebhookRow(**{**row._mapping, "events": tuple(row.events)}) for row in rows)


def address(session: Session, webhook_id: int) -> tuple[str, str] | None:
    """Url and secret of an active webhook."""
    statement = select(W.url, W.secret).where(W.id == webhook_id, W.active.is_(True))
    row = session.connection().execute(statement).first()
    return None if row is None else (row.url, row.secret)


def log(session: Session, webhook_id: int | None = None, limit: int = 100) -> tuple[NewsRow, ...]:
    """The newest deliveries: of one webhook, or all."""
    statement = select(*_NEWS).order_by(N.id.desc()).limit(limit)
    if webhook_id is not None:
        statement = statement.where(N.webhook_id == webhook_id)
    return tuple(NewsRow(*row) for row in session.connection().execute(statement))


def cursor(session: Session, name: str, now: datetime) -> tuple[int, datetime]:
    """Up to which event ``name`` has looked, and when. Who looks for the first time begins now."""
    row = session.connection().execute(select(C.event_id, C.at).where(C.name == name)).first()
    if row is not None:
        return row.event_id, row.at
    return latest_event(session), now


def latest_event(session: Session) -> int:
    """The highest number of an event; 0 where there is none."""
    return int(session.connection().scalar(select(func.coalesce(func.max(E.id), 0))) or 0)


def advance(session: Session, name: str, event_id: int, now: datetime) -> None:
    """``name`` has looked at everything up to this event."""
    new = upsert(session, NewsCursorTable).values(name=name, event_id=event_id, at=now)
    session.connection().execute(
        new.on_conflict_do_update(index_elements=["name"], set_={"event_id": event_id, "at": now})
    )


def events_since(
    session: Session, event_id: int, kinds: Sequence[str], now: datetime, limit: int = 1_000
) -> tuple[tuple[int, Event], ...]:
    """Events of these kinds after a number, with theirs, and those of shortly before (:data:`OVERLAP`)."""
    late = (E.id > event_id - OVERLAP) & (E.noted_at > now - OVERLAP_TIME)
    statement = (
        select(E.id, E.ticket_id, E.at, E.what, E.actor, E.data)
        .where(E.what.in_(kinds), E.id > event_id - OVERLAP, (E.id > event_id) | late)
        .order_by(E.id)
        .limit(limit)
    )
    rows = session.connection().execute(statement)
    return tuple((number, read_event(*columns)) for number, *columns in rows)


def put(session: Session, news: Iterable[News], now: datetime) -> int:
    """Writes the news that is not there yet; how many that were."""
    written = 0
    for piece in news:
        new = upsert(session, NewsTable).values(
            news_key=piece.key,
            webhook_id=piece.webhook_id,
            recipient=piece.recipient,
            what=piece.what,
            body=piece.body,
            state="queued",
            attempts=0,
            created_at=now,
            next_try_at=now,
            last_code=0,
            last_text="",
        )
        statement = new.on_conflict_do_nothing(index_elements=["news_key"]).returning(N.id)
        written += session.connection().execute(statement).first() is not None
    return written


def anything_due(session: Session, now: datetime) -> bool:
    """Whether a claim could find something."""
    return _CLAIMS.any_due(session, now)


def claim(
    session: Session, worker: str, now: datetime, lease: timedelta, limit: int
) -> tuple[ClaimedNews, ...]:
    """Up to ``limit`` pieces whose time has come, now ``worker``'s for the lease."""
    rows = _CLAIMS.take(session, worker, now=now, lease=lease, limit=limit, returning=_CLAIMED)
    return tuple(ClaimedNews(**row._mapping) for row, _ in rows)


def end(
    session: Session, claimed: ClaimedNews, state: NewsState, code: int, text: str, **values: Any
) -> bool:
    """How a try ended. False when the lease was lost meanwhile."""
    return _CLAIMS.end(session, claimed, state=state, last_code=code, last_text=text, **values)


def again(session: Session, news_id: int, now: datetime) -> bool:
    """Has a piece of news sent once more. False when there is none that has ended."""
    statement = (
        update(table(NewsTable))
        .where(N.id == news_id, N.state.in_(("sent", "failed")))
        .values(state="queued", next_try_at=now, first_tried_at=None, ended_at=None)
    )
    return session.connection().execute(statement).rowcount == 1
