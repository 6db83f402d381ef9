"""The tables of signing in, and the audit log. Of tokens only hashes are kept."""

from datetime import datetime
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel

from relaydesk.store.columns import Id, Json, Key, Moment, Words


class WebSessionTable(SQLModel, table=True):
    """A browser in which an agent is signed in, until ``expires_at``."""

    __tablename__: ClassVar[str] = "web_session"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    token_hash: str = Field(unique=True, sa_type=Key)
    agent: str = Field(index=True, sa_type=Key)
    begun_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    address: str = Field(default="", sa_type=Key)
    browser: str = Field(default="", sa_type=Words)


class EntryLinkTable(SQLModel, table=True):
    """A link that lets an agent in once, without a password."""

    __tablename__: ClassVar[str] = "entry_link"
    token_hash: str = Field(primary_key=True, sa_type=Key)
    agent: str = Field(sa_type=Key)
    made_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class AuditTable(SQLModel, table=True):
    """Append-only: what people did or read that is no event of a ticket, or touches more than one."""

    __tablename__: ClassVar[str] = "audit"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    at: datetime = Field(sa_type=Moment)
    actor: str = Field(sa_type=Key)
    what: str = Field(sa_type=Key)
    facts: dict[str, Any] = Field(sa_type=Json)
