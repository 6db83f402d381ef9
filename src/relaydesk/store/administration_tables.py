"""The tables of what admins look after: stored settings, the processes seen, and checks that were run."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from relaydesk.store.columns import Id, Json, Key, Moment, Words


class StoredSettingTable(SQLModel, table=True):
    """Append-only: each version of a stored setting. ``value`` is None where it was taken back."""

    __tablename__: ClassVar[str] = "stored_setting"
    __table_args__ = (UniqueConstraint("name", "version", name="uq_stored_setting_name_version"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    name: str = Field(sa_type=Key)
    version: int
    value: str | None = Field(default=None, sa_type=Words)
    why: str = Field(default="", sa_type=Words)
    actor: str = Field(sa_type=Key)
    at: datetime = Field(sa_type=Moment)


class ProcessSeenTable(SQLModel, table=True):
    """A process of `relaydesk serve` on whichever machine, and when it last said that it is at work."""

    __tablename__: ClassVar[str] = "process_seen"
    name: str = Field(primary_key=True, sa_type=Key)
    role: str = Field(sa_type=Key)
    host: str = Field(sa_type=Key)
    pid: int = Field(sa_type=Id)
    release: str = Field(sa_type=Key)
    started_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    settings_id: int = Field(sa_type=Id)
    problem: str = Field(default="", sa_type=Words)
    facts: dict[str, Any] = Field(sa_type=Json)


class CheckRunTable(SQLModel, table=True):
    """A check that an admin began, such as the audit of the allowlist: how far it is, and what it found."""

    __tablename__: ClassVar[str] = "check_run"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    what: str = Field(index=True, sa_type=Key)
    actor: str = Field(sa_type=Key)
    begun_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    done: int = Field(default=0)
    total: int = Field(default=0)
    result: dict[str, Any] = Field(sa_type=Json)
