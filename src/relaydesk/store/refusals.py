"""What was refused or deferred: one row per UTC day, reason, network and From domain, up to a cap."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from relaydesk.store.contention import upsert
from relaydesk.store.tables import RefusalTable, table

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlmodel import Session

R = table(RefusalTable).c
DAILY_ROWS = 5000  # beyond it, a day's refusals are added up by reason alone
KEEP = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class RefusalKey:
    """One refusal or deferral: UTC day, reason code, address of the peer or origin, From domain."""

    day: date
    code: str
    ip: str
    from_domain: str


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """One line of what was refused or deferred; where the day's cap was reached the last two keys are ""."""

    day: str
    code: str
    network: str
    from_domain: str
    count: int
    first_at: datetime
    last_at: datetime


def network_of(ip: str) -> str:
    """The /24 (IPv4) or /48 (IPv6) around an address, "" for none: enough to find a drift, no single host."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))  # noqa: PLR2004


def count_refusal(session: Session, refused: RefusalKey, count: int, at: datetime) -> None:
    """Adds ``count`` to the tally; ``at`` is when the latest of them happened."""
    key = {
        "day": refused.day.isoformat(),
        "code": refused.code,
        "network": network_of(refused.ip),
        "from_domain": refused.from_domain.lower(),
    }
    if _counted_again(session, key, count, at):
        return
    rows = session.connection().execute(select(func.count()).where(R.day == key["day"])).scalar_one()
    if rows == 0:
        oldest = (refused.day - KEEP).isoformat()
        session.connection().execute(delete(table(RefusalTable)).where(R.day < oldest))
    if rows >= DAILY_ROWS:
        key |= {"network": "", "from_domain": ""}
    statement = upsert(session, RefusalTable).values(**key, count=count, first_at=at, last_at=at)
    statement = statement.on_conflict_do_update(
        index_elements=[R.day, R.code, R.network, R.from_domain],
        set_={"count": R["count"] + count, "last_at": at},
    )
    session.connection().execute(statement)


def _counted_again(session: Session, key: dict[str, str], count: int, at: datetime) -> bool:
    same = [R[name] == value for name, value in key.items()]
    statement = update(table(RefusalTable)).where(*same).values(count=R["count"] + count, last_at=at)
    return session.connection().execute(statement).rowcount == 1


def search(
    session: Session, *, since: datetime, until: datetime, text: str = "", limit: int = 1000
) -> tuple[RefusalCount, ...]:
    """The tally of the days from ``since`` to ``until``, latest first.

    ``text`` narrows it to a reason code, a From domain or a network (an address is looked up as its network).
    """
    days = (since.astimezone(UTC).date().isoformat(), until.astimezone(UTC).date().isoformat())
    statement = (
        select(table(RefusalTable))
        .where(R.day.between(*days))
        .order_by(R.last_at.desc(), R.code)
        .limit(limit)
    )
    if text:
        statement = statement.where(
            (R.code == text)
            | (R.from_domain == text.lower())
            | R.network.in_([text, network_of(text) or text])
        )
    return tuple(RefusalCount(**row._mapping) for row in session.connection().execute(statement))
