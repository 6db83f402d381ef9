"""What follows from junk: further mail of it is never dropped, but marked for a person's look.

Of a proven sender no other mail follows from its junk, since Meta sends every claim from one address: only
mail of the same relay address does.
"""

from __future__ import annotations

from sqlalchemy import bindparam, exists, or_

from relaydesk.store.tables import TicketTable, table

JUNK_SUSPECT = "junk_suspect"
_earlier = table(TicketTable).alias("earlier")
FOLLOWS_JUNK = or_(
    exists().where(
        _earlier.c.junk_at.is_not(None),
        _earlier.c.relay_address == bindparam("of_address"),
        _earlier.c.relay_address != "",
    ),
    exists().where(
        _earlier.c.junk_at.is_not(None),
        _earlier.c.sender == bindparam("of_sender"),
        _earlier.c.sender != "",
        _earlier.c.verified.is_(False),
    ),
)
"""Whether a new ticket follows junk: of relay address ``of_address``, or of the unproven ``of_sender``."""
