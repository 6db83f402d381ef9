"""The replies of the API by their idempotency keys, each agent's own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import DeskPart
from relaydesk.store import api_replies

if TYPE_CHECKING:
    from relaydesk.store import KeptReply

KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=2)  # after which a request that has no reply is taken for dead


class ApiReplies(DeskPart):
    """A write with a key is done once; afterwards its reply is given again."""

    def begin(self, key: str, request_hash: str, *, by: str) -> KeptReply | None:
        """None where this is the first request with the key, else what is kept of the first."""
        with self.acting("use_api", by) as acting:
            session, now = acting.session, acting.now
            if api_replies.begin(session, acting.actor, key, request_hash, now):
                api_replies.prune(session, now - KEPT)
                return None
            kept = api_replies.read(session, acting.actor, key)
            if kept is not None and not kept.status and now - kept.at > ABANDONED:
                api_replies.forget(session, acting.actor, key)
                api_replies.begin(session, acting.actor, key, request_hash, now)
                return None
            return kept

    def keep(self, key: str, status: int, body: str, *, by: str) -> None:
        """The reply to the first request, kept for a day."""
        with self.acting("use_api", by) as acting:
            api_replies.keep(acting.session, acting.actor, key, status, body)

    def forget(self, key: str, *, by: str) -> None:
        """The first request came to nothing; the key may be used again."""
        with self.acting("use_api", by) as acting:
            api_replies.forget(acting.session, acting.actor, key)
