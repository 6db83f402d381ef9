"""The report as tables for a terminal, by rich."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from relaydesk.characters import harmless
from relaydesk.report.words import EMPTY, WEEKDAYS, percent, person, span, stopwatch, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from rich.console import Console
    from rich.table import Table

    from relaydesk.report.figures import AgentWork, Figure, Outcomes, Report

PLAIN_WIDTH = 110
WIDEST = 10_000  # more than any grid takes
LEAST_COLUMNS = 2
SHOWN = 6
SHADES = " ░▒▓█"
HOURS = "0     6     12    18    "
SHOWN_BREACHES = 20
WORDS = (
    "tickets",
    "breached tickets",
    "claim",
    "buyer",
    "order",
    "held by",
    "why",
    "network",
    "From domain",
    HOURS,
)  # columns that hold no numbers


def table(report: Report, out: TextIO) -> None:
    """Print it: in colour on a terminal, plain and 110 columns wide into a file or pipe."""
    from rich.console import Console  # noqa: PLC0415 - heavy, and only needed to print

    console = Console(file=out, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(file=out, highlight=False, width=PLAIN_WIDTH)
    with console.capture() as printed:
        _print(report, console)
    out.write(printed.get())  # not by the console, which ends the process when its reader is gone


def _print(report: Report, console: Console) -> None:
    console.print("SLA report", style="bold")
    for line in map(harmless, _head(report)):
        console.print(line, markup=False)
    for part in _parts(report):
        console.print(f"\n{part.title}", style="bold", markup=False)
        part.title = None
        _fit(part, console)
        console.print(part)
    if not report.overall.clocks:
        console.print(f"\n{EMPTY}")


def _fit(grid: Table, console: Console) -> None:
    """Makes a grid fit a terminal: no vertical lines, and no columns on the right that have no room there."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - heavy, and only needed to print

    if console.is_terminal:
        grid.box = SIMPLE_HEAD
    wide = console.options.update(max_width=WIDEST)
    while len(grid.columns) > LEAST_COLUMNS and console.measure(grid, options=wide).maximum > console.width:
        grid.columns.pop()


def _head(report: Report) -> Iterator[str]:
    yield f"Clocks started {span(report)}, zone {report.zone.key}"
    yield f"Calendar: {report.calendar}"
    for clock, target, reading in report.terms:
        yield f"Target: {clock} {target}, reading {reading}"
    for name, value in (("Queue", report.scope.queue), ("Agent", report.scope.agent)):
        if value is not None:
            yield f"{name}: {person(value)}"
    yield f"Made {report.made_at.astimezone(report.zone):%Y-%m-%d %H:%M}"


def _parts(report: Report) -> Iterator[Table]:
    if report.overall.clocks:
        yield _outcomes("Outcome", (report.overall, *report.by_clock))
        if report.before:
            yield _outcomes(f"The period before ({span(report.before)})", (report.before.overall,))
        yield _outcomes("By queue", report.by_queue)
        yield _outcomes("By agent", report.by_agent)
        yield _outcomes("By day of the deadline", report.by_day)
        yield _week(report)
    if report.breaches:
        yield _breaches(report)
    if report.times:
        yield _times("Response times in hours:minutes (tickets: the slowest tenth)", report)
    if report.before and report.before.times:
        yield _times("Response times of the period before", report.before)
    if any(age.in_time.count or age.overdue.count for age in report.ageing):
        ages = ((age.name, *_pair(age.overdue), *_pair(age.in_time)) for age in report.ageing)
        yield _grid("Open now, by age", ("age", "overdue", "tickets", "in time", "tickets"), ages)
    if report.work:
        columns = ("agent", "answers sent", "handled", "closed", "open now")
        yield _grid("Workload", columns, map(_work, report.work))
    if report.became_claims:
        title = f"Cases that became claims (of {len(report.cases.tickets)} cases)"
        claims = ((str(entry.case), entry.claim) for entry in report.became_claims)
        yield _grid(title, ("case", "claim"), claims)
    yield from _came_back(report)
    yield from _door(report)


def _came_back(report: Report) -> Iterator[Table]:
    if report.withdrawn.count:
        yield _grid("Breaches withdrawn", ("breaches", "tickets"), (_pair(report.withdrawn),))
    if report.bounced:
        bounced = ((kind, *_pair(tally)) for kind, tally in report.bounced)
        yield _grid(f"Bounced, of {report.sent.count} answers sent", ("kind", "answers", "tickets"), bounced)


