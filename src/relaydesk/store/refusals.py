"""What was refused or deferred: counted by UTC day, reason, network and From domain, in bounded rows.

Strangers choose their domains and, within what they hold, their addresses. So each network has so many rows a
day, each wider one (/16, /32) so many in all, and the day a last cap; what is beyond is added up under
:data:`OTHERS`, step by step: other domains of the network, other networks of the wider one, others. Nobody
who fills a share of their own takes a row of anybody else. Networks of the list are apart from all that.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, select

from relaydesk.store.columns import clean
from relaydesk.store.contention import in_turns, upsert
from relaydesk.store.tables import RefusalTable, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from sqlmodel import Session

    from relaydesk.store.engine import Store

R = table(RefusalTable).c
OTHERS = "*"  # in the place of a network or a From domain: several, added up
OF_NETWORK = 20  # rows a day of one network (/24 or /48): From domains, by reason
OF_LISTED = 100  # the same of a network of the list; the listed senders' domains always have a row
OF_WIDE = 100  # rows a day of one wider network (/16 or /32)
OF_WIDE_LATE = 10  # the same once half of the day's rows are taken: those who are seldom seen keep theirs
OF_DAY = 5000  # rows of strangers a day; beyond it they are added up by reason alone
KEEP = timedelta(days=400)
LONGEST_TURN = 200  # rows of one transaction
LONGEST_DOMAIN = 255

RefusalStanding = Literal["stranger", "listed", "sender"]
"""Whose refusal: a stranger's; one of a listed network; there one of a listed sender, or a drift."""


@dataclass(frozen=True, slots=True)
class RefusalKey:
    """Where a refusal or deferral is counted. ``network`` and ``from_domain`` may be :data:`OTHERS`."""

    day: date
    code: str
    network: str
    from_domain: str
    standing: RefusalStanding = field(default="stranger", compare=False)


@dataclass(slots=True)
class RefusalTally:
    """How many there were under one key, and when the first and the last of them came."""

    count: int
    first_at: datetime
    last_at: datetime

    def add(self, other: RefusalTally) -> None:
        self.count += other.count
        self.first_at, self.last_at = (
            min(self.first_at, other.first_at),
            max(self.last_at, other.last_at),
        )


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """One line of what was refused or deferred; ``*`` stands for several networks or domains."""

    day: str
    code: str
    network: str
    from_domain: str
    count: int
    first_at: datetime
    last_at: datetime

    @property
    def added_up(self) -> Literal["", "domains", "networks"]:
        """What the line adds up: other domains of its network, or other networks around it or at all."""
        if self.from_domain != OTHERS:
            return ""
        several = self.network in (OTHERS, wide_network_of(self.network))
        return "networks" if several else "domains"


def refusal_key(
    day: date, code: str, ip: str, domain: str, standing: RefusalStanding = "stranger"
) -> RefusalKey:
    """The most exact key: of the network around an address, and the domain the mail claims to come from."""
    domain = clean(domain.lower())[:LONGEST_DOMAIN]
    return RefusalKey(day, code, network_of(ip), "" if domain == OTHERS else domain, standing)


