"""Who works at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relaydesk.desk.errors import DeskError
from relaydesk.desk.part import DeskPart
from relaydesk.desk.permissions import active_agent
from relaydesk.store import agents

if TYPE_CHECKING:
    from relaydesk.store import AgentRole, AgentRow

LONGEST_NAME = 100


class Agents(DeskPart):
    """The agents: who they are and what they may do."""

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
                raise DeskError("An agent's name is printable, without a colon and without space around it.")
            if len(name) > LONGEST_NAME:
                raise DeskError(f"An agent's name has at most {LONGEST_NAME} characters.")
            former = agents.named(acting.session, name)
            if former is None:
                agents.add(acting.session, name, now=acting.now, **values)
            elif former.active:
                raise DeskError(f"There is an agent {former.name} already.")
            else:
                agents.change(acting.session, former.name, active=True, **values)

    def change(
        self, name: str, *, by: str, display_name: str = "", email: str = "", role: AgentRole | None = None
    ) -> None:
        """Changes what is given of an active agent."""
        values = _given(display_name, email, role)
        with self.acting("change_agent", by) as acting:
            agent = active_agent(acting.session, name)
            if not values:
                raise DeskError("Say what to change: the display name, the address or the role.")
            agents.change(acting.session, agent.name, **values)

    def deactivate(self, name: str, *, by: str) -> None:
        """An agent leaves: keeps what is assigned and on record, and can do nothing more."""
        with self.acting("deactivate_agent", by) as acting:
            agents.change(acting.session, active_agent(acting.session, name).name, active=False)


def _given(display_name: str, email: str, role: AgentRole | None) -> dict[str, Any]:
    values = {"display_name": " ".join(display_name.split()), "email": email.strip(), "role": role or ""}
    return {name: value for name, value in values.items() if value}