def _door(report: Report) -> Iterator[Table]:
    if report.unverified:
        marked = ((code, *_pair(tally)) for code, tally in report.unverified)
        yield _grid("Accepted unverified", ("reason", "messages", "tickets"), marked)
    if report.refused:
        refused = ((entry.code, str(entry.count)) for entry in report.refused)
        yield _grid("Refused or deferred (see relaydesk refusals)", ("reason", "messages"), refused)
    if report.drift:
        drift = ((entry.network, entry.from_domain, str(entry.count)) for entry in report.drift)
        title = "Allowlist drift (see relaydesk allowlist audit)"
        yield _grid(title, ("network", "From domain", "messages"), drift)


def _grid(title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    from rich.table import Table  # noqa: PLC0415 - heavy, and only needed to print
    from rich.text import Text  # noqa: PLC0415 - see Table

    grid = Table(title=title)
    for place, column in enumerate(columns):
        justify: Literal["left", "right"] = "right" if place and column not in WORDS else "left"
        grid.add_column(column, justify=justify, no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(harmless(cell)) for cell in row))
    return grid


def _outcomes(title: str, rows: Iterable[Outcomes]) -> Table:
    columns = ("", "attainment", "met", "breached", "still open", "running", "undecided", "breached tickets")
    cells = (
        (
            person(row.name),
            percent(row.attainment),
            *(str(tally.count) for tally in (row.met, row.breached, row.overdue, row.running, row.undecided)),
            _tickets(row.breached),
        )
        for row in rows
    )
    return _grid(title, columns, cells)


def _breaches(report: Report) -> Table:
    """The latest; JSON, CSV and XLSX hold them all."""
    shown = report.breaches[: -SHOWN_BREACHES - 1 : -1]
    title = "Breaches, latest first" + (
        f" ({len(shown)} of {len(report.breaches)})" if len(shown) < len(report.breaches) else ""
    )
    rows = (
        (
            str(breach.ticket),
            stopwatch(breach.late) + ("+" if breach.open else ""),
            why(breach.why),
            person(breach.agent),
            f"{breach.due.astimezone(report.zone):%Y-%m-%d %H:%M}",
            breach.buyer,
            " ".join(breach.orders),
        )
        for breach in shown
    )
    return _grid(title, ("ticket", "late by", "why", "held by", "due", "buyer", "order"), rows)


def _work(work: AgentWork) -> tuple[str, ...]:
    counts = (work.sent, work.handled, work.closed, work.open)
    return (person(work.name), *(str(tally.count) for tally in counts))


def _times(title: str, report: Report) -> Table:
    columns = ("", "answers", "business median", "p90", "max", "wall median", "p90", "max", "tickets")
    rows = (
        (
            times.name,
            str(times.answered.count),
            *(
                stopwatch(value)
                for spread in (times.business, times.wall)
                for value in (spread.median, spread.p90, spread.max)
            ),
            _tickets(times.slowest),
        )
        for times in report.times
    )
    return _grid(title, columns, rows)


def _week(report: Report) -> Table:
    """A shade for the starts of each hour, ``!`` where one of them breached."""
    most = max(hour.started.count for hour in report.hours)
    cells = {(hour.weekday, hour.hour): hour for hour in report.hours}

    def shade(place: tuple[int, int]) -> str:
        hour = cells.get(place)
        if hour is None:
            return "·"
        return "!" if hour.breached.count else SHADES[-(-hour.started.count * (len(SHADES) - 1) // most)]

    rows = ((name, "".join(shade((day, hour)) for hour in range(24))) for day, name in enumerate(WEEKDAYS))
    return _grid("Clock starts by hour of the week (! = one of them breached)", ("", HOURS), rows)


def _pair(tally: Figure) -> tuple[str, str]:
    return str(tally.count), _tickets(tally)


def _tickets(tally: Figure) -> str:
    """The first few tickets; JSON and CSV name them all."""
    named = " ".join(str(ticket) for ticket in tally.tickets[:SHOWN])
    more = len(tally.tickets) - SHOWN
    return f"{named} +{more}" if more > 0 else named
