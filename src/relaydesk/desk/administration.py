"""What admins look after: the agents, the help desks that submit their answers, the order directory."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relaydesk.desk.accounts import Accounts
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import CONSOLE, DeskPart, active_agent, demand
from relaydesk.gateway import PASSWORD_BYTES, SALT_BYTES, hashed
from relaydesk.orders import find_orders, import_file
from relaydesk.store import (
    Conflict,
    agents,
    api_tokens,
    audit,
    gateway_clients,
    logins,
    named_tickets,
    web_sessions,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from relaydesk.desk.accounts import AgentWay
    from relaydesk.order import Order
    from relaydesk.orders import Imported
    from relaydesk.store import AgentRole, AgentRow, ClientRow

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class AgentOnRoster:
    """An agent with the open tickets they have, how they sign in, and when they were last seen (or None)."""

    agent: AgentRow
    open: int
    last_seen: datetime | None
    way: AgentWay


class Agents(DeskPart):
    """The agents: who they are and what they may do."""

    def roster(self, *, by: str) -> tuple[AgentOnRoster, ...]:
        """All agents as admins look after them, active ones first."""
        self.viewing("administration", by)
        ways = Accounts(self.store, self.config, self.clock).ways()
        with self.store.reading() as session:
            everybody, counts = agents.everybody(session), named_tickets.open_by_assignee(session)
        return tuple(
            AgentOnRoster(agent, counts.get(agent.name, 0), ways[agent.name].seen_at, ways[agent.name].way)
            for agent in sorted(everybody, key=lambda agent: not agent.active)
            if agent.name in ways
        )

    def everybody(self) -> tuple[AgentRow, ...]:
        """All agents by name, former ones too."""
        with self.store.reading() as session:
            return agents.everybody(session)

    def add(
        self, name: str, *, by: str, display_name: str = "", email: str = "", role: AgentRole | None = None
    ) -> None:
        """Adds an agent, or takes a former one back with what is newly given. Role ``agent`` by default."""
        values = _given(display_name, email, role)
        with self.acting("add_agent", by) as acting:
            if not name or name != name.strip() or not name.isprintable() or ":" in name:
                raise DeskError(
                    "An agent's name must be printable, without a colon and without space around it."
                )
            if len(name) > LONGEST_NAME:
                raise DeskError(f"An agent's name must have at most {LONGEST_NAME} characters.")
            former = agents.named(acting.session, name)
            if former is None:
                agents.add(acting.session, name, now=acting.now, **values)
            elif former.active:
                raise DeskError(
                    f"Agent {former.name} already exists; change it with `relaydesk agents change`."
                )
            else:
                agents.change(acting.session, former.name, active=True, **values)
            audit.append(acting.session, "agent_added", actor=acting.actor, now=acting.now, agent=name)

    def change(
        self, name: str, *, by: str, display_name: str = "", email: str = "", role: AgentRole | None = None
    ) -> None:
        """Changes what is given of an active agent."""
        values = _given(display_name, email, role)
        with self.acting("change_agent", by) as acting:
            agent = active_agent(acting.session, name)
            if not values:
                raise DeskError("Nothing to change; give a display name, an email address or a role.")
            everybody = agents.everybody(acting.session)
            if (
                acting.actor != CONSOLE
                and agent.role == "admin"
                and role not in (None, "admin")
                and _is_last_admin(everybody, agent.name)
            ):
                raise DeskError(f"{agent.name} is the last admin; make another agent admin first.")
            agents.change(acting.session, agent.name, **values)
            audit.append(
                acting.session,
                "agent_changed",
                actor=acting.actor,
                now=acting.now,
                agent=agent.name,
                **values,
            )

    def deactivate(self, name: str, *, by: str) -> None:
        """An agent leaves: keeps what is assigned and on record, is out at once and comes in no more.

        Their password, links and tokens are gone for good, so that whoever is taken back begins anew.
        """
        with self.acting("deactivate_agent", by) as acting:
            leaving = active_agent(acting.session, name)
            everybody = agents.everybody(acting.session)
            if (
                acting.actor != CONSOLE
                and leaving.role == "admin"
                and _is_last_admin(everybody, leaving.name)
            ):
                raise DeskError(f"{leaving.name} is the last admin; make another agent admin first.")
            agent = leaving.name
            agents.change(acting.session, agent, active=False)
            web_sessions.end_all(acting.session, agent)
            web_sessions.forget_links(acting.session, agent)
            logins.forget(acting.session, agent)
            api_tokens.revoke(acting.session, agent, acting.now)
            audit.append(acting.session, "agent_deactivated", actor=acting.actor, now=acting.now, agent=agent)


def _is_last_admin(everybody: tuple[AgentRow, ...], name: str) -> bool:
    return not any(agent.active and agent.role == "admin" and agent.name != name for agent in everybody)


def _given(display_name: str, email: str, role: AgentRole | None) -> dict[str, Any]:
    values = {"display_name": " ".join(display_name.split()), "email": email.strip(), "role": role or ""}
    return {name: value for name, value in values.items() if value}


class GatewayClients(DeskPart):
    """The help desks that may hand in their answers by submission."""

    def everybody(self) -> tuple[ClientRow, ...]:
        """All clients by name, revoked ones too."""
        with self.store.reading() as session:
            return gateway_clients.clients(session)

    def add(self, name: str, *, by: str) -> str:
        """Adds a client and returns its password, which is kept nowhere. DeskError when the name is taken."""
        chance = self.config.chance
        password = base64.urlsafe_b64encode(chance(PASSWORD_BYTES)).decode("ascii").rstrip("=")
        secret_hash = hashed(password, chance(SALT_BYTES))
        try:
            with self.acting("add_gateway_client", by) as acting:
                if not (name.isascii() and name.isprintable() and name.strip() and len(name) <= LONGEST_NAME):
                    raise DeskError(
                        f"{name!r} is not a client name; use at most {LONGEST_NAME} printable ASCII "
                        "characters, such as zendesk."
                    )
                gateway_clients.add(acting.session, name, secret_hash, acting.now)
        except Conflict:
            raise DeskError(f"The client name {name!r} is or was in use; choose another.") from None
        return password

    def revoke(self, name: str, *, by: str) -> None:
        """Refuses a client from now on, within a session too. DeskError when there is none."""
        with self.acting("revoke_gateway_client", by) as acting:
            if not gateway_clients.revoke(acting.session, name, acting.now):
                raise DeskError(f"There is no active client {name!r}; see `relaydesk gateway list`.")


class Orders(DeskPart):
    """The orders that the shop knows of."""

    def find(self, text: str) -> list[Order]:
        """The orders whose Facebook id, seller's reference or relay address is ``text``, newest first."""
        return find_orders(self.store, text)

    def import_file(
        self, file: Path | BinaryIO, *, by: str, progress: Callable[[int, int], None] | None = None
    ) -> Imported:
        """Imports the orders of a file, or of a stream that can be sought; what became of each row.

        They go in batch by batch. ``progress`` gets (bytes read, bytes in all). FileError when the file
        cannot be read as a whole.
        """
        with self.store.reading() as session:
            demand(session, "import_orders", by)
        return import_file(
            self.store,
            file,
            now=self.clock(),
            zone=self.config.calendar.zone,
            has_shape=self.config.is_order_id,
            progress=progress,
        )
