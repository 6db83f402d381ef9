"""Beginning a session, whatever way somebody came in by, and the mark of a browser that was in before."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from relaydesk.accounts import token_hash, token_text
from relaydesk.desk.permissions import agent_actor
from relaydesk.store import SessionRow, audit, logins, web_sessions

if TYPE_CHECKING:
    from datetime import timedelta

    from relaydesk.desk.config import DeskConfig
    from relaydesk.desk.permissions import Acting
    from relaydesk.store import LoginRow

MOST_SESSIONS = 20  # of one agent; the one seen longest ago makes room
LONGEST_BROWSER = 200


@dataclass(frozen=True, slots=True)
class Device:
    """The browser that asks: its network address, what it calls itself, the mark and the session it has."""

    address: str = ""
    browser: str = ""
    mark: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody is signed in: the session's token and the browser's mark, each told once.

    ``lasts`` is how long the browser keeps the token; None: until it is closed.
    """

    agent: str
    token: str
    mark: str
    lasts: timedelta | None


@dataclass(frozen=True, slots=True)
class CodeNeeded:
    """The first step was right; ``token`` names it when the code comes."""

    agent: str
    token: str


def begin_session(  # noqa: PLR0913 - who, where, how
    acting: Acting, config: DeskConfig, agent: str, device: Device, *, way: str, stays: bool = False
) -> Entered:
    """A new session; one that this browser had ends, so that nobody goes on in one that was planted."""
    token, now = token_text(config.chance), acting.now
    lasts = config.sign_in.stays if stays else config.sign_in.lasts
    if device.token:
        web_sessions.end_of_token(acting.session, token_hash(device.token))
    web_sessions.forget_old(acting.session, agent, now, MOST_SESSIONS - 1)
    web_sessions.begin(
        acting.session,
        token_hash(token),
        SessionRow(
            id=0,
            agent=agent,
            begun_at=now,
            seen_at=now,
            expires_at=now + lasts,
            stays=stays,
            way=way,
            address=device.address,
            browser=device.browser[:LONGEST_BROWSER],
        ),
    )
    audit.append(
        acting.session, "signed_in", actor=agent_actor(agent), now=now, way=way, address=device.address
    )
    mark = mark_of(config, logins.of_agent(acting.session, agent))
    return Entered(agent, token, mark, config.sign_in.stays if stays else None)


def mark_of(config: DeskConfig, login: LoginRow) -> str:
    """What a browser keeps in which this agent was signed in. With the password all marks change."""
    text = f"browser\0{login.agent}\0{login.password_hash or ''}"
    return hmac.new(config.sign_in.secret(), text.encode(), sha256).hexdigest()


def own_mark(config: DeskConfig, login: LoginRow, device: Device) -> str:
    """The browser's mark where it is this agent's, else ""."""
    return device.mark if device.mark and hmac.compare_digest(mark_of(config, login), device.mark) else ""
