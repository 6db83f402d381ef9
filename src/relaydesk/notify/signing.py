"""Signatures of webhooks, as https://www.standardwebhooks.com has them: HMAC-SHA256 over id, time and body.

The receiver recomputes it with the secret and refuses what is older than some minutes, so that nobody can
send us its news, or send ours twice.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret(chance: Callable[[int], bytes]) -> str:
    """A secret of a webhook, in the form that libraries of receivers read."""
    return PREFIX + base64.b64encode(chance(SECRET_BYTES)).decode("ascii")


def signed_headers(secret: str, message_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers that go with a body sent at this moment. Each try is signed anew, with the same id."""
    timestamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.new(key, signed, sha256).digest()).decode("ascii")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
