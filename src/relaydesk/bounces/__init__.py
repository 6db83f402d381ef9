"""Mail about our own answers: delivery status notifications, automatic replies, and seals.

:func:`read_bounce` says what a notification means; only we can have made a sealed bounce address. Pure.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.bounces.seals import (
    Sealed,
    answer_message_id,
    answer_of_message_id,
    bounce_address,
    bounced_ticket,
    sealed_by_us,
)

if TYPE_CHECKING:
    from relaydesk.bounces.daemons import from_daemon
    from relaydesk.bounces.dsn import Dsn, read_bounce

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

if not TYPE_CHECKING:
    __getattr__ = late_names(__name__, {"Dsn": "dsn", "from_daemon": "daemons", "read_bounce": "dsn"})
