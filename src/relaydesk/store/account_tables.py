"""The tables of signing in, of agents' own settings, and the audit log. Of tokens only hashes are kept."""

from datetime import datetime
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel

from relaydesk.store.columns import Id, Json, Key, Moment, Words


class WebSessionTable(SQLModel, table=True):
    """A browser in which an agent is signed in, until ``expires_at``, or sooner when it is left alone.

    One that ``stays`` is not ended for being left alone.
    """

    __tablename__: ClassVar[str] = "web_session"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    token_hash: str = Field(unique=True, sa_type=Key)
    agent: str = Field(index=True, sa_type=Key)
    begun_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    stays: bool = False
    way: str = Field(default="", sa_type=Key)
    address: str = Field(default="", sa_type=Key)
    browser: str = Field(default="", sa_type=Words)


class EntryLinkTable(SQLModel, table=True):
    """A link that lets an agent in once, without a password; ``kind`` says what its page asks."""

    __tablename__: ClassVar[str] = "entry_link"
    token_hash: str = Field(primary_key=True, sa_type=Key)
    agent: str = Field(index=True, sa_type=Key)
    kind: str = Field(sa_type=Key)
    made_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class AgentLoginTable(SQLModel, table=True):
    """How an agent signs in. ``totp_step`` is the newest step of time whose code was used (RFC 6238 §5.2)."""

    __tablename__: ClassVar[str] = "agent_login"
    agent: str = Field(primary_key=True, sa_type=Key)
    password_hash: str | None = Field(default=None, sa_type=Words)
    password_at: datetime | None = Field(default=None, sa_type=Moment)
    totp_key: str | None = Field(default=None, sa_type=Words)
    totp_pending: str | None = Field(default=None, sa_type=Words)
    totp_step: int = Field(default=0, sa_type=Id)
    totp_at: datetime | None = Field(default=None, sa_type=Moment)
    company_at: datetime | None = Field(default=None, sa_type=Moment)


class RecoveryCodeTable(SQLModel, table=True):
    """A code that stands once for one of the authenticator."""

    __tablename__: ClassVar[str] = "recovery_code"
    code_hash: str = Field(primary_key=True, sa_type=Key)
    agent: str = Field(index=True, sa_type=Key)
    made_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class SignInStepTable(SQLModel, table=True):
    """Somebody whose password was right and whose code is still wanted."""

    __tablename__: ClassVar[str] = "sign_in_step"
    token_hash: str = Field(primary_key=True, sa_type=Key)
    agent: str = Field(index=True, sa_type=Key)
    expires_at: datetime = Field(index=True, sa_type=Moment)
    stays: bool = False
    way: str = Field(sa_type=Key)


class SignInTriesTable(SQLModel, table=True):
    """How often something was tried since ``since``; ``name`` is a hash of whom and where from."""

    __tablename__: ClassVar[str] = "sign_in_tries"
    name: str = Field(primary_key=True, sa_type=Key)
    count: int = 0
    since: datetime = Field(index=True, sa_type=Moment)


class AgentPreferencesTable(SQLModel, table=True):
    """What an agent has chosen for themselves; an empty ``zone`` is that of the calendar."""

    __tablename__: ClassVar[str] = "agent_preferences"
    agent: str = Field(primary_key=True, sa_type=Key)
    zone: str = Field(default="", sa_type=Key)
    after_send: str = Field(default="next", sa_type=Key)
    keys: bool = True
    notify_browser: bool = False
    notify_mail: bool = True


class ApiTokenTable(SQLModel, table=True):
    """A program's way in, in an agent's name and within ``scopes``."""

    __tablename__: ClassVar[str] = "api_token"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    token_hash: str = Field(unique=True, sa_type=Key)
    agent: str = Field(index=True, sa_type=Key)
    name: str = Field(sa_type=Words)
    scopes: list[str] = Field(sa_type=Json)
    made_at: datetime = Field(sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class AuditTable(SQLModel, table=True):
    """Append-only: what people did or read that is no event of a ticket, or touches more than one."""

    __tablename__: ClassVar[str] = "audit"
    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    at: datetime = Field(sa_type=Moment)
    actor: str = Field(sa_type=Key)
    what: str = Field(sa_type=Key)
    facts: dict[str, Any] = Field(sa_type=Json)
