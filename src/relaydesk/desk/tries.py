"""How often somebody may try to sign in, over all processes; no stranger locks an agent out for good.

A wrong password counts for the name and the network it came from: after :data:`HERE` of them that name waits
there, not elsewhere. One network may try :data:`NETWORK` names or passwords, and one name be tried
:data:`NAME` times from everywhere. A browser in which the agent has been signed in before carries a mark, and
counts for itself alone: what strangers do is nothing to it. Every count ends :data:`WINDOW` after it began.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from relaydesk.desk.config import DeskError
from relaydesk.store import agents, sign_in_tries

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel import Session

WINDOW = timedelta(minutes=15)
HERE, NETWORK, NAME, MARKED = 5, 30, 100, 10
CODES, CODES_IN_ALL = 5, 30
PREFIXES = {4: 24, 6: 56}  # what one customer of a provider has, about


class SignInPaused(DeskError):  # noqa: N818 - a state
    """So many tries were wrong that the next is not looked at before some time has passed."""


@dataclass(frozen=True, slots=True)
class SignInTry:
    """One try under way: what it counts for, the narrowest last, and how many are left there after it."""

    names: tuple[str, ...]
    count: int
    left: int

    @property
    def is_worth_a_line(self) -> bool:
        """Of one count the first and the last go on record, so that a guesser fills no log."""
        return self.count == 1 or self.left == 0


def network_of(address: str) -> str:
    """The network of an address, "" for what is none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{ip}/{PREFIXES[ip.version]}", strict=False))


def begin_password(session: Session, name: str, address: str, mark: str, now: datetime) -> SignInTry:
    """A try of a password; ``mark`` is that of a browser known to be the agent's, else "". SignInPaused."""
    who, network = agents.folded(name), network_of(address)
    if mark:
        return _begin(session, [(("mark", mark), MARKED)], now)
    return _begin(
        session, [(("network", network), NETWORK), (("name", who), NAME), (("here", who, network), HERE)], now
    )


def begin_code(session: Session, agent: str, address: str, mark: str, now: datetime) -> SignInTry:
    """A try of a code, or of the password of who is signed in. SignInPaused."""
    if mark:
        return _begin(session, [(("code mark", mark), MARKED)], now)
    narrow = ("code here", agent, network_of(address)), CODES
    return _begin(session, [(("code", agent), CODES_IN_ALL), narrow], now)


def end(session: Session, attempt: SignInTry, *, right: bool) -> None:
    """The try was right, so that the narrowest count begins anew; or it was not looked at."""
    *wide, narrow = attempt.names
    for name in wide:
        sign_in_tries.give_back(session, name)
    if right:
        sign_in_tries.clear(session, narrow)
    else:
        sign_in_tries.give_back(session, narrow)


def _begin(session: Session, counts: Iterable[tuple[tuple[str, ...], int]], now: datetime) -> SignInTry:
    sign_in_tries.purge(session, now - WINDOW)
    names, count, most = [], 0, 0
    for what, most in counts:
        # Hashed: what was typed as a name may be a password.
        name = sha256("\0".join(what).encode("utf-8", "replace")).hexdigest()
        count, since = sign_in_tries.take(session, name, now, WINDOW)
        if count > most:
            raise SignInPaused(_sentence(since + WINDOW - now))
        names.append(name)
    return SignInTry(tuple(names), count, most - count)


def _sentence(wait: timedelta) -> str:
    minutes = max(1, -(-wait // timedelta(minutes=1)))
    wait_for = f"{minutes} minute{'s' * (minutes > 1)}"
    return f"Too many wrong tries. Try again in {wait_for}, or ask an admin for a link."
