"""Who has which ticket open, and who writes: in memory only.

Nothing of it is worth a write to a disk, and on SQLite each write would stand in the way of mail. With
several office processes each hears of every page by NOTIFY and keeps a board of its own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Doing = Literal["viewing", "writing"]
LASTS = 75.0  # seconds without a word from the page
WRITING_LASTS = 45.0  # seconds without a further letter
MOST_TABS = 40  # of one agent
MOST = 20_000  # pages in all


@dataclass(frozen=True, slots=True, order=True)
class Present:
    """An agent at a ticket, and what they do there."""

    agent: str
    doing: Doing


@dataclass(slots=True)
class _Tab:
    agent: str
    ticket: int
    doing: Doing
    ends: float


class PresenceBoard:
    """Who is where. Moments are seconds of one monotonic clock; safe in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tabs: dict[tuple[str, str], _Tab] = {}

    def put(self, agent: str, tab: str, ticket: int, doing: Doing, now: float) -> set[int]:
        """A page says what it shows; the tickets at which that changes who is seen."""
        with self._lock:
            before = self._tabs.pop((agent, tab), None)
            if before is None:
                self._make_room(agent)
            lasts = WRITING_LASTS if doing == "writing" else LASTS
            self._tabs[agent, tab] = _Tab(agent, ticket, doing, now + lasts)
            if before is None:
                return {ticket}
            return set() if (before.ticket, before.doing) == (ticket, doing) else {before.ticket, ticket}

    def leave(self, agent: str, tab: str) -> set[int]:
        """A page is gone."""
        with self._lock:
            before = self._tabs.pop((agent, tab), None)
            return {before.ticket} if before is not None else set()

    def expire(self, now: float) -> set[int]:
        """Takes away what has not been heard of; who wrote looks on."""
        changed = set()
        with self._lock:
            for place, tab in list(self._tabs.items()):
                if tab.ends > now:
                    continue
                changed.add(tab.ticket)
                if tab.doing == "writing":
                    tab.doing, tab.ends = "viewing", tab.ends + LASTS - WRITING_LASTS
                else:
                    del self._tabs[place]
        return changed

    def who(self, tickets: Iterable[int]) -> dict[int, tuple[Present, ...]]:
        """Who is at each of these tickets, by name; those where nobody is are left out."""
        wanted = set(tickets)
        seen: dict[int, dict[str, Doing]] = {}
        with self._lock:
            for tab in self._tabs.values():
                if tab.ticket in wanted:
                    agents = seen.setdefault(tab.ticket, {})
                    if agents.get(tab.agent) != "writing":
                        agents[tab.agent] = tab.doing
        return {
            ticket: tuple(sorted(Present(agent, doing) for agent, doing in agents.items()))
            for ticket, agents in seen.items()
        }

    def _make_room(self, agent: str) -> None:
        """The page that has been silent for longest gives way."""
        theirs = [place for place in self._tabs if place[0] == agent]
        if len(theirs) >= MOST_TABS:
            del self._tabs[theirs[0]]
        elif len(self._tabs) >= MOST:
            del self._tabs[next(iter(self._tabs))]
