"""What another help desk hands in: its answers, cleaned by rules, rewritten for the relay and queued.

:class:`Gateway` is behind the submission port; its clients have passwords that we make.
"""

from relaydesk.gateway.clients import PASSWORD_BYTES, SALT_BYTES, hashed
from relaydesk.gateway.receive import Gateway
from relaydesk.gateway.rules import GatewayRules, load_gateway_rules

__all__ = [
    "PASSWORD_BYTES",
    "SALT_BYTES",
    "Gateway",
    "GatewayRules",
    "hashed",
    "load_gateway_rules",
]
