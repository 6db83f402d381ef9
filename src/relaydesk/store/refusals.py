"""What was turned away: one row per UTC day, reason, network and From domain, up to a cap."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from relaydesk.store.tables import Refusal, table
from relaydesk.store.upsert import upsert

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

R = table(Refusal).c
DAILY_ROWS = 5000  # beyond it, a day's refusals are added up by reason alone
KEEP = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Refused:
    """One line of the tally. ``network`` and ``from_domain`` are "" where the day's cap was reached."""

    day: str
    code: str
    network: str
    from_domain: str
    count: int
    first_at: datetime
    last_at: datetime


def network_of(ip: str | None) -> str:
    """The /24 (IPv4) or /48 (IPv6) around an address, "" for none: enough to find a drift, no single host."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return ""
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))  # noqa: PLR2004


def count_refusal(
    session: Session, *, at: datetime, code: str, ip: str | None, from_domain: str = ""
) -> None:
    """Counts one refusal or deferral. ``at`` is aware; the day is UTC's."""
    key = {
        "day": at.astimezone(UTC).date().isoformat(),
        "code": code,
        "network": network_of(ip),
        "from_domain": from_domain.lower(),
    }
    if _count_again(session, key, at):
        return
    rows = session.connection().execute(select(func.count()).where(R.day == key["day"])).scalar_one()
    if rows == 0:
        oldest = (at.astimezone(UTC) - KEEP).date().isoformat()
        session.connection().execute(delete(table(Refusal)).where(R.day < oldest))
    if rows >= DAILY_ROWS:
        key |= {"network": "", "from_domain": ""}
    statement = upsert(session, Refusal).values(**key, count=1, first_at=at, last_at=at)
    statement = statement.on_conflict_do_update(
        index_elements=[R.day, R.code, R.network, R.from_domain],
        set_={"count": R["count"] + 1, "last_at": at},
    )
    session.connection().execute(statement)


def _count_again(session: Session, key: dict[str, str], at: datetime) -> bool:
    same = [R[name] == value for name, value in key.items()]
    statement = update(table(Refusal)).where(*same).values(count=R["count"] + 1, last_at=at)
    return session.connection().execute(statement).rowcount == 1


def search(
    session: Session, *, since: datetime, until: datetime, text: str = "", limit: int = 1000
) -> tuple[Refused, ...]:
    """The tally of the days from ``since`` to ``until``, latest first.

    ``text`` narrows it to a reason code, a From domain or a network (an address is looked up as its network).
    """
    days = (since.astimezone(UTC).date().isoformat(), until.astimezone(UTC).date().isoformat())
    statement = (
        select(table(Refusal)).where(R.day.between(*days)).order_by(R.last_at.desc(), R.code).limit(limit)
    )
    if text:
        statement = statement.where(
            (R.code == text)
            | (R.from_domain == text.lower())
            | R.network.in_([text, network_of(text) or text])
        )
    return tuple(Refused(**row._mapping) for row in session.connection().execute(statement))
