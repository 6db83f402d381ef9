"""Tickets that belong together: linked, or merged into one thread; and taking that back.

Only an agent merges, and only what is one buyer's matter: mail of one relay address, or proven mail about one
order, of one kind. Nothing that a mail says can bring it into another's thread by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import DeskPart
from relaydesk.desk.ticket_acts import acting_on, demand_open, tell, ticket_of
from relaydesk.events import TicketLinked, TicketMerged, TicketUnlinked, TicketUnmerged
from relaydesk.store import links, looks, merges, tickets

if TYPE_CHECKING:
    from sqlmodel import Session

    from relaydesk.desk.permissions import Acting
    from relaydesk.store import TicketRow

OF_NO_KIND = ("unsorted", "notice")


class Merging(DeskPart):
    """The acts of :class:`relaydesk.desk.tickets.Tickets` on two tickets at once."""

    def link(self, ticket_id: int, other: int, *, by: str) -> None:
        """States that two tickets belong together; each shows the other."""
        with acting_on(self, "link", ticket_id, by, others=(other,)) as (acting, ticket):
            _demand_two(ticket_id, other, "linked with")
            second = ticket_of(acting, other)
            if not links.link(acting.session, ticket.id, second.id):
                raise DeskError(f"Tickets {ticket_id} and {other} are linked already.")
            tell(acting, ticket.id, TicketLinked(second.id))
            tell(acting, second.id, TicketLinked(ticket.id))

    def unlink(self, ticket_id: int, other: int, *, by: str) -> None:
        """States that two tickets have nothing to do with each other."""
        with acting_on(self, "unlink", ticket_id, by, others=(other,), merged=True) as (acting, ticket):
            second = ticket_of(acting, other, merged=True)
            if not links.unlink(acting.session, ticket.id, second.id):
                raise DeskError(f"Tickets {ticket_id} and {other} are not linked.")
            tell(acting, ticket.id, TicketUnlinked(second.id))
            tell(acting, second.id, TicketUnlinked(ticket.id))

    def merge(self, ticket_id: int, into: int, *, by: str) -> None:
        """Shows a ticket in the thread of another from now on; its clocks run on, each for its own mail.

        DeskError, with why, where the two are not one buyer's matter.
        """
        with acting_on(self, "merge", ticket_id, by, others=(into,)) as (acting, source):
            _demand_two(ticket_id, into, "merged into")
            target = ticket_of(acting, into)
            demand_open(target)
            why = _demand_one_matter(acting.session, source, target)
            merges.join(acting.session, source.id, target.id, acting.now)
            look = self._carry_look(acting, source, target)
            payload = TicketMerged(source.id, target.id, source.state, why, look)
            tell(acting, source.id, payload)
            tell(acting, target.id, payload)

    def unmerge(self, ticket_id: int, *, by: str) -> None:
        """Takes a merge back: the ticket stands for itself again, with its own messages and clocks.

        It is open again if it was before, unless both were closed meanwhile.
        """
        with acting_on(self, "unmerge", ticket_id, by, merged=True) as (acting, source):
            if source.merged_into is None:
                raise DeskError(f"Ticket {ticket_id} is not merged into another.")
            target = ticket_of(acting, source.merged_into)
            merged = merges.latest_merge(acting.session, source.id)
            state = merged.was if merged is not None and target.open else "closed"
            taken = tickets.thread_is_open(acting.session, source.id) if state == "open" else None
            if taken is not None and taken != target.id:
                raise DeskError(
                    f"Ticket {taken} is open for the relay address of ticket {ticket_id}; close it first."
                )
            merges.part(acting.session, source.id, target.id, state)
            payload = TicketUnmerged(source.id, target.id)
            tell(acting, source.id, payload)
            tell(acting, target.id, payload)
            if merged is not None and merged.look and state == "open":
                _return_look(acting, source.id, target, merged.look)

    def _carry_look(self, acting: Acting, source: TicketRow, target: TicketRow) -> str:
        """What a person had to look at on the source stands on the target from now on."""
        if source.needs_look is None:
            return ""
        looks.hide(acting.session, source.id)
        looks.mark(acting.session, target.id, source.needs_look, source.needs_look_since or acting.now)
        return source.needs_look


def _return_look(acting: Acting, source: int, target: TicketRow, look: str) -> None:
    """Nobody has looked meanwhile: what was to be looked at is the source's again."""
    if target.needs_look is None:
        return
    looks.mark(acting.session, source, look, target.needs_look_since or acting.now)
    if target.needs_look == look:
        looks.hide(acting.session, target.id)


def _demand_two(ticket_id: int, other: int, what: str) -> None:
    if ticket_id == other:
        raise DeskError(f"A ticket cannot be {what} itself; name another one.")


def _demand_one_matter(session: Session, source: TicketRow, target: TicketRow) -> str:
    """What makes two tickets one buyer's matter, in words. DeskError where nothing does."""
    both = f"Ticket {source.id} cannot be merged into ticket {target.id}"
    members = merges.members(session, source.id)
    if members:
        listed = ", ".join(map(str, members))
        raise DeskError(
            f"{both}: ticket {listed} is merged into it; merge {target.id} into {source.id}, or take that "
            "merge back first."
        )
    if source.kind not in (target.kind, *OF_NO_KIND):
        raise DeskError(
            f"{both}: one is a {source.kind}, the other a {target.kind}, each with its own queue and clock; "
            "link them instead."
        )
    held = tickets.thread_is_open(session, source.id)
    if held is not None and held not in (source.id, target.id):
        raise DeskError(f"{both}: ticket {held} is open for its relay address; merge that one instead.")
    if source.relay_address and source.relay_address == target.relay_address:
        return f"the same relay address, {source.relay_address}"
    orders = merges.common_orders(session, source.id, target.id)
    if not orders:
        raise DeskError(
            f"{both}: they have neither a relay address nor an order in common, so they may be two buyers'; "
            "bind the same order to both if they are one buyer's, or link them instead."
        )
    if not (source.verified and target.verified):
        raise DeskError(
            f"{both}: mail that nothing proves names order {orders[0]} in its text only; link them instead."
        )
    return f"the same order, {orders[0]}"
