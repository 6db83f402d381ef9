"""Who may do what: one table of acts and roles, and the one check that every act goes through.

By whom is an event's actor: ``agent:NAME`` for a person of the desk, :data:`CONSOLE` for the operator at the
host's own command line, who holds the database anyway. No agent can be called so: an agent's actor begins
with ``agent:``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from relaydesk.desk.errors import NotPermitted
from relaydesk.store import agents

if TYPE_CHECKING:
    from sqlmodel import Session

    from relaydesk.store import AgentRow

Act = Literal[
    "answer",
    "cancel_answer",
    "cancel_answer_of_another",
    "retry_answer",
    "retry_answer_of_another",
    "assign",
    "reassign",
    "note",
    "state_answered_elsewhere",
    "state_handled",
    "close",
    "reopen",
    "move",
    "bind_order",
    "release_order",
    "import_orders",
    "add_agent",
    "change_agent",
    "deactivate_agent",
    "add_gateway_client",
    "revoke_gateway_client",
]

CONSOLE = "console"
_AGENT = "agent:"

Standing = Literal["agent", "lead", "admin", "console"]
"""The role of an agent, or the console; the console never acts on a ticket."""

_ALL: frozenset[Standing] = frozenset({"agent", "lead", "admin"})
_LEADS: frozenset[Standing] = frozenset({"lead", "admin"})
_ADMINS: frozenset[Standing] = frozenset({"admin", "console"})

PERMITTED: dict[Act, frozenset[Standing]] = {
    "answer": _ALL,
    "cancel_answer": _ALL,
    "cancel_answer_of_another": _LEADS,
    "retry_answer": _ALL,
    "retry_answer_of_another": _LEADS,
    "assign": _ALL,
    "reassign": _LEADS,  # take a ticket from the agent who has it
    "note": _ALL,
    "state_answered_elsewhere": _ALL,
    "state_handled": _ALL,
    "close": _ALL,
    "reopen": _ALL,
    "move": _ALL,
    "bind_order": _ALL,
    "release_order": _ALL,
    "import_orders": _ADMINS,
    "add_agent": _ADMINS,
    "change_agent": _ADMINS,
    "deactivate_agent": _ADMINS,
    "add_gateway_client": _ADMINS,
    "revoke_gateway_client": _ADMINS,
}
"""Each act, and who may do it."""


def agent_actor(name: str) -> str:
    """The actor of an agent's acts."""
    return _AGENT + name


def agent_name(actor: str) -> str | None:
    """The agent that an event's actor names, None for mail, the console and ourselves."""
    return actor.removeprefix(_AGENT) if actor.startswith(_AGENT) else None


def demand(session: Session, act: Act, by: str) -> str:
    """The actor to write into events, when ``by`` may do this; else NotPermitted, with the remedy."""
    name = agent_name(by)
    if name is None:
        if by == CONSOLE and CONSOLE in PERMITTED[act]:
            return CONSOLE
        raise NotPermitted(f"{by or 'An act without a name'} is not an agent; name one with --as NAME.")
    agent = active_agent(session, name)
    if agent.role not in PERMITTED[act]:
        roles = " or ".join(role for role in ("agent", "lead", "admin") if role in PERMITTED[act])
        raise NotPermitted(
            f"Agent {agent.name} has the role {agent.role}, but to {act.replace('_', ' ')} takes the role "
            f"{roles}; change it with `relaydesk agents change {agent.name} --role ROLE`."
        )
    return agent_actor(agent.name)


def active_agent(session: Session, name: str) -> AgentRow:
    """The agent of this name, in whatever case. NotPermitted for one who is unknown or not active."""
    agent = agents.named(session, name)
    if agent is None:
        raise NotPermitted(f"There is no agent {name}; add one with `relaydesk agents add`.")
    if not agent.active:
        raise NotPermitted(
            f"Agent {agent.name} is no longer active; `relaydesk agents add {agent.name}` takes them back."
        )
    return agent
