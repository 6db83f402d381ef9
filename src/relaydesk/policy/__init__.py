"""Who may send, and what is decided: allowlist, origin, the checks in their order, decision, thread.

:func:`decide` takes what was gathered and gives a :class:`Decision` with its reasons. Networks grant a role,
never a verdict. Pure.
"""

from relaydesk.policy.allowlist import LISTS, Allowlist, AllowlistError, parse_allowlist
from relaydesk.policy.checks import admit, replay_key
from relaydesk.policy.content import Addressed, Content, read_content, read_for_store, unread_content
from relaydesk.policy.decide import decide, decide_unproven, decide_unread
from relaydesk.policy.decision import (
    Admission,
    Decision,
    Gathered,
    Known,
    KnownOrder,
    KnownTicket,
    Outcome,
    Placement,
    Planned,
)
from relaydesk.policy.networks import IpNetwork
from relaydesk.policy.origin import find_origin
from relaydesk.policy.policy import Plan, Policy, QueuePlan, QueueTargets

__all__ = [
    "LISTS",
    "Addressed",
    "Admission",
    "Allowlist",
    "AllowlistError",
    "Content",
    "Decision",
    "Gathered",
    "IpNetwork",
    "Known",
    "KnownOrder",
    "KnownTicket",
    "Outcome",
    "Placement",
    "Plan",
    "Planned",
    "Policy",
    "QueuePlan",
    "QueueTargets",
    "admit",
    "decide",
    "decide_unproven",
    "decide_unread",
    "find_origin",
    "parse_allowlist",
    "read_content",
    "read_for_store",
    "replay_key",
    "unread_content",
]
