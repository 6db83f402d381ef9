"""Who is let in: links that work once, and the sessions of browsers.

A token is random, told once and kept as a hash; who reads the database can sign in with nothing in it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import DeskPart, NotPermitted, active_agent, agent_actor
from relaydesk.store import agents, audit, web_sessions

if TYPE_CHECKING:
    from relaydesk.store import AgentRow

TOKEN_BYTES = 32
LINK_LASTS = timedelta(hours=24)
SESSION_LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for a page: an agent who is signed in. ``by`` names them as acts and events do."""

    agent: AgentRow

    @property
    def by(self) -> str:
        return agent_actor(self.agent.name)


class Accounts(DeskPart):
    """Signing in and out."""

    def link(self, name: str, *, by: str) -> str:
        """A token that lets an active agent in once, within a day. An admin or the console makes it."""
        token = self._token()
        with self.acting("change_agent", by) as acting:
            agent = active_agent(acting.session, name)
            expires_at = acting.now + LINK_LASTS
            web_sessions.add_link(
                acting.session, _hash(token), agent.name, now=acting.now, expires_at=expires_at
            )
            audit.append(acting.session, "link_made", actor=acting.actor, now=acting.now, agent=agent.name)
        return token

    def enter(self, link: str, *, address: str = "", browser: str = "") -> str:
        """The token of a new session for who has a link. NotPermitted where it is used up or unknown."""
        token, now = self._token(), self.clock()
        with self.store.transaction() as session:
            name = web_sessions.use_link(session, _hash(link), now)
            if name is None:
                raise NotPermitted("This link has been used or has expired; ask for a new one.")
            agent = active_agent(session, name)
            web_sessions.begin(
                session,
                _hash(token),
                agent.name,
                now=now,
                expires_at=now + SESSION_LASTS,
                address=address,
                browser=browser,
            )
            audit.append(session, "signed_in", actor=agent_actor(agent.name), now=now, how="link")
        return token

    def visitor(self, token: str) -> Visitor | None:
        """Whose session this is; None when it has expired or its agent is no longer active."""
        with self.store.reading() as session:
            name = web_sessions.agent_of(session, _hash(token), self.clock())
            agent = agents.named(session, name) if name is not None else None
        return Visitor(agent) if agent is not None and agent.active else None

    def _token(self) -> str:
        return base64.urlsafe_b64encode(self.config.chance(TOKEN_BYTES)).decode("ascii").rstrip("=")


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
