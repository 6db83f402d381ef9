"""The fan-out of news, and the board of who is where: bounded, and nothing missed in silence."""

from __future__ import annotations

import asyncio
import threading

from relaydesk.live.feed import KEPT, MOST_WAITING, PER_AGENT, PER_BROWSER, RESYNC, NewsFeed
from relaydesk.live.presence import LASTS, MOST_TABS, WRITING_LASTS, PresenceBoard, Present


async def test_a_page_hears_what_came_since_it_was_rendered() -> None:
    feed = NewsFeed()
    feed.publish(["tickets"])
    rendered_at = feed.position
    feed.publish(["ticket-1", "tickets"])
    feed.publish(["counts"])
    news = feed.take(feed.subscribe("alice", "b1", rendered_at))
    assert news is not None
    assert (news.names, news.position) == (("ticket-1", "tickets", "counts"), feed.position)


async def test_a_page_that_stands_where_the_news_stand_hears_nothing() -> None:
    feed = NewsFeed()
    feed.publish(["tickets"])
    page = feed.subscribe("alice", "b1", feed.position)
    assert feed.take(page) is None
    assert not page.wake.is_set()


async def test_a_page_that_may_have_missed_something_fetches_all() -> None:
    feed = NewsFeed()
    first = feed.position
    for number in range(KEPT + 1):
        feed.publish([f"ticket-{number}"])
    name, _, number = feed.position.partition(".")
    for since in (
        "",
        "x",
        "other.1",
        first,
        f"{name}.{int(number) + 1}",
        f"{name}.-1",
        f"{name}." + "9" * 5000,
    ):
        news = feed.take(feed.subscribe("alice", since, since))
        assert news is not None, since
        assert news.names == (RESYNC,), since


async def test_a_slow_reader_costs_no_more_than_a_resync() -> None:
    feed = NewsFeed()
    page = feed.subscribe("alice", "b1", feed.position)
    for number in range(MOST_WAITING):
        feed.publish(["counts", f"ticket-{number % 7}"])
    assert len(page.waiting) == 8
    for number in range(100_000):
        feed.publish([f"ticket-{number}"])
        assert len(page.waiting) <= MOST_WAITING
    news = feed.take(page)
    assert news is not None
    assert news.names == (RESYNC,)


async def test_news_of_another_thread_wakes_the_page() -> None:
    feed = NewsFeed()
    page = feed.subscribe("alice", "b1", feed.position)
    threading.Thread(target=feed.publish, args=(["tickets"],)).start()
    await asyncio.wait_for(page.wake.wait(), 10)
    assert feed.take(page) is not None


async def test_the_oldest_pages_of_a_browser_and_of_an_agent_make_room() -> None:
    feed = NewsFeed()
    pages = [feed.subscribe("alice", "b1", "") for _ in range(PER_BROWSER + 1)]
    assert [page.ending for page in pages] == ["displaced"] + [None] * PER_BROWSER
    others = [feed.subscribe("alice", f"b{number}", "") for number in range(2, PER_AGENT + 2)]
    assert len(feed) == PER_AGENT
    assert others[-1].ending is None
    assert feed.subscribe("bob", "b1", "").ending is None


async def test_a_feed_that_ends_ends_every_page_and_those_to_come() -> None:
    feed = NewsFeed()
    page = feed.subscribe("alice", "b1", feed.position)
    feed.close()
    await asyncio.wait_for(page.wake.wait(), 10)
    assert page.ending == "closed"
    assert feed.subscribe("alice", "b1", feed.position).ending == "closed"


def test_it_is_seen_who_looks_and_who_writes() -> None:
    board = PresenceBoard()
    assert board.put("alice", "t1", 41, "viewing", 0) == {41}
    assert board.put("alice", "t1", 41, "viewing", 30) == set()  # nothing that anybody would see
    assert board.put("bob", "t2", 41, "writing", 30) == {41}
    assert board.put("alice", "t3", 41, "writing", 30) == {41}
    assert board.who([41, 42]) == {41: (Present("alice", "writing"), Present("bob", "writing"))}
    assert board.leave("alice", "t3") == {41}
    assert board.who([41])[41][0] == Present("alice", "viewing")
    assert board.put("alice", "t1", 42, "viewing", 31) == {41, 42}
    assert set(board.who([41, 42])) == {41, 42}


def test_who_is_silent_is_forgotten_and_who_stops_writing_looks_on() -> None:
    board = PresenceBoard()
    board.put("alice", "t1", 41, "writing", 0)
    assert board.expire(WRITING_LASTS - 1) == set()
    assert board.expire(WRITING_LASTS) == {41}
    assert board.who([41]) == {41: (Present("alice", "viewing"),)}
    assert board.expire(LASTS) == {41}
    assert board.who([41]) == {}


def test_an_agent_of_a_thousand_pages_takes_no_more_room() -> None:
    board = PresenceBoard()
    board.put("bob", "t", 1, "viewing", 0)
    for number in range(1000):
        board.put("alice", f"t{number}", number, "viewing", number)
    seen = board.who(range(1000))
    assert sum(Present("alice", "viewing") in people for people in seen.values()) == MOST_TABS
    assert Present("bob", "viewing") in seen[1]
