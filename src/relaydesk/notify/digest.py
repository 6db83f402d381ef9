"""Mail to agents about deadlines: one digest rather than ten mails, and never at midnight.

Who has a ticket is told of its warning and its breach; where nobody has it, the leads are. Who wants no such
mail gets none, and nobody else does in their place. What falls due while the shop is closed is told when it
opens.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import TYPE_CHECKING

from relaydesk.business_time import open_time_between
from relaydesk.characters import one_line
from relaydesk.store import News, agents, preferences, tickets, webhooks

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.business_time import Calendar
    from relaydesk.store import AgentRow, Store, TicketRow

CURSOR = "digests"
DIGEST_WAITS = timedelta(minutes=15)  # so that what falls due together is told together
WORDS = ("warned", "breached")
SHOWN = 50  # tickets in one mail
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DigestFrom:
    """Whose digests these are: the shop's name and address, the desk's address for links, its zone by the
    calendar."""

    name: str
    contact: str
    address: str
    calendar: Calendar


def write_digests(store: Store, shop: DigestFrom, now: datetime) -> int:
    """Writes one mail for each agent who is to be told; how many. Nothing while the shop is closed."""
    if not open_time_between(now, now + MINUTE, shop.calendar):
        return 0
    with store.reading() as session:
        since, at = webhooks.cursor(session, CURSOR, now)
        latest = webhooks.latest_event(session)
        if latest == since or now - at < DIGEST_WAITS:
            return 0
        news = _digests(session, since, latest, shop, now)
    with store.transaction() as session:
        written = webhooks.put(session, news, now)
        webhooks.advance(session, CURSOR, latest, now)
    return written


def _digests(session: Session, since: int, latest: int, shop: DigestFrom, now: datetime) -> list[News]:
    team = [agent for agent in agents.everybody(session) if agent.active and agent.email]
    leads = [agent for agent in team if agent.role != "agent"]
    declined = preferences.without_mail(session)
    due: dict[str, dict[int, tuple[str, TicketRow]]] = defaultdict(dict)
    for _, event in webhooks.events_since(session, since, WORDS, now):
        ticket = tickets.row(session, event.ticket_id)
        if ticket is None or not ticket.open or ticket.next_due is None:
            continue  # settled meanwhile
        assignees = [agent for agent in team if agent.name == ticket.assignee]
        for agent in assignees or leads:
            due[agent.name][ticket.id] = (event.what, ticket)
    return [
        News(
            f"digest {agent.name} {latest}",
            "digest",
            mail_text(agent, due[agent.name].values(), shop, now),
            recipient=agent.email,
        )
        for agent in team
        if agent.name in due and agent.name not in declined
    ]


def mail_text(agent: AgentRow, due: Iterable[tuple[str, TicketRow]], shop: DigestFrom, now: datetime) -> str:
    """The whole message, header and all. Customers' names are in it, nothing that they wrote."""
    rows = sorted(due, key=lambda entry: (entry[1].next_due or now, entry[1].id))
    over = sum(1 for _, ticket in rows if ticket.next_due is not None and ticket.next_due < now)
    soon = len(rows) - over
    parts = [f"{over} past the deadline"] * bool(over) + [f"{soon} due soon"] * bool(soon)
    lines = [f"Hello {agent.display_name},", "", f"these tickets need an answer: {', '.join(parts)}.", ""]
    for _, ticket in rows[:SHOWN]:
        lines += _lines(ticket, shop, now)
    if len(rows) > SHOWN:
        lines.append(f"… and {len(rows) - SHOWN} more.")
    lines += ["", "You get one such mail at most every 15 minutes, in the shop's open hours."]
    message = EmailMessage()
    message["From"] = formataddr((shop.name, shop.contact))
    message["To"] = agent.email
    message["Subject"] = f"relaydesk: {', '.join(parts)}"
    message["Date"] = format_datetime(now)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
    message.set_content("\n".join(lines))
    return message.as_string()


def _lines(ticket: TicketRow, shop: DigestFrom, now: datetime) -> list[str]:
    due = ticket.next_due or now
    when = due.astimezone(shop.calendar.zone)
    left = abs(due - now) // MINUTE
    figure = f"{left // 60:02}:{left % 60:02} {'over' if due < now else 'left'}"
    name = one_line(ticket.username or ticket.sender)
    head = f"#{ticket.id}  {ticket.kind}  {name}  {figure}  (due {when:%a} {when.day} {when:%b %H:%M})"
    return [head, f"    {shop.address}/tickets/{ticket.id}"] if shop.address else [head]
