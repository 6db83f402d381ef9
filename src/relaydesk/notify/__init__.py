"""Telling others what happened: webhooks for programs, digests by mail for agents.

News is made of the events that were recorded, waits in the store until it is delivered, and is tried again
like an answer. Nothing waits for it.
"""

from relaydesk.notify.deliver import Deliverer
from relaydesk.notify.digest import DigestFrom, write_digests
from relaydesk.notify.gather import gather_news
from relaydesk.notify.kinds import EVENT_TYPES, sample_body
from relaydesk.notify.signing import new_secret

__all__ = [
    "EVENT_TYPES",
    "Deliverer",
    "DigestFrom",
    "gather_news",
    "new_secret",
    "sample_body",
    "write_digests",
]
