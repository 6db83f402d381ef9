"""The fan-out: one feed for each process, a subscriber for each open page."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

RESYNC = "resync"
"""The name for "anything may have changed": the page fetches all that it shows."""

KEPT = 2048  # pieces of news that a page which comes back can still have
MOST_WAITING = 256  # names that wait for one page; more are a resync
PER_BROWSER, PER_AGENT = 4, 12  # streams; a browser opens six connections to one host and no more

Ending = Literal["closed", "displaced", "signed-out"]


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Names for one page, and the position that it stands at then."""

    position: str
    names: tuple[str, ...]


@dataclass(eq=False)
class Subscriber:
    """One open page. What waits for it is a set of names, so however slow it reads, it holds no more than
    there are; ``ending`` says why its stream ends."""

    agent: str
    browser: str
    loop: asyncio.AbstractEventLoop
    waiting: dict[str, None] = field(default_factory=dict)
    number: int = 0
    ending: Ending | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, number: int, names: Iterable[str]) -> None:
        """More news, under the feed's lock."""
        self.number = number
        if RESYNC not in self.waiting:
            self.waiting.update(dict.fromkeys(names))
            if len(self.waiting) > MOST_WAITING or RESYNC in self.waiting:
                self.waiting = {RESYNC: None}


class NewsFeed:
    """Hands every name to every subscriber; safe in any thread.

    A position is the feed's own name and the number of the last news before it. A page knows that of the
    moment before it was rendered, and the browser that of the last news it got, so that neither misses what
    came until its stream was open. A position of another process or of long ago gets a resync.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._name = secrets.token_hex(4)
        self._number = 0
        self._kept: deque[tuple[int, tuple[str, ...]]] = deque(maxlen=KEPT)
        self._subscribers: dict[Subscriber, None] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._subscribers)

    @property
    def position(self) -> str:
        """Where the feed stands now."""
        return self._at(self._number)

    def _at(self, number: int) -> str:
        return f"{self._name}.{number}"

    def publish(self, names: Iterable[str]) -> None:
        """Tells all pages of what changed."""
        news = tuple(dict.fromkeys(names))
        if not news:
            return
        with self._lock:
            self._number += 1
            self._kept.append((self._number, news))
            for subscriber in self._subscribers:
                subscriber.add(self._number, news)
            self._wake(self._subscribers)

    def subscribe(self, agent: str, browser: str, since: str) -> Subscriber:
        """A page that stands at ``since``, on the running loop. Its agent's oldest make room for it."""
        subscriber = Subscriber(agent, browser, asyncio.get_running_loop())
        with self._lock:
            subscriber.add(self._number, self._missed(since))
            if subscriber.waiting:
                subscriber.wake.set()
            if self._closed:
                self._end([subscriber], "closed")
            ours = [other for other in self._subscribers if other.agent == agent]
            same = [other for other in ours if other.browser == browser]
            over = max(0, len(same) - PER_BROWSER + 1), max(0, len(ours) - PER_AGENT + 1)
            self._end(same[: over[0]] or ours[: over[1]], "displaced")
            self._subscribers[subscriber] = None
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Its stream has ended."""
        with self._lock:
            self._subscribers.pop(subscriber, None)

    def take(self, subscriber: Subscriber) -> Bulletin | None:
        """What waits for a page, None for nothing."""
        with self._lock:
            names, subscriber.waiting = tuple(subscriber.waiting), {}
            if subscriber.ending is None:
                subscriber.wake.clear()
            return Bulletin(self._at(subscriber.number), names) if names else None

    def open(self) -> None:
        """Takes subscribers (again)."""
        with self._lock:
            self._closed = False

    def close(self) -> None:
        """Ends every stream, and those to come."""
        with self._lock:
            self._closed = True
            self._end(list(self._subscribers), "closed")

    def sign_out(self, browser: str) -> None:
        """Ends the streams of a browser in which nobody is signed in any more."""
        with self._lock:
            self._end([page for page in self._subscribers if page.browser == browser], "signed-out")

    def _missed(self, since: str) -> list[str]:
        name, _, number = since.partition(".")
        if (
            name != self._name
            or not number.isascii()
            or not number.isdigit()
            or len(number) > len(str(2**63))
        ):
            return [RESYNC]
        oldest = self._kept[0][0] if self._kept else self._number + 1
        if not oldest - 1 <= int(number) <= self._number:
            return [RESYNC]
        return [word for at, names in self._kept if at > int(number) for word in names]

    def _end(self, subscribers: list[Subscriber], ending: Ending) -> None:
        for subscriber in subscribers:
            subscriber.ending = ending
            self._subscribers.pop(subscriber, None)
        self._wake(subscribers)

    def _wake(self, subscribers: Iterable[Subscriber]) -> None:
        """One call into each loop, however many pages there are."""
        asleep: dict[asyncio.AbstractEventLoop, list[Subscriber]] = {}
        for subscriber in subscribers:
            if not subscriber.wake.is_set():
                asleep.setdefault(subscriber.loop, []).append(subscriber)
        for loop, pages in asleep.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_set_all, pages)


def _set_all(subscribers: list[Subscriber]) -> None:
    for subscriber in subscribers:
        subscriber.wake.set()
