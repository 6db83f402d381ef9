"""Who looks at which ticket, and what has changed: what agents see of each other while they work."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import DeskPart, NotPermitted, agent_name
from relaydesk.live import Live
from relaydesk.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from relaydesk.live import Doing, Present


class Presence(DeskPart):
    """Who is where. It is kept in the memory of the processes that serve pages, never in the database."""

    @cached_property
    def live(self) -> Live:
        """What the open pages of this process listen to; it does not listen itself before its ``start``."""
        return Live(self.store)

    def say(self, ticket: int, doing: Doing, *, tab: str, by: str) -> None:
        """A page of an agent has a ticket open. ``tab`` tells the agent's pages from each other."""
        with suppress(StoreError):  # the other processes hear the next one
            self.live.present(_agent(by), tab, ticket, doing)

    def leave(self, *, tab: str, by: str) -> None:
        """That page has gone."""
        with suppress(StoreError):
            self.live.gone(_agent(by), tab)

    def who(self, tickets: Iterable[int]) -> Mapping[int, tuple[Present, ...]]:
        """Who is at these tickets, the asking agent too; where nobody is, the ticket is left out."""
        return self.live.board.who(tickets)


def _agent(by: str) -> str:
    name = agent_name(by)
    if name is None:
        raise NotPermitted(f"{by} is not an agent, so it looks at no ticket.")
    return name
