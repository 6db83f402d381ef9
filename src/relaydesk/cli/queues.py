"""``relaydesk queue`` and ``search``: the queues, the tickets in them, and those that a text leads to."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from relaydesk.characters import one_line
from relaydesk.cli.folding import say_folded
from relaydesk.cli.opening import ROW_ID, agent_of, desk_of, settings
from relaydesk.cli.output import Alarm, Faint, is_terminal, json_option, print_json, say
from relaydesk.cli.tables import Column, print_table
from relaydesk.cli.times import left, local

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from relaydesk.desk import Desk, TicketFilter
    from relaydesk.store import Page, PageKey, TicketOrder, TicketRow

MOST = 1000
# Those of relaydesk.events, which takes a fifth of the time that --help has; a test holds the two together.
KINDS = ("case", "claim", "chargeback", "notice", "unsorted", "bounce")
# Colour alone says nothing to many, and the column that says it in words may be left out.
OVERDUE, NEEDS_LOOK, UNVERIFIED = "!", "*", "?"
SIGNS = {
    OVERDUE: "overdue",
    NEEDS_LOOK: "needs a look",
    UNVERIFIED: "unverified: nothing vouches for the mail",
}
# On a narrow terminal the columns of the highest rank are left out first.
TICKETS = (
    Column(""),
    Column("ticket", right=True),
    Column("due"),
    Column("deadline", rank=6),
    Column("subject", least=24),
    Column("reason", least=10, rank=1),
    Column("from", least=8, rank=2),
    Column("order", rank=3),
    Column("kind", rank=5),
    Column("agent", least=6, rank=4),
    Column("look at", rank=6),
    Column("mail", rank=7),
)


@click.command()
@click.argument("name", required=False)
@click.option("--agent", help="Only the tickets of this agent; '' is nobody.")
@click.option("--unassigned", is_flag=True, help="Only tickets that nobody has.")
@click.option("--mine", "own", is_flag=True, help="Only your own tickets (the setting agent, or --as).")
@click.option("--as", "as_agent", metavar="NAME", help="Who you are, for --mine.")
@click.option("--waiting", is_flag=True, help="Only where the customer is to answer, the longest first.")
@click.option("--reason", metavar="CODE", help="Only this reason for contact, such as return_request.")
@click.option("--escalated", is_flag=True, help="Only cases that became a claim.")
@click.option("--kind", type=click.Choice(KINDS), help="Only tickets of this kind.")
@click.option("--unverified", is_flag=True, help="Only tickets of mail that nothing vouches for.")
@click.option("--needs-look", is_flag=True, help="Only tickets that a person must look at.")
@click.option("--overdue", is_flag=True, help="Only tickets past their deadline.")
@click.option("--closed", is_flag=True, help="Closed tickets instead of open ones, newest first.")
@click.option("--text", help="Only tickets that `search` finds by this text.")
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="Rows of a page.")
@click.option("--after", metavar="KEY", help="Go on after the page that named this KEY.")
@json_option
@click.pass_obj
def queue(
    config: str | None, /, name: str | None, *, limit: int, after: str | None, as_json: bool, **filters: Any
) -> None:
    """Show the queues, or the open tickets of queue NAME (or "all") by deadline.

    With a filter and no NAME, all queues are searched.
    """
    who, own = filters.pop("as_agent"), filters.pop("own")
    if filters["unassigned"] + own + (filters["agent"] is not None) > 1:
        raise click.UsageError("Choose one of --agent, --mine and --unassigned.")
    if filters["waiting"] and filters["closed"]:
        raise click.UsageError("Choose one of --waiting and --closed: a closed ticket waits for nobody.")
    if own:
        filters["agent"] = agent_of(settings(config), who).removeprefix("agent:")
    if filters["overdue"] and filters["closed"]:
        raise click.UsageError("Choose one of --overdue and --closed: a closed ticket has no deadline.")
    if filters["needs_look"] and filters["closed"]:
        raise click.UsageError("Choose one of --needs-look and --closed: a ticket to look at is open.")
    desk = desk_of(settings(config))
    narrowed = any(value not in (None, False) for value in filters.values())
    if name is None and after is None and not narrowed:
        _print_counts(desk, as_json=as_json)
        return
    page = desk.queues.page(_criteria(desk, name, **filters), after=_page_key(after), limit=limit)
    if as_json:
        _print_values(page)
        return
    title = f"Queue {name or 'all'}"
    place = "" if name in (None, "all") else f" in queue {name}"
    unmatched = f"No {'closed' if filters['closed'] else 'open'} ticket{place} matches."
    _print_page(desk, title, page, unmatched if narrowed else f"{title} is empty.", closed=filters["closed"])
    if page.after is not None:
        say(f"More: --after {_key_text(page.after)}")


@click.command()
@click.argument("words", metavar="TEXT...", nargs=-1, required=True)
@click.option("--open", "state", flag_value="open", help="Only open tickets.")
@click.option("--closed", "state", flag_value="closed", help="Only closed tickets.")
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="Rows at most.")
@json_option
@click.pass_obj
def search(config: str | None, words: tuple[str, ...], state: Any, limit: int, as_json: bool) -> None:
    """Find tickets, open and closed, newest first.

    TEXT is an order number, a seller's reference, an address or a ticket number; or words, all of which the
    conversation holds: names, subjects, mails, answers, notes, names of files. The last word may be a
    beginning. Exit code 1 when nothing matches.
    """
    text = " ".join(words).strip()
    if not text:
        raise click.UsageError("TEXT is empty; give a number, an address or words.")
    desk = desk_of(settings(config))
    page = desk.search.tickets(text, state=state, limit=limit)
    if as_json:
        _print_values(page)
    else:
        empty = (
            f"No ticket matches {one_line(text)!r}; numbers, addresses, names, subjects and words of mails, "
            "answers and notes are searched. Try fewer words."
        )
        _print_page(desk, "Tickets", page, empty, closed=state == "closed", with_state=state is None)
    click.get_current_context().exit(0 if page.tickets else 1)


def _criteria(
    desk: Desk,
    name: str | None,
    *,
    agent: str | None,
    unassigned: bool,
    kind: str | None,
    unverified: bool,
    overdue: bool,
    closed: bool,
    needs_look: bool,
    waiting: bool,
    reason: str | None,
    escalated: bool,
    text: str | None,
) -> TicketFilter:
    from relaydesk.desk import TicketFilter

    return TicketFilter(
        queue=None if name == "all" else name,
        state="closed" if closed else "open",
        assignee="" if unassigned else agent,
        kind=kind,
        verified=False if unverified else None,
        text=(text or "").strip(),
        due_before=desk.clock() if overdue else None,
        needs_look=needs_look or None,
        waiting=waiting or None,
        contact_reason=reason,
        escalated=escalated or None,
    )


def _page_key(text: str | None) -> PageKey | None:
    """``17@2026-11-24T20:00:00+00:00``, or ``17`` where no clock runs."""
    if text is None:
        return None
    from datetime import datetime

    from relaydesk.desk import PageKey

    number, _, due = text.partition("@")
    try:
        next_due = datetime.fromisoformat(due) if due else None
        if next_due is not None and next_due.tzinfo is None:
            raise ValueError(due)
        return PageKey(next_due, ROW_ID(number))
    except (ValueError, click.BadParameter):
        raise click.BadParameter(
            f"{text!r} is not the key of a page; copy it from the last line of the page before",
            param_hint="--after",
        ) from None


def _key_text(key: PageKey) -> str:
    return f"{key.id}@{key.next_due.isoformat().replace('+00:00', 'Z')}" if key.next_due else str(key.id)


def _print_page(
    desk: Desk, title: str, page: Page, empty: str, *, closed: bool = False, with_state: bool = False
) -> None:
    now, zone = desk.clock(), desk.config.calendar.zone
    signs = [_signs(ticket, now) for ticket in page.tickets]
    rows = [
        (
            sign,
            ticket.id,
            *((ticket.state,) if with_state else ()),
            left(ticket.next_due, now, brief=True) if ticket.open else "-",
            local(ticket.next_due if ticket.open else ticket.closed_at, zone),
            one_line(ticket.subject) or "(no subject)",
            ticket.contact_reason.replace("_", " ") or "-",
            ticket.username or ticket.sender,
            ", ".join(_orders(ticket.id, page.numbers)) or "-",
            ticket.kind + (" escalated" if ticket.escalated else ""),
            ticket.assignee or "-",
            (ticket.needs_look or "-").replace("_", " "),
            "proven" if ticket.verified else Alarm("unverified"),
        )
        for sign, ticket in zip(signs, page.tickets, strict=True)
    ]
    columns = list(TICKETS)
    if closed:
        columns[3] = Column("closed", rank=TICKETS[3].rank)
    if with_state:
        columns.insert(2, Column("state"))
    print_table(title, columns, rows, empty)
    if is_terminal() and any(signs):
        used = [f"{sign} {meaning}" for sign, meaning in SIGNS.items() if any(sign in s for s in signs)]
        say_folded("", Faint("   ".join(used)))


def _signs(ticket: TicketRow, now: datetime) -> str:
    overdue = ticket.next_due is not None and ticket.next_due < now
    signs = OVERDUE * overdue + NEEDS_LOOK * bool(ticket.needs_look) + UNVERIFIED * (not ticket.verified)
    return Alarm(signs) if overdue else signs


def _print_counts(desk: Desk, *, as_json: bool) -> None:
    counts, now, zone = desk.queues.counts(), desk.clock(), desk.config.calendar.zone
    if as_json:
        print_json([asdict(count) for count in counts])
        return
    columns = (
        Column(""),
        Column("queue", least=8),
        Column("open", right=True),
        Column("due today", right=True),
        Column("overdue", right=True),
        Column("look at", right=True),
        Column("next due", rank=1),
        Column("deadline", rank=2),
    )
    rows = [
        (
            Alarm(OVERDUE) if count.overdue else "",
            count.queue,
            count.open,
            count.due_today,
            Alarm(count.overdue) if count.overdue else count.overdue,
            count.needs_look,
            left(count.next_due, now, brief=True) if count.next_due else "-",
            local(count.next_due, zone),
        )
        for count in counts
    ]
    print_table("Queues", columns, rows, "There are no queues.")


def _orders(ticket_id: int, numbers: Sequence[TicketOrder]) -> list[str]:
    mark = {"bound": "", "not_found": "?"}
    return [
        number.value + mark[number.how]
        for number in numbers
        if number.ticket_id == ticket_id and number.what == "order" and number.how in mark
    ]


def _print_values(page: Page) -> None:
    from relaydesk.desk import page_values

    print_json(list(page_values(page)))
