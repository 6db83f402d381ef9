# ruff: noqa: E402 - a script: it finds the project around itself before it imports from it
"""What the report costs: time, memory, and how long others wait meanwhile: ``bench/report.py``.

    python bench/report.py [--database sqlite|postgresql] [--tickets N] [--json]

A store of twice N tickets over two months is written; the report of the second month is counted and
compared with the first. Beside it a thread stands for the event loop: it asks for the processor every 5 ms
and notes how late it gets it; another one writes, as mail does.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "src")]

from sqlalchemy import insert

from relaydesk.business_time.calendar import Calendar
from relaydesk.data import data_path
from relaydesk.report.publish import ReportFormat, count_report, publish_report
from relaydesk.report.scope import ReportScope, month
from relaydesk.store.engine import Store
from relaydesk.store.tables import TicketEventTable, table
from relaydesk_testkit import postgres
from relaydesk_testkit.past import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

CALENDAR = Calendar.from_mapping({"zone": "America/Los_Angeles", "holidays": {"region": "US"}})
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
BEGIN = datetime(2026, 10, 1, 7, tzinfo=UTC)
TICK = 0.005  # seconds


@contextlib.contextmanager
def waiting() -> Iterator[list[float]]:
    """How much later than asked a thread got the processor, in seconds."""
    delays: list[float] = []
    over = threading.Event()

    def tick() -> None:
        while not over.is_set():
            asked = time.perf_counter()
            time.sleep(TICK)
            delays.append(time.perf_counter() - asked - TICK)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield delays
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def writing(store: Store) -> Iterator[list[float]]:
    """How long small write transactions took meanwhile, in seconds."""
    took: list[float] = []
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.02):
            begun = time.perf_counter()
            with store.transaction() as session:
                event = {"ticket_id": 1, "at": NOW, "noted_at": NOW, "what": "note", "actor": "x", "data": {}}
                session.connection().execute(insert(table(TicketEventTable)), event)
            took.append(time.perf_counter() - begun)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def _fill(url: str, tickets: int) -> None:
    store = Store.open(url, upgrade=True)
    fill(store, tickets, since=BEGIN, until=NOW)
    store.close()


def measure(store: Store, tickets: int) -> dict[str, Any]:
    scope = ReportScope(*month("2026-11", CALENDAR.zone))
    before = peak()
    with waiting() as delays, writing(store) as writes:
        begun = time.perf_counter()
        report = count_report(store, scope, calendar=CALENDAR, now=NOW, compare=True)
        counted = time.perf_counter() - begun
    figures: dict[str, Any] = {
        "tickets": tickets,
        "counted": report.overall.clocks,
        "breached": report.overall.breached.count,
        "seconds": round(counted, 2),
        "memory_mb": round(peak() - before, 1),
        "loop_late_ms": quantiles(delays),
        "write_ms": quantiles(writes),
    }
    with tempfile.TemporaryDirectory() as folder:
        forms: tuple[ReportFormat, ...] = ("csv", "json", "xlsx")
        for form in forms:
            begun = time.perf_counter()
            with (Path(folder) / form).open("w", encoding="utf-8", newline="") as out:
                publish_report(
                    store, scope, out, form=form, calendar=CALENDAR, now=NOW, templates=data_path("templates")
                )
            size = (Path(folder) / form).stat().st_size
            figures[form] = {"seconds": round(time.perf_counter() - begun, 2), "mb": round(size / 1e6, 1)}
    figures["memory_with_files_mb"] = round(peak() - before, 1)
    return figures


def quantiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median": round(ordered[len(ordered) // 2] * 1000, 1),
        "p99": round(ordered[int(len(ordered) * 0.99)] * 1000, 1),
        "max": round(ordered[-1] * 1000, 1),
    }


def peak() -> float:
    """The most memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"))
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = {}
    for database in [options.database] if options.database else ["sqlite", "postgresql"]:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{folder}/relaydesk.db"
            if database == "postgresql":
                server = postgres.Server()
                stack.callback(server.remove)
                server.start()
                url = server.url()
            filling = multiprocessing.get_context("spawn").Process(
                target=_fill, args=(url, 2 * options.tickets)
            )
            filling.start()  # apart, so that its memory is not counted
            filling.join()
            store = Store.open(url)
            results[database] = measure(store, options.tickets)
            store.close()
        if not options.json:
            print(database, json.dumps(results[database], indent=1))
    if options.json:
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
