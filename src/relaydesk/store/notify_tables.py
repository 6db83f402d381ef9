"""The tables of what we tell others: webhooks, what goes out to them and by mail, and how far we are."""

from datetime import datetime
from typing import ClassVar

from sqlmodel import Field, SQLModel

from relaydesk.store.columns import Id, Json, Key, Moment, Words
from relaydesk.store.tables import UNTOLD, partial


class WebhookTable(SQLModel, table=True):
    """An address that is told of events. ``secret`` signs what is sent there; ``events`` are the types."""

    __tablename__: ClassVar[str] = "webhook"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    url: str = Field(sa_type=Words)
    secret: str = Field(sa_type=Key)
    events: list[str] = Field(sa_type=Json)
    active: bool = True
    stopped_because: str = Field(default="", sa_type=Words)
    made_by: str = Field(sa_type=Key)
    made_at: datetime = Field(sa_type=Moment)


class NewsTable(SQLModel, table=True):
    """One piece of news on its way to one place: a webhook, or an agent's mailbox. ``news_key`` tells it from
    others, so that each event goes to each place once. The rest is as in the outbox.
    """

    __tablename__: ClassVar[str] = "news"
    __table_args__ = (partial("ix_news_undecided_next_try_at_id", "next_try_at", "id", where=UNTOLD),)
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    news_key: str = Field(unique=True, sa_type=Key)
    webhook_id: int | None = Field(default=None, foreign_key="webhook.id", index=True, sa_type=Id)
    recipient: str = Field(default="", sa_type=Words)
    what: str = Field(sa_type=Key)
    body: str = Field(sa_type=Words)
    state: str = Field(default="queued", sa_type=Key)
    attempts: int = 0
    created_at: datetime = Field(sa_type=Moment)
    next_try_at: datetime = Field(sa_type=Moment)
    first_tried_at: datetime | None = Field(default=None, sa_type=Moment)
    lease_by: str | None = Field(default=None, sa_type=Key)
    lease_until: datetime | None = Field(default=None, sa_type=Moment)
    last_code: int = 0
    last_text: str = Field(default="", sa_type=Words)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class NewsCursorTable(SQLModel, table=True):
    """Up to which event somebody has looked for news."""

    __tablename__: ClassVar[str] = "news_cursor"
    name: str = Field(primary_key=True, sa_type=Key)
    event_id: int = Field(sa_type=Id)
    at: datetime = Field(sa_type=Moment)


class ApiReplyTable(SQLModel, table=True):
    """What a write of the API was answered with, by its idempotency key: the same again gets the same."""

    __tablename__: ClassVar[str] = "api_reply"
    caller: str = Field(primary_key=True, sa_type=Key)
    key: str = Field(primary_key=True, sa_type=Key)
    request_hash: str = Field(sa_type=Key)
    status: int = 0
    body: str = Field(default="", sa_type=Words)
    at: datetime = Field(index=True, sa_type=Moment)
