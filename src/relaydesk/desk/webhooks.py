"""Webhooks: the addresses that are told of tickets, and the log of what they were told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from relaydesk.desk.config import DeskError, NotThere
from relaydesk.desk.permissions import DeskPart, demand
from relaydesk.notify import EVENT_TYPES, new_secret, sample_body
from relaydesk.store import News, audit, webhooks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.store import NewsRow, WebhookRow

LONGEST_URL = 2_000
MOST = 50  # webhooks of one shop


class Webhooks(DeskPart):
    """Admins look after them. The secret is told once, when a webhook is made or gets a new one."""

    def everything(self, *, by: str) -> tuple[WebhookRow, ...]:
        """All webhooks, also those that were stopped."""
        with self.store.reading() as session:
            demand(session, "manage_webhooks", by)
            return webhooks.everything(session)

    def add(self, url: str, events: Sequence[str] = EVENT_TYPES, *, by: str) -> tuple[int, str]:
        """A new webhook: its number, and the secret that its receiver checks signatures with."""
        url, chosen = _checked_url(url), _checked_events(events)
        secret = new_secret(self.config.chance)
        with self.acting("manage_webhooks", by) as acting:
            if len(webhooks.everything(acting.session)) >= MOST:
                raise DeskError(f"There are {MOST} webhooks already; remove one first.")
            number = webhooks.add(acting.session, url, secret, chosen, by=acting.actor, now=acting.now)
            audit.append(acting.session, "webhook_added", actor=acting.actor, now=acting.now, webhook=number)
        return number, secret

    def change(
        self,
        webhook_id: int,
        *,
        by: str,
        url: str | None = None,
        events: Sequence[str] | None = None,
        active: bool | None = None,
    ) -> None:
        """Changes what is given. One that is made active again is told of what happens from then on."""
        values: dict[str, object] = {}
        if url is not None:
            values["url"] = _checked_url(url)
        if events is not None:
            values["events"] = list(_checked_events(events))
        if active is not None:
            values |= {"active": active, "stopped_because": "" if active else "An admin has stopped it."}
        if not values:
            raise DeskError("Nothing to change; give an address, event types, or whether it is active.")
        with self.acting("manage_webhooks", by) as acting:
            if not webhooks.change(acting.session, webhook_id, **values):
                raise _none(webhook_id)
            audit.append(
                acting.session,
                "webhook_changed",
                actor=acting.actor,
                now=acting.now,
                webhook=webhook_id,
                changed=sorted(values),
            )

    def new_secret(self, webhook_id: int, *, by: str) -> str:
        """Another secret; the old one signs nothing from now on."""
        secret = new_secret(self.config.chance)
        with self.acting("manage_webhooks", by) as acting:
            if not webhooks.change(acting.session, webhook_id, secret=secret):
                raise _none(webhook_id)
            audit.append(
                acting.session, "webhook_secret", actor=acting.actor, now=acting.now, webhook=webhook_id
            )
        return secret

    def try_out(self, webhook_id: int, *, by: str) -> None:
        """Sends it news of the type ``test``; the log tells what it answered."""
        with self.acting("manage_webhooks", by) as acting:
            if webhooks.address(acting.session, webhook_id) is None:
                raise _none(webhook_id)
            key = f"webhook {webhook_id} test {acting.now.isoformat()}"
            body = sample_body(acting.now)
            webhooks.put(acting.session, [News(key, "test", body, webhook_id=webhook_id)], acting.now)

    def log(self, webhook_id: int | None = None, *, by: str, limit: int = 100) -> tuple[NewsRow, ...]:
        """What was delivered or waits, newest first: of one webhook, or all, digests by mail too."""
        with self.store.reading() as session:
            demand(session, "manage_webhooks", by)
            return webhooks.log(session, webhook_id, limit)

    def again(self, news_id: int, *, by: str) -> None:
        """Sends one piece of news once more."""
        with self.acting("manage_webhooks", by) as acting:
            if not webhooks.again(acting.session, news_id, acting.now):
                raise DeskError(f"Delivery {news_id} has not ended, or there is none of that number.")


def _none(webhook_id: int) -> NotThere:
    return NotThere(f"There is no active webhook {webhook_id}; see `relaydesk webhooks list`.")


def _checked_url(url: str) -> str:
    url = url.strip()
    try:
        split = urlsplit(url)
        usable = split.scheme in ("http", "https") and bool(split.hostname) and split.port != 0
    except ValueError:
        usable = False
    if (
        not usable
        or not url.isascii()
        or not url.isprintable()
        or len(url) > LONGEST_URL
        or "@" in split.netloc
    ):
        raise DeskError(
            f"{json.dumps(url[:80])} is not an address for a webhook; use one such as "
            "https://shop.example/relaydesk, without a user name in it."
        )
    return url


def _checked_events(events: Sequence[str]) -> tuple[str, ...]:
    unknown = sorted(set(events) - set(EVENT_TYPES))
    if unknown or not events:
        raise DeskError(
            f"{unknown[0] if unknown else 'An empty list'} is not a type of event; use some of "
            f"{', '.join(EVENT_TYPES)}."
        )
    return tuple(name for name in EVENT_TYPES if name in events)
