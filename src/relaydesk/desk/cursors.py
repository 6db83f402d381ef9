"""Cursors: where a page of a list ended, as a text that an address or a program hands back as it is."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from relaydesk.desk.config import DeskError
from relaydesk.store import PageKey

LONGEST = 200
LARGEST = 2**63 - 1  # number of a ticket


def cursor_text(key: PageKey | None) -> str | None:
    """The cursor of the page after; None where there is none."""
    if key is None:
        return None
    due = key.next_due.isoformat() if key.next_due else None
    return base64.urlsafe_b64encode(json.dumps([due, key.id]).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> PageKey | None:
    """Where the page before ended, None for the first. DeskError for a text that is no cursor."""
    if not cursor:
        return None
    try:
        due, number = json.loads(base64.urlsafe_b64decode(cursor[:LONGEST] + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(due) if due is not None else None
        if not (type(number) is int and 0 < number <= LARGEST) or (moment and moment.tzinfo is None):
            raise ValueError(cursor)
        moment = moment and moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise DeskError("This page of the list is not to be had; begin at the first.") from None
    return PageKey(moment, number)
