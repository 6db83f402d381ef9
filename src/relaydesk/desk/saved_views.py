"""The views that agents keep for themselves, and those that a lead shares with everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.desk.config import DeskError, NotThere
from relaydesk.desk.permissions import DeskPart, agent_name, demand
from relaydesk.store import saved_views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaydesk.desk.permissions import Acting
    from relaydesk.store import SavedView

LONGEST_NAME = 60
MOST = 50  # views of one agent


class SavedViews(DeskPart):
    """A view is a list with its filters, by a name."""

    def visible(self, *, by: str) -> tuple[SavedView, ...]:
        """One's own and the shared ones, by name."""
        with self.store.reading() as session:
            return saved_views.visible(session, agent_name(demand(session, "save_view", by)) or "")

    def view(self, view_id: int, *, by: str) -> SavedView:
        """One of them. DeskError where there is none that this agent sees."""
        for view in self.visible(by=by):
            if view.id == view_id:
                return view
        raise NotThere(f"There is no view {view_id}; it may have been removed.")

    def save(self, name: str, query: Mapping[str, list[str]], *, by: str, shared: bool = False) -> int:
        """Keeps a view; its number. Sharing it with everybody takes a lead."""
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME:
            raise DeskError(f"A view needs a name of at most {LONGEST_NAME} characters.")
        with self.acting("save_view", by) as acting:
            if shared:
                demand(acting.session, "share_view", by)
            owner = agent_name(acting.actor) or ""
            owned = [view for view in saved_views.visible(acting.session, owner) if view.owner == owner]
            if len(owned) >= MOST:
                raise DeskError(f"You keep {MOST} views already; remove one first.")
            return saved_views.add(acting.session, owner, name, query, shared=shared, now=acting.now)

    def remove(self, view_id: int, *, by: str) -> None:
        """Removes one's own view; a shared one of another agent's takes a lead."""
        with self.acting("save_view", by) as acting:
            self._owned(acting, view_id, by)
            saved_views.drop(acting.session, view_id)

    def share(self, view_id: int, *, by: str, shared: bool = True) -> None:
        """Shares a view with everybody, or keeps it to its owner again."""
        with self.acting("share_view", by) as acting:
            self._owned(acting, view_id, by)
            saved_views.change(acting.session, view_id, shared=shared)

    def _owned(self, acting: Acting, view_id: int, by: str) -> None:
        view = saved_views.read(acting.session, view_id)
        if view is None:
            raise NotThere(f"There is no view {view_id}; it may have been removed.")
        if view.owner != agent_name(acting.actor):
            demand(acting.session, "share_view", by)
