"""The answer as it arrived at Meta's relay: waited for, read, verified, and held against the case."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from relaydesk.dns import Resolver
from relaydesk.mailauth import verify_dkim
from relaydesk.message import DkimResult, parse_message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from relaydesk.desk import Desk
    from relaydesk.message import Message
    from relaydesk.store import DeadlineRow

T = TypeVar("T")
PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.1
_SHOWN = ("Return-Path", "Delivered-To", "From", "To", "Subject")
_UNSIGNED = DkimResult("none", reason="It is not signed.")


@dataclass(frozen=True, slots=True)
class ReceivedAnswer:
    """A message that the relay took, and what its topmost signature is worth."""

    message: Message
    dkim: DkimResult

    def lines(self) -> list[str]:
        """What a person wants to see of it."""
        named = [(name, self.message.header(name) or "(none)") for name in _SHOWN]
        named.append(("DKIM", f"{self.dkim.result}: {self.dkim.reason}"))
        return [f"  {name + ':':14}{value}" for name, value in named] + [
            f"  | {line}".rstrip() for line in self.message.text.strip().splitlines()
        ]

    def objections(self, relay_address: str, order_id: str) -> list[str]:
        """What is wrong with it as the answer to a message of that relay address, about that order."""
        recipients = [value for name, value in self.message.headers if name == "Delivered-To"]
        checks = {
            f"It went to {', '.join(recipients)} and not to {relay_address}.": recipients == [relay_address],
            f"To is not {relay_address}.": self.message.header("To") == relay_address,
            "It has copies.": not {"cc", "bcc"} & {name.lower() for name, _ in self.message.headers},
            f"The subject lacks the order {order_id}.": order_id in self.message.subject,
            f"The text lacks the order {order_id}.": order_id in self.message.text,
            f"The HTML lacks the order {order_id}.": order_id in self.message.html,
            f"DKIM does not pass: {self.dkim.result}.": self.dkim.result == "pass",
        }
        return [sentence for sentence, good in checks.items() if not good]


def awaited(
    directory: Path, nameservers: Sequence[str], now: Callable[[], datetime]
) -> ReceivedAnswer | None:
    """The first message in the relay's directory, verified by these name servers; None when none comes."""
    file = _until(lambda: min(directory.glob("*.eml"), default=None))
    if file is None:
        return None
    raw = file.read_bytes()
    signatures = asyncio.run(verify_dkim(raw, Resolver.over_network(nameservers), now()))
    return ReceivedAnswer(parse_message(raw), signatures[0] if signatures else _UNSIGNED)


def stopped(desk: Desk, ticket_id: int) -> DeadlineRow | None:
    """The ticket's response clock once an answer has stopped it; None when it runs on."""

    def look() -> DeadlineRow | None:
        clocks = desk.tickets.view(ticket_id).clocks
        answered = (clock for clock in clocks if (clock.clock, clock.stopped_how) == ("response", "answered"))
        return next(answered, None)

    return _until(look)


def _until(look: Callable[[], T | None]) -> T | None:
    """What ``look`` finds, as soon as it finds something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (result := look()) is None and time.monotonic() < end:
        time.sleep(_PAUSE_SECONDS)
    return result
