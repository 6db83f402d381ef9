"""What an attack is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk_testkit.campaign.target import Target


@dataclass(slots=True)
class Outcome:
    """``tried`` single attacks, of which ``held`` did no harm; ``problems`` are sentences on the others."""

    tried: int = 0
    held: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, holds: object, problem: str) -> None:
        """One more was tried; ``problem`` says what went wrong unless it held."""
        self.tried += 1
        if holds:
            self.held += 1
        else:
            self.problems.append(problem)

    def note(self, text: str) -> None:
        """A figure that is worth showing."""
        self.notes.append(text)


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack. ``run`` makes it; ``settings`` are those of its ``serve``.

    ``beside`` says whether good mail is timed meanwhile; ``descriptors`` bounds what the ``serve`` may open.
    ``seconds`` is for how long those attacks go on that have no end of their own. ``engines`` are the
    databases that it makes sense on.
    """

    name: str
    run: Callable[[Target, Outcome], None]
    beside: bool = True
    settings: dict[str, object] = field(default_factory=dict)
    descriptors: int | None = None
    seconds: float = 6.0
    engines: tuple[str, ...] = ("sqlite", "postgresql")
