"""The tables of writing: files of drafts, what an answer was made of, and evidence."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from relaydesk.store.columns import Id, Key, Moment, Raw, Words


class DraftFileTable(SQLModel, table=True):
    """A file that an agent has put to a draft. ``answer_id`` is the answer it went with, while that waits."""

    __tablename__: ClassVar[str] = "draft_file"
    __table_args__ = (
        Index("ix_draft_file_ticket_id_author", "ticket_id", "author"),
        Index("ix_draft_file_answer_id", "answer_id"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=Id)
    author: str = Field(sa_type=Key)
    answer_id: int | None = Field(default=None, sa_type=Id)
    name: str = Field(sa_type=Words)
    size: int = Field(sa_type=Id)
    added_at: datetime = Field(sa_type=Moment)
    content: bytes = Field(sa_type=Raw)


class WrittenAnswerTable(SQLModel, table=True):
    """What an answer was written as, until it has left: to bring it back. ``token`` is its form's own, so
    that a form that is sent twice is one answer. ``closes``: its ticket was closed with it."""

    __tablename__: ClassVar[str] = "written_answer"
    answer_id: int = Field(primary_key=True, sa_type=Id)
    token: str = Field(unique=True, sa_type=Key)
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=Id)
    author: str = Field(index=True, sa_type=Key)
    text: str = Field(sa_type=Words)
    order_id: str | None = Field(default=None, sa_type=Key)
    no_order: bool = False
    closes: bool = False
    written_at: datetime = Field(sa_type=Moment)


class NoteDraftTable(SQLModel, table=True):
    """A note that an agent is writing; the newest text of each agent on each ticket."""

    __tablename__: ClassVar[str] = "note_draft"
    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id", sa_type=Id)
    author: str = Field(primary_key=True, sa_type=Key)
    text: str = Field(sa_type=Words)
    updated_at: datetime = Field(index=True, sa_type=Moment)


class EvidenceTable(SQLModel, table=True):
    """One piece of evidence of a claim or chargeback: a file, or (``name`` empty) a word that it is there
    without one, or that it is not needed. The newest row of an item says how it stands."""

    __tablename__: ClassVar[str] = "evidence"
    __table_args__ = (Index("ix_evidence_ticket_id_id", "ticket_id", "id"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=Id)
    item: str = Field(sa_type=Words)
    state: str = Field(sa_type=Key)
    name: str = Field(default="", sa_type=Words)
    size: int = Field(default=0, sa_type=Id)
    sha256: str = Field(default="", sa_type=Key)
    added_by: str = Field(sa_type=Key)
    added_at: datetime = Field(sa_type=Moment)


class EvidenceFileTable(SQLModel, table=True):
    """The content of evidence, once however often it was added."""

    __tablename__: ClassVar[str] = "evidence_file"
    sha256: str = Field(primary_key=True, sa_type=Key)
    content: bytes = Field(sa_type=Raw)
