"""Evidence of claims and chargebacks: kept with the ticket, sent in Meta's own tool."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from relaydesk.desk.config import DeskError, NotThere, UnknownTicket
from relaydesk.desk.permissions import DeskPart
from relaydesk.events import Event, EvidenceNoted
from relaydesk.message import safe_name
from relaydesk.store import events, evidence, tickets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.store import EvidenceRow, EvidenceState

LARGEST_FILE = 16_000_000  # bytes
MOST_FILES = 100  # entries of one ticket
MOST_BYTES = 100_000_000  # of all of them
LONGEST_ITEM = 200
STATES = ("there", "missing", "not_needed")


class EvidenceFiles(DeskPart):
    """Files and ticks for the items of the evidence list, or for anything else that was done."""

    def of_ticket(self, ticket_id: int) -> tuple[EvidenceRow, ...]:
        """Every entry, oldest first; the newest of an item says how it stands."""
        with self.store.reading() as session:
            return evidence.of_ticket(session, ticket_id)

    def add(self, ticket_id: int, item: str, name: str, content: bytes, *, by: str) -> int:
        """Keeps a file as evidence; its number. Any type is taken: it is never shown, only given back."""
        if not content:
            raise DeskError(f"{name} is empty.")
        if len(content) > LARGEST_FILE:
            raise DeskError(
                f"{name} has {len(content):,} bytes; at most {LARGEST_FILE:,} are kept as evidence."
            )
        return self._note(ticket_id, item, "there", safe_name(name, 1), content, by)

    def mark(self, ticket_id: int, item: str, state: EvidenceState, *, by: str) -> int:
        """Says of an item that it is there without a file, missing after all, or not needed."""
        if state not in STATES:
            raise DeskError(f"{state} is no state of evidence; use one of {', '.join(STATES)}.")
        return self._note(ticket_id, item, state, "", b"", by)

    def file(self, evidence_id: int) -> tuple[EvidenceRow, bytes]:
        """An entry with its file. DeskError when there is none."""
        with self.store.reading() as session:
            row = evidence.read(session, evidence_id)
            if row is None or not row.name:
                raise NotThere(f"There is no evidence file {evidence_id}.")
            return row, evidence.content(session, row)

    def files(self, ticket_id: int) -> Iterator[tuple[EvidenceRow, bytes]]:
        """Every entry of a ticket that has a file, with it; they are not all in memory at once."""
        for row in self.of_ticket(ticket_id):
            if row.name:
                yield self.file(row.id)

    def _note(  # noqa: PLR0913, PLR0917 - an entry has that many facts
        self, ticket_id: int, item: str, state: EvidenceState, name: str, content: bytes, by: str
    ) -> int:
        item = " ".join(item.split())[:LONGEST_ITEM]
        if not item:
            raise DeskError("Say what this is evidence of.")
        digest = sha256(content).hexdigest() if content else ""
        with self.acting("add_evidence", by) as acting:
            if tickets.lock(acting.session, ticket_id) is None:
                raise UnknownTicket(f"There is no ticket {ticket_id}.")
            rows = evidence.of_ticket(acting.session, ticket_id)
            same = [row for row in rows if row.item == item][-1:]
            if same and (same[0].state, same[0].name, same[0].sha256) == (state, name, digest):
                return same[0].id  # it came twice
            if len(rows) >= MOST_FILES or sum(row.size for row in rows) + len(content) > MOST_BYTES:
                raise DeskError(
                    f"Ticket {ticket_id} has all the evidence that is kept of one: {MOST_FILES} entries or "
                    f"{MOST_BYTES // 1_000_000} MB."
                )
            row = {
                "ticket_id": ticket_id,
                "item": item,
                "state": state,
                "name": name,
                "size": len(content),
                "sha256": digest,
                "added_by": acting.actor,
                "added_at": acting.now,
            }
            number = evidence.add(acting.session, row, content)
            noted = EvidenceNoted(item, state, name, digest)
            events.append(acting.session, [Event(ticket_id, acting.now, noted, acting.actor)], acting.now)
            return number
