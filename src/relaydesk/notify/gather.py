"""Looking at new events, and writing what webhooks are to be told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.notify.kinds import EVENT_WORDS, body_of, type_of
from relaydesk.store import News, ticket_orders, tickets, webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.store import Store, WebhookRow

CURSOR = "webhooks"


def gather_news(store: Store, now: datetime, *, address: str) -> int:
    """Writes the news of the events since the last look; how many pieces. Any number of processes may do it.

    Without a webhook it only notes how far it has looked. ``address`` is the desk's own.
    """
    with store.reading() as session:
        since, _ = webhooks.cursor(session, CURSOR, now)
        latest = webhooks.latest_event(session)
        hooks = [hook for hook in webhooks.everything(session) if hook.active]
        if latest == since and not hooks:
            return 0
        news = list(_news(session, hooks, since, now, address)) if hooks else []
    if latest == since and not news:
        return 0
    with store.transaction() as session:
        written = webhooks.put(session, news, now)
        webhooks.advance(session, CURSOR, latest, now)
    return written


def _news(
    session: Session, hooks: list[WebhookRow], since: int, now: datetime, address: str
) -> Iterator[News]:
    for number, event in webhooks.events_since(session, since, EVENT_WORDS, now):
        kind = type_of(event)
        wanting = [hook for hook in hooks if kind in hook.events and hook.made_at <= now]
        ticket = tickets.row(session, event.ticket_id) if kind and wanting else None
        if kind is None or ticket is None:
            continue
        orders = ticket_orders.of_tickets(session, [ticket.id])
        body = body_of(number, kind, event, ticket=ticket, orders=orders, address=address)
        for hook in wanting:
            yield News(f"webhook {hook.id} event {number}", kind, body, webhook_id=hook.id)
