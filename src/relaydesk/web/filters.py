"""What a list is narrowed to, as the address of its page says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from relaydesk.desk import TicketFilter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.datastructures import QueryParams

KINDS = ("case", "claim", "chargeback", "unsorted", "notice")
ANYONE, NOBODY, YOU = "", "nobody", "you"
LONGEST = 300  # characters of what is searched for


@dataclass(frozen=True, slots=True)
class Filters:
    """``own`` is whose tickets: anyone's, nobody's, your own, or ``@NAME``. All else narrows further."""

    q: str = ""
    kinds: tuple[str, ...] = ()
    own: str = ANYONE
    reason: str = ""
    unproven: bool = False
    escalated: bool = False

    @classmethod
    def of(cls, params: QueryParams) -> Filters:
        """The filters of an address; what makes no sense is passed over."""
        return cls(
            q=params.get("q", "").strip()[:LONGEST],
            kinds=tuple(kind for kind in KINDS if kind in params.getlist("kind")),
            own=params.get("own", ANYONE)[:LONGEST],
            reason=params.get("reason", "")[:LONGEST],
            unproven="unproven" in params,
            escalated="escalated" in params,
        )

    def __bool__(self) -> bool:
        return self != Filters()

    @property
    def query(self) -> dict[str, list[str]]:
        """As the parameters of an address."""
        values = {
            "q": [self.q] if self.q else [],
            "kind": list(self.kinds),
            "own": [self.own] if self.own else [],
            "reason": [self.reason] if self.reason else [],
            "unproven": ["1"] if self.unproven else [],
            "escalated": ["1"] if self.escalated else [],
        }
        return {name: chosen for name, chosen in values.items() if chosen}

    @property
    def text(self) -> str:
        """The same as the query of an address."""
        return urlencode(self.query, doseq=True)

    def narrowed(self, criteria: TicketFilter, you: str) -> TicketFilter:
        """The list with these filters put on it."""
        changes: dict[str, object] = {}
        if self.q:
            changes["text"] = self.q
        if self.kinds and set(self.kinds) != set(KINDS):
            changes["kinds"] = self.kinds
        if self.own == YOU:
            changes["assignee"] = you
        elif self.own == NOBODY:
            changes["assignee"] = ""
        elif self.own.startswith("@"):
            changes["assignee"] = self.own[1:]
        if self.reason:
            changes["contact_reason"] = self.reason
        if self.unproven:
            changes["verified"] = False
        if self.escalated:
            changes["escalated"] = True
        return replace(criteria, **changes)  # type: ignore[arg-type]


def active_names(agents: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    """The names of those who still work here."""
    return tuple(name for name, active in agents if active)
