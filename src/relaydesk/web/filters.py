"""What a list is narrowed to, as the address of its page says it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.datastructures import QueryParams

    from relaydesk.desk import TicketFilter

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
    look: bool = False

    @classmethod
    def of(cls, params: QueryParams) -> Filters:
        """The filters of an address; what makes no sense is passed over."""
        return cls.read({name: params.getlist(name) for name in params})

    @classmethod
    def read(cls, values: Mapping[str, Sequence[str]]) -> Filters:
        """The same of what a saved view keeps."""

        def first(name: str) -> str:
            return ([*values.get(name, ()), ""][0]).strip()[:LONGEST]

        chosen = values.get("kind", ())
        kinds = tuple(kind for kind in KINDS if kind in chosen)
        agent = first("agent")
        return cls(
            q=first("q"),
            kinds=() if len(kinds) == len(KINDS) else kinds,
            own=f"@{agent}" if agent else first("own"),
            reason=first("reason"),
            unproven=bool(first("unproven")),
            escalated=bool(first("escalated")),
            look=bool(first("look")),
        )

    def __bool__(self) -> bool:
        return self != Filters()

    @property
    def query(self) -> dict[str, list[str]]:
        """As the parameters of an address."""
        values = {
            "q": [self.q],
            "kind": list(self.kinds),
            "own": [self.own],
            "reason": [self.reason],
            "unproven": ["1" * self.unproven],
            "escalated": ["1" * self.escalated],
            "look": ["1" * self.look],
        }
        return {name: chosen for name, chosen in values.items() if any(chosen)}

    @property
    def text(self) -> str:
        """The same as the query of an address."""
        return urlencode(self.query, doseq=True)

    def narrowed(self, criteria: TicketFilter, you: str) -> TicketFilter:
        """The list with these filters put on it."""
        changes: dict[str, object] = {}
        if self.q:
            changes["text"] = self.q
        if self.kinds:
            changes["kinds"] = self.kinds
        if self.own:
            changes["assignee"] = {YOU: you, NOBODY: ""}.get(self.own, self.own.removeprefix("@"))
        if self.reason:
            changes["contact_reason"] = self.reason
        if self.unproven:
            changes["verified"] = False
        if self.escalated:
            changes["escalated"] = True
        if self.look:
            changes["needs_look"] = True
        return replace(criteria, **changes)  # type: ignore[arg-type]
