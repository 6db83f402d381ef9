"""The tables of what agents do with tickets: what they snooze, and the sorting rules that they propose."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from relaydesk.store.columns import Id, Key, Moment, Words
from relaydesk.store.tables import partial


class SnoozeTable(SQLModel, table=True):
    """A ticket that an agent does not want to see before ``until``. Waking deletes the row."""

    __tablename__: ClassVar[str] = "snooze"
    __table_args__ = (Index("ix_snooze_ticket_id", "ticket_id"),)
    agent: str = Field(primary_key=True, sa_type=Key)
    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id", sa_type=Id)
    until: datetime = Field(sa_type=Moment)


class RuleProposalTable(SQLModel, table=True):
    """A sorting rule that an agent proposes from a mail. ``rule`` is the text of a rule file with it alone.

    ``state`` is proposed, withdrawn, accepted or declined; one that was settled stays as it was.
    """

    __tablename__: ClassVar[str] = "rule_proposal"
    __table_args__ = (partial("ix_rule_proposal_open_id", "id", where="state = 'proposed'"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=Id)
    message_id: int = Field(foreign_key="message.id", sa_type=Id)
    kind: str = Field(sa_type=Key)
    sender: str = Field(sa_type=Key)
    subject: str = Field(sa_type=Words)
    rule: str = Field(sa_type=Words)
    state: str = Field(default="proposed", sa_type=Key)
    proposed_by: str = Field(sa_type=Key)
    proposed_at: datetime = Field(sa_type=Moment)
    settled_by: str = Field(default="", sa_type=Key)
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
    note: str = Field(default="", sa_type=Words)
