"""What every part of the desk has, and the one way to act at it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import demand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.desk.config import DeskConfig
    from relaydesk.desk.permissions import Act
    from relaydesk.store import Store


@dataclass(frozen=True, slots=True)
class Acting:
    """One act under way: its transaction, who acts (as events name them), and when (aware UTC)."""

    session: Session
    actor: str
    now: datetime


class DeskPart:
    """The base of the desk's parts. ``clock`` gives aware UTC."""

    def __init__(self, store: Store, config: DeskConfig, clock: Callable[[], datetime]) -> None:
        self.store, self.config, self.clock = store, config, clock

    @contextmanager
    def acting(self, act: Act, by: str) -> Iterator[Acting]:
        """A write transaction for one act, once ``by`` is found to be permitted it.

        Raises NotPermitted before anything is written.
        """
        with self.store.transaction() as session:
            yield Acting(session, demand(session, act, by), self.clock())
