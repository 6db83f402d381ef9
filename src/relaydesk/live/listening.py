"""The thread that listens to the store and tells the open pages."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from relaydesk.live.feed import RESYNC, NewsFeed
from relaydesk.live.presence import PresenceBoard
from relaydesk.logs import log
from relaydesk.store import StoreError, news

if TYPE_CHECKING:
    from relaydesk.live.presence import Doing
    from relaydesk.store import Store

SLICE_SECONDS = 0.5  # after which the thread looks whether it shall end
AGAIN_SECONDS = 1.0  # after which a broken connection is tried again
LONGEST_PAUSE = 15.0
_HERE, _GONE = "here", "gone"


class Live:
    """The feed of a process and its board. ``start`` begins to listen, ``close`` ends it and every stream."""

    def __init__(self, store: Store) -> None:
        self.feed, self.board = NewsFeed(), PresenceBoard()
        self._store = store
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._shared = store.engine.dialect.name == "postgresql"

    def start(self) -> None:
        """Listens in a thread of its own; returns at once. Pages until then are told to resync."""
        self._ended = threading.Event()
        self.feed.open()
        self._thread = threading.Thread(target=self._listen, name="news", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the streams at once, and the thread soon."""
        self._ended.set()
        self.feed.close()

    # --- who is where

    def present(self, agent: str, tab: str, ticket: int, doing: Doing) -> None:
        """A page of an agent shows a ticket. StoreError where other processes cannot be told of it."""
        self._seen(self.board.put(agent, tab, ticket, doing, time.monotonic()))
        self._tell_others(f"{_HERE}:{ticket}:{doing}:{tab}:{quote(agent, safe='')}")

    def gone(self, agent: str, tab: str) -> None:
        """A page of an agent shows no ticket any more."""
        self._seen(self.board.leave(agent, tab))
        self._tell_others(f"{_GONE}:0::{tab}:{quote(agent, safe='')}")

    def _tell_others(self, word: str) -> None:
        if self._shared:
            with self._store.transaction() as session:  # writes nothing, so no disk is waited for
                news.tell(session, [word])

    def _seen(self, tickets: set[int]) -> None:
        self.feed.publish(f"presence-{ticket}" for ticket in sorted(tickets))

    # --- what happens

    def _listen(self) -> None:
        pause, lost = AGAIN_SECONDS, False
        ended = self._ended
        while not ended.is_set():
            try:
                tail = news.tail(self._store)
            except StoreError as error:
                self._say_lost(error, already=lost)
                lost = True
            else:
                pause, lost = AGAIN_SECONDS, self._follow(tail, ended)
            ended.wait(pause if lost else 0)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _follow(self, tail: news.NewsTail, ended: threading.Event) -> bool:
        """Until the connection breaks; whether it did. What came before it stood is a resync for all."""
        self.feed.publish([RESYNC])
        try:
            while not ended.is_set():
                for payload in tail.wait(SLICE_SECONDS):
                    self._heard(payload.split(" "))
                self._seen(self.board.expire(time.monotonic()))
        except StoreError as error:
            self._say_lost(error, already=False)
            return True
        finally:
            tail.close()
        return False

    def _heard(self, words: list[str]) -> None:
        names = []
        for word in words:
            if word.startswith((f"{_HERE}:", f"{_GONE}:")):
                self._heard_of_presence(word)
            else:
                names.append(word)
        self.feed.publish(names)

    def _heard_of_presence(self, word: str) -> None:
        what, ticket, doing, tab, agent = word.split(":")
        if what == _GONE:
            self._seen(self.board.leave(unquote(agent), tab))
        elif doing in ("viewing", "writing"):
            self._seen(
                self.board.put(unquote(agent), tab, int(ticket), doing, time.monotonic())  # type: ignore[arg-type]
            )

    def _say_lost(self, error: StoreError, *, already: bool) -> None:
        if not already:
            log("news_lost", level="warning", problem=str(error))
