"""Who speaks in a session, and what was said of the message that comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relaydesk.message import How


@dataclass(frozen=True, slots=True)
class Peer:
    """Who speaks: ``ip`` is None when a proxy did not say for whom it does. ``socket_ip`` is the real one."""

    ip: str | None
    how: How
    socket_ip: str
    may_xclient: bool = False


@dataclass(slots=True)
class Transaction:
    """What MAIL and RCPT said so far. ``size`` is only declared."""

    mail_from: str
    utf8: bool = False
    size: int = 0
    rcpt_to: list[str] = field(default_factory=list)
    overflowed: bool = False
