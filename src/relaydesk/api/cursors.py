"""Cursors: where a page of a list ended, as a text that callers hand back and need not understand."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from fastapi.exceptions import RequestValidationError

from relaydesk.desk import PageKey


def cursor_of(key: PageKey | None) -> str | None:
    """The cursor of the page after; None where there is none."""
    if key is None:
        return None
    due = key.next_due.isoformat() if key.next_due else None
    return base64.urlsafe_b64encode(json.dumps([due, key.id]).encode()).decode().rstrip("=")


def key_of(cursor: str | None) -> PageKey | None:
    """Where the page before ended. RequestValidationError for a text that is no cursor."""
    if not cursor:
        return None
    try:
        due, number = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(due) if due is not None else None
        if not isinstance(number, int) or (moment is not None and moment.tzinfo is None):
            raise ValueError(cursor)
    except (ValueError, TypeError):
        wrong = {"loc": ("query", "cursor"), "msg": "this is not a cursor of ours", "type": "value_error"}
        raise RequestValidationError([wrong]) from None
    return PageKey(moment, number)
