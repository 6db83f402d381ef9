"""What the desk's pages cost with many tickets: ``bench/desk.py [--tickets 1000 1000000] [--engine sqlite]``.

Two stores are filled by plain SQL on each engine, a small and a large one: of a thousand tickets nine
hundred are open, of a million ten thousand. Each page is asked of both in turn, and its median stands beside
the ratio of the two: the large one must cost less than 1.5 times the small one and 100 ms, its HTML hold in
60 KB. "Counted anew" is after something has happened, else what is counted is kept.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk.store.engine import Store
from relaydesk_testkit import postgres
from relaydesk_testkit.many_tickets import COMMON, MANY, RARE, agent_tickets, fill
from relaydesk_testkit.pages import DeskPages

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from relaydesk.desk.desk import Desk

ENGINES = ("sqlite", "postgresql")
PAGES = {
    "all open": "/",
    "rail": "/rail",
    "rail, counted anew": "anew:/rail",
    "queue": "/queues/case",
    "queue, counted anew": "anew:/queues/case",
    "queue, next page": "next:/queues/case",
    "mine": "/views/mine",
    "unassigned": "/views/unassigned",
    "waiting": "/views/waiting",
    "needs a look": "/views/look",
    "snoozed": "/views/snoozed",
    "closed": "/views/closed",
    "closed, next page": "next:/views/closed",
    "filter: not proven (rare)": "/queues/case?unproven=1",
    "filter: escalated (rare)": "/?escalated=1",
    "filter: reason (rare)": "/?reason=cancellation_request",
    "filter: kind of another queue": "/queues/case?kind=claim",
    "filter: agent and reason": "/?own=@agent.3&reason=cancellation_request",
    "filter: words": f"/?q={RARE}",
    "search: a rare word": f"/search?q={RARE}",
    "search: a common word": f"/search?q={COMMON}",
    "search: common, open": f"/search?q={COMMON}&state=open",
    "search: a beginning": f"/search?q={COMMON[:3]}",
    "search: an order of 200 tickets": f"/search?q={MANY}",
    "search: a ticket's number": "/search?q=500",
    "row": "/tickets/500/row",
    "ticket": "/tickets/500",
    "ticket of an order of 200": "many:/tickets/",
}
LIMIT, MOST_MS, MOST_BYTES = 1.5, 100.0, 60 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tickets", type=int, nargs=2, default=(1_000, 1_000_000), metavar=("SMALL", "LARGE")
    )
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--page", action="append", help="only pages whose name holds this")
    options = parser.parse_args()
    failed = 0
    for engine in options.engine or ENGINES:
        with ExitStack() as places:
            desks = [places.enter_context(_filled(engine, tickets)) for tickets in options.tickets]
            print(f"\n{engine}: {options.tickets[0]:,} and {options.tickets[1]:,} tickets", flush=True)
            print(f"  {'page':34} {'small':>9} {'large':>9} {'ratio':>6} {'KB':>6}")
            for name, path in PAGES.items():
                if not options.page or any(part in name for part in options.page):
                    failed += _measure(name, path, desks, options.rounds)
    return 1 if failed else 0


class _filled:  # noqa: N801 - a context manager
    """A desk over so many tickets."""

    def __init__(self, engine: str, tickets: int) -> None:
        self.engine, self.tickets = engine, tickets

    def __enter__(self) -> DeskPages:
        self._places = ExitStack()
        if self.engine == "sqlite":
            folder = self._places.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{Path(folder)}/relaydesk.db"
        else:
            server = postgres.Server(shared_buffers="256MB")
            self._places.callback(server.remove)
            server.start()
            url = server.url()
        store = Store.open(url, upgrade=True)
        self._places.callback(store.close)
        began = time.monotonic()
        desk: Desk = fill(store, self.tickets)
        print(f"filled {self.tickets:,} in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        return DeskPages(desk)

    def __exit__(self, *_: object) -> None:
        self._places.close()


def _measure(name: str, path: str, desks: list[DeskPages], rounds: int) -> int:
    clients = [pages.client("agent.1") for pages in desks]
    paths = [_path(path, pages, client) for pages, client in zip(desks, clients, strict=True)]
    if not all(paths):
        return 0
    times: list[list[float]] = [[], []]
    size = 0
    for number in range(rounds + 2):
        for place, (client, at) in enumerate(zip(clients, paths, strict=True)):
            if path.startswith("anew:"):
                desks[place].desk.tickets.note(1, "Something has happened.", by="agent:agent.1")
            headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/"} if at == "/rail" else {}
            began = time.perf_counter()
            response = client.get(at, headers=headers)
            if number > 1:
                times[place].append((time.perf_counter() - began) * 1000)
            if response.status_code == 404:
                return 0  # a page that this build has not
            response.raise_for_status()
            size = max(size, len(response.content))
    small, large = (statistics.median(each) for each in times)
    bad = large > LIMIT * small or large > MOST_MS or size > MOST_BYTES
    mark = "  <--" if bad else ""
    print(
        f"  {name:34} {small:6.1f} ms {large:6.1f} ms {large / small:6.2f} {size / 1024:6.1f}{mark}",
        flush=True,
    )
    return bad


def _path(path: str, pages: DeskPages, client: TestClient) -> str:
    how, _, rest = path.partition(":")
    if how == "many":
        return f"{rest}{agent_tickets(pages.desk)}"
    if how == "anew":
        return rest
    if how != "next":
        return path
    more = client.get(rest).text.partition('id="more"')[2].partition('href="')[2].partition('"')[0]
    return more.replace("&amp;", "&")


if __name__ == "__main__":
    raise SystemExit(main())
