"""Who is at the desk: sessions and tokens, links that admins give out, what agents chose for themselves."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, available_timezones

from relaydesk.accounts import token_hash, token_text
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import DeskPart, active_agent, agent_actor
from relaydesk.store import (
    LinkRow,
    Preferences,
    StoreError,
    agents,
    api_tokens,
    audit,
    logins,
    preferences,
    web_sessions,
)

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.store import AgentRow, LinkKind, LoginRow, SessionRow, TokenScope

LINK_LASTS = timedelta(hours=24)
SEEN_EVERY = timedelta(minutes=1)
LONGEST_NAME = 100
AFTER_SEND = ("next", "stay", "list")
UTC = ZoneInfo("UTC")

AgentWay = Literal[
    "password and code", "password, no code yet", "company account", "link not used yet", "no way in"
]
"""How somebody signs in, in words."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for a page: an agent who is signed in. ``by`` names them as acts and events do.

    ``session`` is the number of the browser's session, 0 for a program, whose token has ``scopes``; a browser
    may do what its agent may (None). ``zone`` is the one that times are told in.
    """

    agent: AgentRow
    preferences: Preferences = field(default_factory=Preferences)
    zone: ZoneInfo = UTC
    session: int = 0
    scopes: frozenset[TokenScope] | None = None

    @property
    def by(self) -> str:
        return agent_actor(self.agent.name)


@dataclass(frozen=True, slots=True)
class SignInState:
    """How an agent signs in, and when a browser of theirs was seen last."""

    way: AgentWay
    seen_at: datetime | None


class Accounts(DeskPart):
    """Who is signed in where."""

    def link(self, name: str, *, by: str, kind: LinkKind = "password") -> str:
        """The token of a link that lets an active agent in once, within a day; it replaces their older one.

        Its page asks to choose a password, or for one press of a button; a ``direct`` one asks nothing, so it
        is only for where nobody reads mail before the person does.
        """
        token = token_text(self.config.chance)
        with self.acting("invite_agent", by) as acting:
            agent = active_agent(acting.session, name)
            link = LinkRow(agent.name, kind, acting.now + LINK_LASTS)
            web_sessions.add_link(acting.session, token_hash(token), link, acting.now)
            audit.append(
                acting.session,
                "link_made",
                actor=acting.actor,
                now=acting.now,
                agent=agent.name,
                kind=kind,
            )
        return token

    def visitor(self, token: str) -> Visitor | None:
        """Whose session this is; None when it has ended or its agent is no longer active."""
        now = self.clock()
        with self.store.reading() as session:
            row = web_sessions.of_token(session, token_hash(token), now, self.config.sign_in.idle)
            agent = agents.named(session, row.agent) if row is not None else None
            if row is None or agent is None or not agent.active:
                return None
            chosen = preferences.of_agent(session, agent.name)
        if now - row.seen_at >= SEEN_EVERY:
            with suppress(StoreError), self.entering() as acting:  # the next page notes it
                web_sessions.seen(acting.session, row.id, now)
        return Visitor(agent, chosen, self._zone(chosen), session=row.id)

    def signed_in(self, token: str) -> bool:
        """Whether a session still goes on. It is no visit: a page that lies open keeps none going."""
        with self.store.reading() as session:
            row = web_sessions.of_token(session, token_hash(token), self.clock(), self.config.sign_in.idle)
            agent = agents.named(session, row.agent) if row is not None else None
            return agent is not None and agent.active

    def token_visitor(self, token: str) -> Visitor | None:
        """In whose name a program comes, and within which scopes; None for no good token."""
        now = self.clock()
        with self.store.reading() as session:
            row = api_tokens.of_token(session, token_hash(token), now)
            agent = agents.named(session, row.agent) if row is not None else None
            if row is None or agent is None or not agent.active:
                return None
            chosen = preferences.of_agent(session, agent.name)
        if row.used_at is None or now - row.used_at >= SEEN_EVERY:
            with suppress(StoreError), self.entering() as acting:
                api_tokens.used(acting.session, row.id, now)
        return Visitor(agent, chosen, self._zone(chosen), scopes=frozenset(row.scopes))

    def sign_out(self, token: str) -> None:
        """Ends the session of a token; nothing where there is none."""
        with self.entering() as acting:
            agent = web_sessions.end_of_token(acting.session, token_hash(token))
            if agent is not None:
                audit.append(acting.session, "signed_out", actor=agent_actor(agent), now=acting.now)

    def sessions(self, name: str) -> tuple[SessionRow, ...]:
        """Where an agent is signed in, the browser seen last first."""
        with self.store.reading() as session:
            agent = active_agent(session, name)
            return web_sessions.of_agent(session, agent.name, self.clock(), self.config.sign_in.idle)

    def end_session(self, number: int, *, by: str) -> None:
        """Signs one of one's own browsers out. DeskError when there is none of that number."""
        with self.acting("end_own_session", by) as acting:
            if not web_sessions.end(acting.session, acting.name, number):
                raise DeskError("That session has ended already.")
            audit.append(acting.session, "sessions_ended", actor=acting.actor, now=acting.now, count=1)

    def end_other_sessions(self, number: int, *, by: str) -> int:
        """Signs all of one's own browsers out but that of session ``number``; how many."""
        with self.acting("end_own_other_sessions", by) as acting:
            count = web_sessions.end_all(acting.session, acting.name, but=number)
            audit.append(acting.session, "sessions_ended", actor=acting.actor, now=acting.now, count=count)
        return count

    def sign_agent_out(self, name: str, *, by: str) -> int:
        """Signs an agent out everywhere; how many sessions that were."""
        with self.acting("sign_agent_out", by) as acting:
            agent = active_agent(acting.session, name).name
            logins.forget_steps(acting.session, agent)
            count = web_sessions.end_all(acting.session, agent)
            audit.append(
                acting.session,
                "sessions_ended",
                actor=acting.actor,
                now=acting.now,
                agent=agent,
                count=count,
            )
        return count

    def change_name(self, display_name: str, *, by: str) -> None:
        """The name that signs one's own answers."""
        shown = " ".join(display_name.split())
        if not shown or len(shown) > LONGEST_NAME or not shown.isprintable():
            raise DeskError(f"A name that signs answers has 1 to {LONGEST_NAME} characters.")
        with self.acting("change_own_name", by) as acting:
            agents.change(acting.session, acting.name, display_name=shown)
            audit.append(acting.session, "name_changed", actor=acting.actor, now=acting.now)

    def change_preferences(self, chosen: Preferences, *, by: str) -> None:
        """What one chooses for oneself. DeskError for what cannot be chosen."""
        if chosen.zone and chosen.zone not in zones():
            raise DeskError("That is no time zone; choose one from the list, such as Europe/Berlin.")
        if chosen.after_send not in AFTER_SEND:
            raise DeskError(
                "After an answer comes the next ticket, the same, or the list; choose one of them."
            )
        with self.acting("change_preferences", by) as acting:
            preferences.keep(acting.session, acting.name, chosen)

    def ways(self) -> dict[str, SignInState]:
        """How everybody signs in, by the agents' names."""
        with self.store.reading() as session:
            known = logins.everybody(session)
            links = web_sessions.open_links(session, self.clock())
            seen = web_sessions.last_seen(session)
            return {
                agent.name: SignInState(
                    _way(known.get(agent.name), linked=agent.name in links), seen.get(agent.name)
                )
                for agent in agents.everybody(session)
            }

    def zones(self) -> tuple[str, ...]:
        """The time zones that can be chosen, by name."""
        return tuple(sorted(zones()))

    def _zone(self, chosen: Preferences) -> ZoneInfo:
        return ZoneInfo(chosen.zone) if chosen.zone in zones() else self.config.calendar.zone


def _way(login: LoginRow | None, *, linked: bool) -> AgentWay:
    if login is not None and login.password_hash:
        return "password and code" if login.totp_key else "password, no code yet"
    if login is not None and login.company_at:
        return "company account"
    return "link not used yet" if linked else "no way in"


@cache
def zones() -> frozenset[str]:
    """The time zones that can be chosen: regions and cities, and UTC."""
    return frozenset(
        name
        for name in available_timezones()
        if "/" in name and not name.startswith(("Etc/", "posix", "right"))
    ) | {"UTC"}
