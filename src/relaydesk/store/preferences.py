"""What agents have chosen for themselves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select

from relaydesk.store.account_tables import AgentPreferencesTable
from relaydesk.store.contention import upsert
from relaydesk.store.tables import table

if TYPE_CHECKING:
    from sqlmodel import Session

P = table(AgentPreferencesTable).c

AfterSend = Literal["next", "stay", "list"]
"""Where an agent stands after an answer: at the next ticket, at the same, at the list."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """``zone`` is an IANA name, "" for the calendar's; ``keys`` whether single letters do anything."""

    zone: str = ""
    after_send: AfterSend = "next"
    keys: bool = True
    notify_browser: bool = False
    notify_mail: bool = True


def of_agent(session: Session, agent: str) -> Preferences:
    """What an agent has chosen, the defaults for who never did."""
    columns = (P.zone, P.after_send, P["keys"], P.notify_browser, P.notify_mail)
    row = session.connection().execute(select(*columns).where(P.agent == agent)).first()
    return Preferences() if row is None else Preferences(*row)


def without_mail(session: Session) -> frozenset[str]:
    """The agents who want no mail about deadlines."""
    return frozenset(session.connection().execute(select(P.agent).where(~P.notify_mail)).scalars())


def keep(session: Session, agent: str, preferences: Preferences) -> None:
    """An agent chooses; in a write transaction."""
    values = asdict(preferences)
    row = upsert(session, AgentPreferencesTable).values(agent=agent, **values)
    session.connection().execute(row.on_conflict_do_update(index_elements=[P.agent], set_=values))
