"""Who may do what, and the one way to act: a table of acts and roles, the check, the transaction.

By whom is an event's actor: ``agent:NAME`` for a person of the desk, :data:`CONSOLE` for the operator at the
host's own command line, who holds the database anyway. No agent can be called so: an agent's actor begins
with ``agent:``.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from relaydesk.desk.config import DeskError
from relaydesk.store import agents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlmodel import Session

    from relaydesk.desk.config import DeskConfig
    from relaydesk.store import AgentRow, Store

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
    "mark_looked_at",
    "close",
    "reopen",
    "move",
    "take",
    "undo",
    "snooze",
    "wake",
    "link",
    "unlink",
    "merge",
    "unmerge",
    "sort",
    "mark_junk",
    "mark_proven_junk",
    "unmark_junk",
    "propose_rule",
    "withdraw_rule",
    "settle_rule",
    "bind_order",
    "release_order",
    "read_original",
    "state_no_order",
    "read_report",
    "export_report",
    "import_orders",
    "add_agent",
    "change_agent",
    "deactivate_agent",
    "add_gateway_client",
    "revoke_gateway_client",
    "manage_webhooks",
    "change_settings",
    "run_checks",
    "hand_over_tickets",
    "use_api",
    "save_view",
    "share_view",
    "add_evidence",
    "invite_agent",
    "sign_agent_out",
    "reset_authenticator",
    "change_own_name",
    "change_preferences",
    "end_own_session",
    "end_own_other_sessions",
    "change_own_password",
    "begin_authenticator",
    "confirm_authenticator",
    "remove_own_authenticator",
    "renew_recovery_codes",
    "make_token",
    "revoke_own_token",
]

CONSOLE = "console"
NOBODY = "nobody"
"""The actor of what happened before anybody was known, such as a sign-in that failed."""
_AGENT = "agent:"

Standing = Literal["agent", "lead", "admin", "console"]
"""The role of an agent, or the console; the console never acts on a ticket."""

_ALL: frozenset[Standing] = frozenset({"agent", "lead", "admin"})
_LEADS: frozenset[Standing] = frozenset({"lead", "admin"})
_READERS: frozenset[Standing] = frozenset({"lead", "admin", "console"})
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
    "mark_looked_at": _ALL,
    "close": _ALL,
    "reopen": _ALL,
    "move": _ALL,
    "take": _ALL,
    "undo": _ALL,
    "snooze": _ALL,
    "wake": _ALL,
    "link": _ALL,
    "unlink": _ALL,
    "merge": _ALL,
    "unmerge": _ALL,
    "sort": _ALL,
    "mark_junk": _ALL,
    "mark_proven_junk": _LEADS,  # mail that is proven and sorted
    "unmark_junk": _ALL,
    "propose_rule": _ALL,
    "withdraw_rule": _ALL,
    "settle_rule": _LEADS,  # to put it in force or to decline it; also to withdraw another's
    "bind_order": _ALL,
    "release_order": _ALL,
    "read_original": _ALL | {"console"},
    "state_no_order": _ALL,
    # It sets agents side by side by name, so it is for who leads them; agents see the counts of the queues.
    "read_report": _READERS,
    "export_report": _READERS,
    "import_orders": _ADMINS,
    "add_agent": _ADMINS,
    "change_agent": _ADMINS,
    "deactivate_agent": _ADMINS,
    "add_gateway_client": _ADMINS,
    "revoke_gateway_client": _ADMINS,
    "manage_webhooks": _ADMINS,
    "change_settings": _ADMINS,
    "run_checks": _ADMINS,
    "hand_over_tickets": frozenset({"admin"}),
    "use_api": _ALL,
    "save_view": _ALL,
    "share_view": _LEADS,
    "add_evidence": _ALL,
    "invite_agent": _ADMINS,  # a link that lets an agent in
    "sign_agent_out": _ADMINS,
    "reset_authenticator": _ADMINS,
    "change_own_name": _ALL,
    "change_preferences": _ALL,
    "end_own_session": _ALL,
    "end_own_other_sessions": _ALL,
    "change_own_password": _ALL,
    "begin_authenticator": _ALL,
    "confirm_authenticator": _ALL,
    "remove_own_authenticator": _ALL,
    "renew_recovery_codes": _ALL,
    "make_token": _ALL,
    "revoke_own_token": _ALL,
}
"""Each act, and who may do it."""

View = Literal["outbox", "refusals", "administration"]

VISIBLE: dict[View, frozenset[Standing]] = {
    "outbox": _LEADS | _ADMINS,
    "refusals": _LEADS | _ADMINS,
    "administration": _ADMINS,  # how the shop is set up, its agents, its health, the audit log
}
"""What not everybody may see, and who may."""


class NotPermitted(DeskError):  # noqa: N818 - a state, as the store names its own
    """The actor may not do this: unknown, no longer active, or of another role."""


def agent_actor(name: str) -> str:
    """The actor of an agent's acts."""
    return _AGENT + name


def agent_name(actor: str) -> str | None:
    """The agent that an event's actor names, None for mail, the console and ourselves."""
    return actor.removeprefix(_AGENT) if actor.startswith(_AGENT) else None


def demand(session: Session, act: Act, by: str) -> str:
    """The actor to write into events, when ``by`` may do this; else NotPermitted, with the remedy."""
    return _demanded(session, PERMITTED[act], act.replace("_", " "), by)


def _demanded(session: Session, permitted: frozenset[Standing], what: str, by: str) -> str:
    name = agent_name(by)
    if name is None:
        if by == CONSOLE and CONSOLE in permitted:
            return CONSOLE
        raise NotPermitted(f"{by or 'An act without a name'} is not an agent; name one with --as NAME.")
    agent = active_agent(session, name)
    if agent.role not in permitted:
        roles = " or ".join(role for role in ("agent", "lead", "admin") if role in permitted)
        raise NotPermitted(
            f"Agent {agent.name} has the role {agent.role}, but to {what} needs the role "
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
            f"Agent {agent.name} is no longer active; reactivate with `relaydesk agents add {agent.name}`."
        )
    return agent


@dataclass(frozen=True, slots=True)
class Acting:
    """One act under way: its transaction, who acts (as events name them), and when (aware UTC)."""

    session: Session
    actor: str
    now: datetime

    @property
    def name(self) -> str:
        """The agent who acts; "" for the console, which has no account."""
        return agent_name(self.actor) or ""


class DeskPart:
    """The base of the desk's parts. ``clock`` gives aware UTC."""

    def __init__(self, store: Store, config: DeskConfig, clock: Callable[[], datetime]) -> None:
        self.store, self.config, self.clock = store, config, clock

    def viewing(self, view: View, by: str) -> None:
        """NotPermitted unless ``by`` may see this."""
        with self.store.reading() as session:
            _demanded(session, VISIBLE[view], f"see the {view}", by)

    def demanding(self, act: Act, by: str) -> None:
        """NotPermitted unless ``by`` may do this: for work that comes before its transaction."""
        with self.store.reading() as session:
            demand(session, act, by)

    @contextmanager
    def acting(self, act: Act, by: str) -> Iterator[Acting]:
        """A write transaction for one act, once ``by`` is found to be permitted it.

        Raises NotPermitted before anything is written.
        """
        with self.store.transaction() as session:
            yield Acting(session, demand(session, act, by), self.clock())

    @contextmanager
    def entering(self) -> Iterator[Acting]:
        """A write transaction in which somebody comes in or goes; who it is, is found out within."""
        with self.store.transaction() as session:
            yield Acting(session, NOBODY, self.clock())
