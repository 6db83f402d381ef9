"""How times, amounts and states read on a page. Pure: the moment it is comes as an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DueState = Literal["over", "soon", "today", "later", "none"]
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


FILTERS = {
    "due": due_of,
    "moment": moment,
    "short_count": short_count,
    "initials": initials,
    "ago": ago,
    "from_iso": datetime.fromisoformat,
    "seen": seen_at,
    "bytes": bytes_in_words,
}
