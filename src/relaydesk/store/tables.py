"""The tables. Events are the truth; state columns and counters beside them are a cache.

Texts that are compared or indexed are :class:`Key`, others :class:`Words`. The raw bytes of a message
stand last in its row, so that reading the other columns never walks over them. Attachments are kept as
metadata only: their content is in the raw bytes, which are kept anyway.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, Table, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from relaydesk.store.columns import Id, Json, Key, Moment, Raw, Words

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = SQLModel.metadata
metadata.naming_convention = NAMING

OPEN, CLOSED = "state = 'open'", "state = 'closed'"
RUNNING = "stopped_at IS NULL AND undecided_at IS NULL"
MARKED = "needs_look IS NOT NULL"
JUNK = "junk_at IS NOT NULL"
WAITING = "state = 'open' AND waiting_since IS NOT NULL"
UNPROVEN = "state = 'open' AND verified = false"
ESCALATED = "state = 'open' AND escalated = true"
UNDECIDED = "state IN ('queued', 'sending', 'deferred')"
UNTOLD = "state IN ('queued', 'sending')"


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows that ``where`` names, on both engines."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class TicketTable(SQLModel, table=True):
    """One conversation. ``next_due`` caches the earliest running deadline, ``message_count`` the messages.

    ``thread_key`` is the relay address a proven ticket is bound to: one open ticket each. ``needs_look`` is
    the code of the reason why a person must look at it, since when; only open ones have it. ``merged_into``
    is the ticket whose thread shows this one's messages: it is closed then, and its clocks run on.
    ``junk_at`` is when somebody marked it as junk. ``next_warn`` is when the next deadline warns;
    ``answered_at`` when an answer last stopped a response clock, ``waiting_since`` the same where no clock
    runs: it is the customer's turn. ``excerpt`` is a line of the customer's latest words.
    """

    __tablename__: ClassVar[str] = "ticket"
    __table_args__ = (
        partial(
            "uq_ticket_open_thread_key", "thread_key", where=f"{OPEN} AND thread_key IS NOT NULL", unique=True
        ),
        partial("ix_ticket_open_queue_next_due_id", "queue", "next_due", "id", where=OPEN),
        partial("ix_ticket_open_next_due_id", "next_due", "id", where=OPEN),
        # All that is counted, and the state, without which SQLite looks every row up.
        partial(
            "ix_ticket_open_counts", "queue", "assignee", "next_due", "waiting_since", "state", where=OPEN
        ),
        partial("ix_ticket_open_assignee_next_due_id", "assignee", "next_due", "id", where=OPEN),
        partial("ix_ticket_open_contact_reason_next_due_id", "contact_reason", "next_due", "id", where=OPEN),
        partial("ix_ticket_unproven_next_due_id", "next_due", "id", where=UNPROVEN),
        partial("ix_ticket_escalated_next_due_id", "next_due", "id", where=ESCALATED),
        partial("ix_ticket_waiting_since_id", "waiting_since", "id", where=WAITING),
        partial("ix_ticket_closed_queue_id", "queue", "id", where=CLOSED),
        partial("ix_ticket_assignee_id", "assignee", "id", where="assignee IS NOT NULL"),
        partial("ix_ticket_needs_look_queue_next_due_id", "queue", "next_due", "id", where=MARKED),
        partial("ix_ticket_needs_look_next_due_id", "next_due", "id", where=MARKED),
        Index("ix_ticket_thread_key_id", "thread_key", "id"),
        Index("ix_ticket_relay_address_id", "relay_address", "id"),
        partial("ix_ticket_merged_into_id", "merged_into", "id", where="merged_into IS NOT NULL"),
        partial("ix_ticket_junk_relay_address", "relay_address", where=JUNK),
        partial("ix_ticket_junk_sender", "sender", where=JUNK),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    kind: str = Field(sa_type=Key)
    queue: str = Field(sa_type=Key)
    state: str = Field(default="open", sa_type=Key)
    thread_key: str | None = Field(default=None, sa_type=Key)
    relay_address: str = Field(default="", sa_type=Key)
    case_token: str = Field(default="", sa_type=Key)
    case_number: str = Field(default="", sa_type=Key)
    username: str = Field(default="", sa_type=Words)
    sender: str = Field(default="", sa_type=Key)
    subject: str = Field(default="", sa_type=Words)
    contact_reason: str = Field(default="", sa_type=Words)
    assignee: str | None = Field(default=None, sa_type=Key)
    escalated: bool = False
    verified: bool = False
    opened_at: datetime = Field(sa_type=Moment)
    last_message_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    next_due: datetime | None = Field(default=None, sa_type=Moment)
    message_count: int = 0
    needs_look: str | None = Field(default=None, sa_type=Key)
    needs_look_since: datetime | None = Field(default=None, sa_type=Moment)
    merged_into: int | None = Field(default=None, sa_type=Id)
    junk_at: datetime | None = Field(default=None, sa_type=Moment)
    next_warn: datetime | None = Field(default=None, sa_type=Moment)
    answered_at: datetime | None = Field(default=None, sa_type=Moment)
    waiting_since: datetime | None = Field(default=None, sa_type=Moment)
    excerpt: str = Field(default="", sa_type=Words, sa_column_kwargs={"server_default": ""})


class MessageTable(SQLModel, table=True):
    """One stored delivery. Only the first of a replay set carries ``replay_key``; others ``duplicate_of``.

    ``trace`` is our Received and Authentication-Results text, beside the raw bytes, never in them.
    """

    __tablename__: ClassVar[str] = "message"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    delivery_key: str = Field(unique=True, sa_type=Key)
    replay_key: str | None = Field(default=None, unique=True, sa_type=Key)
    duplicate_of: int | None = Field(default=None, foreign_key="message.id", sa_type=Id)
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id", index=True, sa_type=Id)
    kind: str = Field(sa_type=Key)
    vouched: bool = False
    received_at: datetime = Field(sa_type=Moment)
    mail_from: str = Field(sa_type=Words)
    rcpt_to: list[str] = Field(sa_type=Json)
    peer: str = Field(sa_type=Words)
    helo: str = Field(sa_type=Words)
    tls: bool = False
    size: int = Field(sa_type=Id)
    from_addr: str = Field(sa_type=Words)
    subject: str = Field(sa_type=Words)
    message_id: str = Field(sa_type=Words)
    origin: dict[str, Any] = Field(sa_type=Json)
    auth: dict[str, Any] = Field(sa_type=Json)
    reasons: list[dict[str, str]] = Field(sa_type=Json)
    findings: dict[str, Any] = Field(sa_type=Json)
    trace: str = Field(default="", sa_type=Words)
    raw: bytes = Field(sa_type=Raw)


class AttachmentTable(SQLModel, table=True):
    """What a message carried, by name, type, size in bytes and hash of the decoded content."""

    __tablename__: ClassVar[str] = "attachment"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    message_id: int = Field(foreign_key="message.id", index=True, sa_type=Id)
    name: str = Field(sa_type=Words)
    declared_type: str = Field(sa_type=Words)
    sniffed_type: str = Field(sa_type=Words)
    size: int = Field(sa_type=Id)
    sha256: str = Field(sa_type=Key)


class TicketOrderTable(SQLModel, table=True):
    """A number of a ticket: ``how`` is bound, not_found, mentioned or released (an agent said no)."""

    __tablename__: ClassVar[str] = "ticket_order"
    __table_args__ = (Index("ix_ticket_order_what_value_ticket_id", "what", "value", "ticket_id"),)
    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id", sa_type=Id)
    what: str = Field(primary_key=True, sa_type=Key)
    value: str = Field(primary_key=True, sa_type=Key)
    how: str = Field(sa_type=Key)
    label: str = Field(default="", sa_type=Words)
    place: str = Field(default="", sa_type=Words)


class TicketLinkTable(SQLModel, table=True):
    """Two tickets of one order; the smaller id comes first."""

    __tablename__: ClassVar[str] = "ticket_link"
    __table_args__ = (Index("ix_ticket_link_other_id", "other_id"),)
    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id", sa_type=Id)
    other_id: int = Field(primary_key=True, foreign_key="ticket.id", sa_type=Id)


class TicketEventTable(SQLModel, table=True):
    """Append-only. ``at`` is when it became true, ``noted_at`` when it was written."""

    __tablename__: ClassVar[str] = "event"
    __table_args__ = (Index("ix_event_ticket_id_id", "ticket_id", "id"), Index("ix_event_at_id", "at", "id"))
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=Id)
    at: datetime = Field(sa_type=Moment)
    noted_at: datetime = Field(sa_type=Moment)
    what: str = Field(sa_type=Key)
    actor: str = Field(sa_type=Key)
    data: dict[str, Any] = Field(sa_type=Json)


class DeadlineTable(SQLModel, table=True):
    """One round of one clock. It runs until it is stopped, or undecided because the ticket was closed."""

    __tablename__: ClassVar[str] = "deadline"
    __table_args__ = (
        UniqueConstraint("ticket_id", "clock", "round"),
        partial("uq_deadline_running", "ticket_id", "clock", where=RUNNING, unique=True),
        partial(
            "ix_deadline_unwarned",
            "warn_at",
            "id",
            where=f"{RUNNING} AND warned_at IS NULL AND warn_at IS NOT NULL",
        ),
        partial("ix_deadline_unbreached", "due_at", "id", where=f"{RUNNING} AND breached_at IS NULL"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=Id)
    queue: str = Field(sa_type=Key)
    clock: str = Field(sa_type=Key)
    round: int
    started_at: datetime = Field(sa_type=Moment)
    due_at: datetime = Field(sa_type=Moment)
    warn_at: datetime | None = Field(default=None, sa_type=Moment)
    reading: str = Field(sa_type=Key)
    target: str = Field(sa_type=Key)
    explanation: list[str] = Field(sa_type=Json)
    stopped_at: datetime | None = Field(default=None, sa_type=Moment)
    stopped_how: str = Field(default="", sa_type=Key)
    warned_at: datetime | None = Field(default=None, sa_type=Moment)
    breached_at: datetime | None = Field(default=None, sa_type=Moment)
    undecided_at: datetime | None = Field(default=None, sa_type=Moment)


class AgentTable(SQLModel, table=True):
    """A person at the desk. ``folded`` is the name without case, so that no two differ by case alone."""

    __tablename__: ClassVar[str] = "agent"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    name: str = Field(unique=True, sa_type=Key)
    folded: str = Field(unique=True, sa_type=Key)
    display_name: str = Field(sa_type=Key)
    role: str = Field(sa_type=Key)
    email: str = Field(default="", sa_type=Key)
    active: bool = True
    added_at: datetime = Field(sa_type=Moment)


class UnindexedTable(SQLModel, table=True):
    """What the search index lacks: the number of a message, or of an answer in the outbox."""

    __tablename__: ClassVar[str] = "unindexed"
    source: str = Field(primary_key=True, sa_type=Key)
    source_id: int = Field(primary_key=True, sa_type=Id)


class FirstSeenTable(SQLModel, table=True):
    """The first attempt of a delivery that was deferred."""

    __tablename__: ClassVar[str] = "first_seen"
    delivery_key: str = Field(primary_key=True, sa_type=Key)
    at: datetime = Field(index=True, sa_type=Moment)


class SecretTable(SQLModel, table=True):
    """A key made once for this store and shared by every process of it; ``value`` is hexadecimal."""

    __tablename__: ClassVar[str] = "secret"
    name: str = Field(primary_key=True, sa_type=Key)
    value: str = Field(sa_type=Key)


class RefusalTable(SQLModel, table=True):
    """What was refused or deferred, added up by UTC day, reason, network (/24 or /48) and From domain."""

    __tablename__: ClassVar[str] = "refusal"
    day: str = Field(primary_key=True, sa_type=Key)
    code: str = Field(primary_key=True, sa_type=Key)
    network: str = Field(primary_key=True, sa_type=Key)
    from_domain: str = Field(primary_key=True, sa_type=Key)
    count: int = Field(sa_type=Id)
    first_at: datetime = Field(sa_type=Moment)
    last_at: datetime = Field(sa_type=Moment)


class OrderTable(SQLModel, table=True):
    """An order of the local directory. ``amount`` is an exact decimal text."""

    __tablename__: ClassVar[str] = "order"
    id: str = Field(primary_key=True, sa_type=Key)
    merchant_ref: str | None = Field(default=None, unique=True, sa_type=Key)
    relay_address: str = Field(default="", index=True, sa_type=Key)
    state: str = Field(default="", sa_type=Key)
    amount: str = Field(default="", sa_type=Key)
    currency: str = Field(default="", sa_type=Key)
    created_at: datetime | None = Field(default=None, sa_type=Moment)
    ship_by: datetime | None = Field(default=None, sa_type=Moment)
    marketing_opt_in: bool | None = None
    updated_at: datetime = Field(sa_type=Moment)


class OrderItemTable(SQLModel, table=True):
    """A line of an order, in the order's own sequence. ``price`` is an exact decimal text."""

    __tablename__: ClassVar[str] = "order_item"
    order_id: str = Field(primary_key=True, foreign_key="order.id", sa_type=Key)
    item_id: str = Field(primary_key=True, sa_type=Key)
    retailer_id: str = Field(default="", sa_type=Key)
    name: str = Field(default="", sa_type=Words)
    quantity: int = 1
    price: str = Field(default="", sa_type=Key)


