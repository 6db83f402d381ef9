"""Every figure of a report by a name that an address can hold, such as ``queue:case:breached``. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.report.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from relaydesk.report.figures import Outcomes, Report

OUTCOMES = ("met", "breached", "overdue", "running", "undecided")


def figure(report: Report, name: str) -> Figure | None:
    """The figure of this name (days and hours may be ``FIRST..LAST``), None where no figure is so called.

    A row that the report lacks is 0.
    """
    kind, _, rest = name.partition(":")
    row, _, column = rest.rpartition(":")
    reader = _READERS.get(kind)
    return reader(report, row, column) if reader else None


def title(name: str) -> str:
    """What a figure is, for the head of its list."""
    kind, _, rest = name.partition(":")
    row, _, column = rest.rpartition(":")
    words = {
        "all": "{column}",
        "clock": "{row}, {column}",
        "queue": "{column} in queue {row}",
        "agent": "{column}, {who}",
        "days": "{column}, deadline {row}",
        "times": "{row}, {column}",
        "bands": "{row} business hours, {column}",
        "age": "open for {row}, {column}",
        "hour": "{column}, {row}",
        "why": "breached: {column}",
        "work": "{column}, {who}",
        "bounced": "answers bounced, {column}",
        "unverified": "taken in unproven: {column}",
        "whole": "{column}",
    }
    text = words.get(kind, "{column}").format(
        row=row.replace("..", " to "), who=row or "nobody", column=column.replace("_", " ")
    )
    return text[:1].upper() + text[1:]


def _outcomes(rows: Callable[[Report], Iterable[Outcomes]]) -> Callable[[Report, str, str], Figure | None]:
    def read(report: Report, row: str, column: str) -> Figure | None:
        if column not in OUTCOMES:
            return None
        return next((getattr(entry, column) for entry in rows(report) if entry.name == row), Figure())

    return read


def _overall(report: Report, row: str, column: str) -> Figure | None:
    return getattr(report.overall, column) if column in OUTCOMES and not row else None


def _days(report: Report, row: str, column: str) -> Figure | None:
    """The days from one to another, both included, added up."""
    first, _, last = row.partition("..")
    if column not in OUTCOMES:
        return None
    return joined(getattr(day, column) for day in report.by_day if first <= day.name <= (last or first))


def _times(report: Report, row: str, column: str) -> Figure | None:
    if column not in ("answered", "slowest", "longest"):
        return None
    return next((getattr(times, column) for times in report.times if times.name == row), Figure())


def _bands(report: Report, row: str, column: str) -> Figure | None:
    group, _, band = row.rpartition(":")
    if column not in ("in_time", "late"):
        return None
    bands = (band for times in report.times if times.name == group for band in times.bands)
    return next((getattr(entry, column) for entry in bands if entry.name == band), Figure())


def _ages(report: Report, row: str, column: str) -> Figure | None:
    if column not in ("in_time", "overdue"):
        return None
    ages = [age for age in report.ageing if row in (age.name, "all")]
    return joined(getattr(age, column) for age in ages)


def _hours(report: Report, row: str, column: str) -> Figure | None:
    if column not in ("started", "breached"):
        return None
    day, _, hours = row.partition("-")
    first, _, last = hours.partition("..")
    return joined(
        getattr(entry, column)
        for entry in report.hours
        if str(entry.weekday) == day and first <= f"{entry.hour:02}" <= (last or first)
    )


def _work(report: Report, row: str, column: str) -> Figure | None:
    if column not in ("sent", "handled", "closed", "open"):
        return None
    return next((getattr(work, column) for work in report.work if work.name == row), Figure())


def _whole(report: Report, row: str, column: str) -> Figure | None:
    """What stands for itself."""
    wholes: dict[str, Callable[[], Figure]] = {
        "cases": lambda: report.cases,
        "sent": lambda: report.sent,
        "withdrawn": lambda: report.withdrawn,
        "became_claims": lambda: Figure(
            len(report.became_claims), tuple(sorted({entry.case for entry in report.became_claims}))
        ),
        "open": lambda: joined(work.open for work in report.work),
    }
    return wholes[column]() if column in wholes and not row else None


def _why(report: Report, row: str, column: str) -> Figure | None:
    tickets = [breach.ticket for breach in report.breaches if column in breach.why]
    return None if row else Figure(len(tickets), tuple(sorted(set(tickets))))


def joined(figures: Iterable[Figure]) -> Figure:
    """Figures added up; a ticket that is in several is there once."""
    parts = list(figures)
    if len(parts) == 1:
        return parts[0]
    tickets = {ticket for part in parts for ticket in part.tickets}
    return Figure(sum(part.count for part in parts), tuple(sorted(tickets)))


_READERS: dict[str, Callable[[Report, str, str], Figure | None]] = {
    "all": _overall,
    "clock": _outcomes(lambda report: report.by_clock),
    "queue": _outcomes(lambda report: report.by_queue),
    "agent": _outcomes(lambda report: report.by_agent),
    "days": _days,
    "times": _times,
    "bands": _bands,
    "age": _ages,
    "hour": _hours,
    "why": _why,
    "work": _work,
    "bounced": lambda report, _, column: dict(report.bounced).get(column, Figure()),
    "unverified": lambda report, _, column: dict(report.unverified).get(column, Figure()),
    "whole": _whole,
}


def every_name(report: Report) -> Iterator[str]:
    """The name of each figure that the report holds, for who checks them."""
    yield from (f"all::{column}" for column in OUTCOMES)
    for kind, rows in (("clock", report.by_clock), ("queue", report.by_queue), ("agent", report.by_agent)):
        yield from (f"{kind}:{row.name}:{column}" for row in rows for column in OUTCOMES)
    yield from (f"days:{day.name}:{column}" for day in report.by_day for column in OUTCOMES)
    for times in report.times:
        yield from (f"times:{times.name}:{column}" for column in ("answered", "slowest", "longest"))
        for band in times.bands:
            yield from (f"bands:{times.name}:{band.name}:{column}" for column in ("in_time", "late"))
    yield from (f"age:{age.name}:{column}" for age in report.ageing for column in ("in_time", "overdue"))
    for hour in report.hours:
        yield from (f"hour:{hour.weekday}-{hour.hour:02}:{column}" for column in ("started", "breached"))
    for work in report.work:
        yield from (f"work:{work.name}:{column}" for column in ("sent", "handled", "closed", "open"))
    yield from (f"bounced::{kind}" for kind, _ in report.bounced)
    yield from (f"unverified::{code}" for code, _ in report.unverified)
    yield from (f"whole::{name}" for name in ("cases", "sent", "withdrawn", "became_claims", "open"))
