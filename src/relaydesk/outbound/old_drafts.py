"""What nobody comes back to: old drafts, discarded ones, and what answers that have left were written as."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.store import drafts, written_answers

if TYPE_CHECKING:
    from datetime import datetime

    from relaydesk.store import Store

KEPT = timedelta(days=90)  # a draft that nobody touches, and what a lost answer was written as
DISCARDED = timedelta(days=1)


def prune_drafts(store: Store, now: datetime) -> int:
    """Drops them, a few in each transaction; how many."""
    dropped, last = 0, 1
    while last:
        with store.transaction() as session:
            last = drafts.prune(session, untouched=now - KEPT, discarded=now - DISCARDED)
            last += written_answers.prune(session, untouched=now - KEPT)
        dropped += last
    return dropped
