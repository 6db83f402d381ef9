"""How times, amounts and states read on a page. Pure: the moment it is comes as an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Literal

from relaydesk.web.browsers import browser_name

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from relaydesk.order import Item
    from relaydesk.store import TicketRow

DueState = Literal["over", "soon", "today", "later", "none", "met", "undecided"]
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline as a page shows it: its state names shape and colour; ``left`` reads ``1 d 22:48``,
    ``spoken`` is the same for who listens."""

    state: DueState
    left: str
    spoken: str


def due_of(due: datetime | None, warn_at: datetime | None, now: datetime, zone: ZoneInfo) -> Due:
    """A running deadline at ``now``; "today" is that of ``zone``. None: no clock runs."""
    if due is None:
        return Due("none", "no clock", "no clock runs")
    over = due < now
    days, minutes = divmod(abs(due - now) // MINUTE, 24 * 60)
    figure = (f"{days} d " if days else "") + f"{minutes // 60:02}:{minutes % 60:02}"
    spoken = (f"{days} days " if days else "") + f"{minutes // 60} hours {minutes % 60} minutes"
    if over:
        return Due("over", f"{figure} over", f"{spoken} past the deadline")
    if warn_at is not None and warn_at <= now:
        state: DueState = "soon"
    else:
        state = "today" if due.astimezone(zone).date() == now.astimezone(zone).date() else "later"
    return Due(state, figure, f"{spoken} left")


def moment(instant: datetime, zone: ZoneInfo) -> str:
    """``Mon 23 Nov 14:20``, in the zone."""
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def short_count(number: int) -> str:
    """``1.2k`` from a thousand on."""
    return str(number) if number < 1000 else f"{number / 1000:.1f}k"  # noqa: PLR2004 - what k stands for


def initials(name: str) -> str:
    """The two letters on an agent's face."""
    words = [word for word in name.replace(".", " ").replace("-", " ").split() if word]
    letters = [word[0] for word in words[:2]] or ["?"]
    return "".join(letters).upper()


def ago(instant: datetime, now: datetime) -> str:
    """``3 min ago``."""
    seconds = max(0, round((now - instant).total_seconds()))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def seen_at(instant: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """When somebody was last seen: ``now``, ``today 08:02``, ``Mon 23 Nov 14:20``, ``never``."""
    if instant is None:
        return "never"
    if now - instant < 5 * MINUTE:
        return "now"
    local = instant.astimezone(zone)
    return f"today {local:%H:%M}" if local.date() == now.astimezone(zone).date() else moment(instant, zone)


def bytes_in_words(size: int) -> str:
    """``1.2 GB``."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004 - what k stands for
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} TB"


REASONS = {
    "late_or_missing": ("Late or missing", "Order late or missing"),
    "damaged_or_not_as_described": ("Damaged", "Damaged or not as described"),
    "return_request": ("Return", "Return request"),
    "cancellation_request": ("Cancellation", "Cancellation request"),
    "other_question": ("Question", "Another question"),
}
"""Reasons for contact by their codes: short for rows, long for titles."""


BRANDS = {"instagram.com": "Instagram", "facebook.com": "Facebook", "facebookmail.com": "Facebook"}
JUST_NOW = timedelta(minutes=30)


def instant(moment: datetime) -> str:
    """As machines read it, to the second: ``2026-11-25T20:00:00Z``."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def reason_name(code: str, *, long: bool = False) -> str:
    """A reason for contact; a shop's own code reads as its words."""
    return REASONS.get(code, (code.replace("_", " ").capitalize(),) * 2)[long]


def when(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The same in a sentence: ``today 14:20`` on the day itself; the year where it is another."""
    local, today = instant.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"today {local:%H:%M}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M}"


def lasted(length: timedelta) -> str:
    """How long something took: ``45 min``, ``11 h 35``, ``under 1 min``."""
    minutes = max(length, timedelta()) // MINUTE
    if not minutes:
        return "under 1 min"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours:,} h {minutes:02}" if minutes else f"{hours:,} h"


def until(instant: datetime, now: datetime) -> str:
    """The time left in minutes and seconds, ``0:26``."""
    minutes, seconds = divmod(max(0, round((instant - now).total_seconds())), 60)
    return f"{minutes}:{seconds:02}"


def octets(size: int) -> str:
    """``84 KB``, ``3.4 MB``, as file managers write it."""
    for unit, step in (("MB", 1 << 20), ("KB", 1 << 10)):
        if size >= step:
            return f"{size / step:.1f} {unit}" if size < 10 * step else f"{size / step:,.0f} {unit}"
    return f"{size} bytes"


def line_total(item: Item) -> str:
    """What a line of an order comes to; its price as it is written where that is no figure."""
    try:
        total = Decimal(item.price) * item.quantity
    except (InvalidOperation, ValueError):
        return item.price
    return f"{total:f}" if total.is_finite() else item.price


def phrase(code: str) -> str:
    """A code of ours as words: ``damaged_or_not_as_described`` reads "Damaged or not as described"."""
    words = code.replace("_", " ").strip()
    words = words.lower() if words.isupper() else words
    return words[:1].upper() + words[1:]


def customer_name(ticket: TicketRow) -> str:
    """Whose ticket it is: proven senders by their name, others by their whole address."""
    if not ticket.verified:
        return ticket.sender or ticket.relay_address or "no sender"
    domain = ".".join(ticket.sender.rpartition("@")[2].split(".")[-2:])
    return ticket.username or BRANDS.get(domain, ticket.sender) or ticket.relay_address or "no sender"


def is_fresh(ticket: TicketRow, now: datetime) -> bool:
    """Whether the customer wrote after our answer, or it has just come and nobody has it."""
    just_came = ticket.open and ticket.assignee is None and now - ticket.last_message_at < JUST_NOW
    return ticket.fresh or just_came


FILTERS = {
    "instant": instant,
    "fresh": is_fresh,
    "who": customer_name,
    "browser": browser_name,
    "reason": reason_name,
    "due": due_of,
    "moment": moment,
    "when": when,
    "lasted": lasted,
    "until": until,
    "line_total": line_total,
    "octets": octets,
    "phrase": phrase,
    "short_count": short_count,
    "initials": initials,
    "ago": ago,
    "from_iso": datetime.fromisoformat,
    "seen": seen_at,
    "bytes": bytes_in_words,
}
