"""What another help desk hands in: its answers, cleaned by rules, rewritten for the relay and queued.

:class:`Gateway` is behind the submission port; its clients have passwords that we make.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.gateway.clients import PASSWORD_BYTES, SALT_BYTES, hashed

if TYPE_CHECKING:
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

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__, {"Gateway": "receive", "GatewayRules": "rules", "load_gateway_rules": "rules"}
    )
