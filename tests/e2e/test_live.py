"""The stream of news of a real office: who comes back misses nothing, who is signed out hears no more."""

from __future__ import annotations

import http.client
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from relaydesk.desk.permissions import CONSOLE
from relaydesk.store.engine import Store
from relaydesk_testkit.buyers import mail
from relaydesk_testkit.serving import STORED, Serving
from tests.support.desk import ALICE, desk

if TYPE_CHECKING:
    from relaydesk.desk.desk import Desk
    from tests.e2e.conftest import Start


class Stream:
    """One open page, read by hand."""

    def __init__(self, serving: Serving, cookie: str, *, since: str = "", last: str = "") -> None:
        host = urlsplit(serving.web).netloc
        self.connection = http.client.HTTPConnection(host, timeout=30)
        headers = {"Cookie": cookie, **({"Last-Event-ID": last} if last else {})}
        self.connection.request("GET", f"/live?{urlencode({'since': since})}", headers=headers)
        self.response = self.connection.getresponse()
        self.last = ""
        if self.response.status == 200:
            assert self.response.headers["Content-Type"].startswith("text/event-stream")
            assert self.event()[0] == "hello"

    def event(self) -> tuple[str, str]:
        """The next event: its kind and data; ("", "") at the end."""
        kind, data = "message", ""
        while line := self.response.readline():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                kind = value
            elif field == "data":
                data = value
            elif field == "id":
                self.last = value
            elif not field and data:
                return kind, data
        return "", ""

    def names(self, until: str) -> list[str]:
        """The names of the events up to the one that has this name."""
        names: list[str] = []
        while until not in names:
            kind, data = self.event()
            assert kind == "message", (kind, data, names)
            names += data.split(" ")
        return names

    def close(self) -> None:
        self.response.close()
        self.connection.close()


def sign_in(serving: Serving, office: Desk) -> str:
    """The cookie of a new session of Alice."""
    connection = http.client.HTTPConnection(urlsplit(serving.web).netloc, timeout=30)
    connection.request("GET", "/enter/" + office.accounts.link("alice", by=CONSOLE, kind="direct"))
    response = connection.getresponse()
    assert response.status == 303, response.read()
    connection.close()
    return response.headers["Set-Cookie"].partition(";")[0]


def test_an_office_tells_its_pages_of_what_others_commit(sqlite_url: str, start_serving: Start) -> None:
    """On either engine what is committed is heard: tests/store/test_news.py."""
    with start_serving(sqlite_url, web=["127.0.0.1:0"]) as serving:
        assert refused(serving)
        store = Store.open(sqlite_url)  # as a third process has it
        office = desk(store, datetime.now(UTC))
        cookie = sign_in(serving, office)
        seen = hears_of_mail(serving, cookie)
        misses_nothing_while_away(serving, cookie, seen, office)
        store.close()
        ends_with_the_process(serving, cookie)


def refused(serving: Serving) -> bool:
    stream = Stream(serving, "")
    stream.close()
    return stream.response.status == 303


def hears_of_mail(serving: Serving, cookie: str) -> str:
    """From the listener process; where the news stand then."""
    stream = Stream(serving, cookie)
    assert stream.names("resync") == ["resync"]  # it named no place that this process knows
    assert serving.deliver(mail(1)).startswith(STORED)
    assert {"ticket-1", "tickets", "counts"} <= set(stream.names("counts"))
    stream.close()
    return stream.last


def misses_nothing_while_away(serving: Serving, cookie: str, seen: str, office: Desk) -> None:
    office.tickets.note(1, "Call the carrier.", by=ALICE)
    assert serving.deliver(mail(2)).startswith(STORED)
    stream = Stream(serving, cookie, last=seen)
    names = stream.names("ticket-2")
    assert "ticket-1" in names
    assert "resync" not in names
    stream.close()


def ends_with_the_process(serving: Serving, cookie: str) -> None:
    streams = [Stream(serving, cookie) for _ in range(5)]
    streams[0].names("resync")
    assert streams[0].event() == ("end", "displaced")  # a browser has four at most
    begun = time.monotonic()
    assert serving.end() == 0
    assert time.monotonic() - begun < 3
    for stream in streams:
        while stream.event() != ("", ""):
            pass
        stream.close()
