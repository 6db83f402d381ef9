"""Mail about our own answers: delivery status notifications, automatic replies, and seals.

:func:`read_bounce` says what a notification means; only we can have made a sealed bounce address. Pure.
"""

from relaydesk.bounces.daemons import from_daemon
from relaydesk.bounces.dsn import Dsn, read_bounce
from relaydesk.bounces.seals import (
    Sealed,
    answer_message_id,
    answer_of_message_id,
    bounce_address,
    bounced_ticket,
    sealed_by_us,
)

__all__ = [
    "Dsn",
    "Sealed",
    "answer_message_id",
    "answer_of_message_id",
    "bounce_address",
    "bounced_ticket",
    "from_daemon",
    "read_bounce",
    "sealed_by_us",
]