class OutboxTable(SQLModel, table=True):
    """One message on its way out, kept for ever: what was sent is what ``raw`` holds, signature and all.

    ``next_try_at`` is when an undecided row may be claimed: the end of its undo time, its next try, or,
    while it is being sent, the end of the claimer's lease. ``attempts`` tells one claim from the next.
    ``envelope_from``, ``rfc_message_id``, ``subject`` and ``raw`` are written in the transaction that makes
    the row and never change. ``handed_in`` is the delivery key of a help desk's submission, so that one that
    is handed in twice goes out once. ``returned`` is what the last bounce of it was about;
    ``needs_look_since`` says that a person must look at how it ended.
    """

    __tablename__: ClassVar[str] = "outbox"
    __table_args__ = (
        partial("ix_outbox_undecided_next_try_at_id", "next_try_at", "id", where=UNDECIDED),
        Index("ix_outbox_ticket_id_id", "ticket_id", "id"),
        partial("ix_outbox_needs_look_id", "id", where="needs_look_since IS NOT NULL"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    purpose: str = Field(sa_type=Key)
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=Id)
    message_id: int = Field(foreign_key="message.id", sa_type=Id)
    author: str = Field(sa_type=Key)
    recipient: str = Field(sa_type=Key)
    envelope_from: str = Field(default="", sa_type=Key)
    rfc_message_id: str | None = Field(default=None, unique=True, sa_type=Key)
    handed_in: str | None = Field(default=None, unique=True, sa_type=Key)
    order_id: str | None = Field(default=None, sa_type=Key)
    subject: str = Field(default="", sa_type=Words)
    state: str = Field(default="queued", sa_type=Key)
    created_at: datetime = Field(sa_type=Moment)
    not_before: datetime = Field(sa_type=Moment)
    next_try_at: datetime = Field(sa_type=Moment)
    give_up_at: datetime = Field(sa_type=Moment)
    attempts: int = 0
    lease_by: str | None = Field(default=None, sa_type=Key)
    lease_until: datetime | None = Field(default=None, sa_type=Moment)
    first_tried_at: datetime | None = Field(default=None, sa_type=Moment)
    last_code: int = 0
    last_text: str = Field(default="", sa_type=Words)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    hop: str = Field(default="", sa_type=Words)
    returned: str | None = Field(default=None, sa_type=Key)
    needs_look_since: datetime | None = Field(default=None, sa_type=Moment)
    raw: bytes = Field(sa_type=Raw)


class DraftTable(SQLModel, table=True):
    """What an agent has written and not sent; the newest text of each agent on each ticket. A discarded one
    is kept for a while, so that it can be brought back; nobody sees it meanwhile."""

    __tablename__: ClassVar[str] = "draft"
    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id", sa_type=Id)
    author: str = Field(primary_key=True, sa_type=Key)
    text: str = Field(sa_type=Words)
    updated_at: datetime = Field(index=True, sa_type=Moment)
    order_id: str | None = Field(default=None, sa_type=Key)
    no_order: bool = False
    discarded_at: datetime | None = Field(default=None, sa_type=Moment)


class GatewayClientTable(SQLModel, table=True):
    """Another help desk that may hand us its answers; its password is kept as a hash only."""

    __tablename__: ClassVar[str] = "gateway_client"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    name: str = Field(unique=True, sa_type=Key)
    secret_hash: str = Field(sa_type=Key)
    created_at: datetime = Field(sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)


def table(model: type[SQLModel]) -> Table:
    """The Core table behind a model, for statements that need no object."""
    return metadata.tables[str(model.__tablename__)]