@lru_cache(4096)
def network_of(ip: str, bits: tuple[int, int] = (24, 48)) -> str:
    """The /24 (IPv4) or /48 (IPv6) around an address, "" for none: enough to find a drift, no single host."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    prefix = bits[0] if address.version == 4 else bits[1]  # noqa: PLR2004
    return str(ipaddress.ip_network((address, prefix), strict=False))


def wide_network_of(network: str) -> str:
    """The /16 or /32 around a network or an address, "" for none."""
    return network_of(network.partition("/")[0], (16, 32))


def by_reason(key: RefusalKey) -> RefusalKey:
    """The coarsest key: all that was refused that day for one reason and is counted nowhere else."""
    return replace(key, network=OTHERS, from_domain=OTHERS)


class RefusalRows:
    """The rows of one day, and under which of them one more refusal is counted."""

    def __init__(self, keys: Iterable[RefusalKey] = ()) -> None:
        self._keys: set[RefusalKey] = set()
        self._of_network: Counter[str] = Counter()
        self._of_wide: Counter[str] = Counter()
        self._strangers = 0
        for key in keys:
            self._take(key)

    def place(self, key: RefusalKey) -> RefusalKey:
        """``key``, or the nearest coarser one that has a row or room for one. It has one from now on."""
        wide = wide_network_of(key.network)
        for candidate in (
            key,
            replace(key, from_domain=OTHERS),
            replace(key, network=wide or OTHERS, from_domain=OTHERS),
        ):
            if candidate in self._keys:
                return candidate
            if self._has_room(candidate, wide):
                self._take(candidate)
                return candidate
        return by_reason(key)

    def _has_room(self, key: RefusalKey, wide: str) -> bool:
        if key.standing == "sender":
            return True
        if key.standing == "listed":
            return key.from_domain == OTHERS or self._of_network[key.network] < OF_LISTED
        if key.from_domain != OTHERS and self._of_network[key.network] >= OF_NETWORK:
            return False
        if key.network == wide:  # what is left over of it has a place as long as the day has
            return self._strangers < OF_DAY
        late = self._strangers >= OF_DAY // 2
        return self._of_wide[wide] < (OF_WIDE_LATE if late else OF_WIDE) and self._strangers < OF_DAY

    def _take(self, key: RefusalKey) -> None:
        self._keys.add(key)
        self._of_network[key.network] += 1
        # More than these only a listed network has, and the rest of its rows is on nobody's account.
        if self._of_network[key.network] <= 2 * OF_NETWORK:
            self._of_wide[wide_network_of(key.network)] += 1
            self._strangers += 1


def write(store: Store, tallies: dict[RefusalKey, RefusalTally]) -> None:
    """Adds tallies to the rows of their days, in small turns behind mail, and takes out those that are in.

    Two processes that write at once may give a day a few more rows than its caps. Raises StoreUnavailable.
    """
    for day in sorted({key.day for key in tallies}):
        with store.reading() as session:
            keys = _keys_of(session, day)
        if not keys:
            _forget(store, day)
        rows = RefusalRows(keys)
        placed: dict[RefusalKey, _Placed] = {}
        for key in [key for key in tallies if key.day == day]:
            target = rows.place(key)
            placed.setdefault(target, _Placed(target)).add(key, tallies[key])
        # One order for all, so that no two processes wait for each other's rows.
        ordered = sorted(placed.values(), key=attrgetter("key.code", "key.network", "key.from_domain"))
        for written in in_turns(store, ordered, _write, longest=LONGEST_TURN):
            for key in written:
                del tallies[key]


@dataclass(slots=True)
class _Placed:
    """What goes into one row, and the keys that it came under."""

    key: RefusalKey
    sources: list[RefusalKey] = field(default_factory=list)
    tally: RefusalTally | None = None

    def add(self, source: RefusalKey, tally: RefusalTally) -> None:
        self.sources.append(source)
        if self.tally is None:
            self.tally = replace(tally)
        else:
            self.tally.add(tally)


def _write(session: Session, placed: Sequence[_Placed]) -> list[RefusalKey]:
    statement = upsert(session, RefusalTable)
    statement = statement.on_conflict_do_update(
        index_elements=[R.day, R.code, R.network, R.from_domain],
        set_={"count": R["count"] + statement.excluded["count"], "last_at": statement.excluded.last_at},
    )
    values = [
        {
            "day": row.key.day.isoformat(),
            "code": row.key.code,
            "network": row.key.network,
            "from_domain": row.key.from_domain,
            "count": row.tally.count,
            "first_at": row.tally.first_at,
            "last_at": row.tally.last_at,
        }
        for row in placed
        if row.tally is not None
    ]
    session.connection().execute(statement, values)
    return [source for row in placed for source in row.sources]


def _keys_of(session: Session, day: date) -> list[RefusalKey]:
    statement = select(R.code, R.network, R.from_domain).where(R.day == day.isoformat())
    return [RefusalKey(day, *row) for row in session.connection().execute(statement)]


def _forget(store: Store, day: date) -> None:
    oldest = (day - KEEP).isoformat()
    with store.turn() as session:
        session.connection().execute(delete(table(RefusalTable)).where(R.day < oldest))


def search(
    session: Session, *, since: datetime, until: datetime, text: str = "", limit: int = 1000
) -> tuple[RefusalCount, ...]:
    """The tally of the days from ``since`` to ``until``, latest first.

    ``text`` narrows it to a reason code, a From domain or a network. An address is looked up as its network,
    and both with what was added up for the wider network around.
    """
    days = (since.astimezone(UTC).date().isoformat(), until.astimezone(UTC).date().isoformat())
    statement = (
        select(table(RefusalTable))
        .where(R.day.between(*days))
        .order_by(R.last_at.desc(), R.code)
        .limit(limit)
    )
    if text:
        networks = [text, network_of(text) or text, wide_network_of(text) or text]
        statement = statement.where(
            (R.code == text) | (R.from_domain == text.lower()) | R.network.in_(networks)
        )
    return tuple(RefusalCount(**row._mapping) for row in session.connection().execute(statement))
