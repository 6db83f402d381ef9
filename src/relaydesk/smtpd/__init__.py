"""The SMTP server: who may speak, what was said, and what is answered. The only room that knows aiosmtpd.

An :class:`Endpoint` is what one port is given; its receiver decides, and the outcome becomes a reply here. A
:class:`Server` holds what the connections of an endpoint share.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.smtpd.limits import Limits

if TYPE_CHECKING:
    from relaydesk.smtpd.data_reader import read_flaw
    from relaydesk.smtpd.endpoint import Endpoint
    from relaydesk.smtpd.listener import Listener, open_listener
    from relaydesk.smtpd.paths import PathError, parse_rcpt
    from relaydesk.smtpd.replies import ACCEPTED, BY_NAME, BY_REASON, TRY_AGAIN, reply_for
    from relaydesk.smtpd.server import Server

__all__ = [
    "ACCEPTED",
    "BY_NAME",
    "BY_REASON",
    "TRY_AGAIN",
    "Endpoint",
    "Limits",
    "Listener",
    "PathError",
    "Server",
    "open_listener",
    "parse_rcpt",
    "read_flaw",
    "reply_for",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "ACCEPTED": "replies",
            "BY_NAME": "replies",
            "BY_REASON": "replies",
            "Endpoint": "endpoint",
            "Listener": "listener",
            "PathError": "paths",
            "Server": "server",
            "TRY_AGAIN": "replies",
            "open_listener": "listener",
            "parse_rcpt": "paths",
            "read_flaw": "data_reader",
            "reply_for": "replies",
        },
    )
