"""The views that agents keep for themselves, and those that a lead shares with everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.desk.config import DeskError, NotThere
from relaydesk.desk.permissions import DeskPart, agent_name, demand
from relaydesk.store import SavedView, saved_views

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlmodel import Session

    from relaydesk.desk.permissions import Acting

LONGEST_NAME = 60
MOST = 50  # views of one agent


class SavedViews(DeskPart):
    """A view is a list with its filters, by a name."""

    def visible(self, agent: str) -> tuple[SavedView, ...]:
        """An agent's own and the shared ones, by name."""
        with self.store.reading() as session:
            return saved_views.visible(session, agent)

    def view(self, view_id: int, agent: str) -> SavedView:
        """One of them. NotThere where there is none that this agent may open."""
        with self.store.reading() as session:
            return _seen(session, view_id, agent)

    def save(
        self, name: str, place: str, query: Mapping[str, Sequence[str]], *, by: str, shared: bool = False
    ) -> int:
        """Keeps a list (``place`` is its address) with its filters; its number. To share it takes a lead."""
        with self.acting("save_view", by) as acting:
            if shared:
                demand(acting.session, "share_view", by)
            owner = agent_name(acting.actor) or ""
            own = [view for view in saved_views.visible(acting.session, owner) if view.owner == owner]
            if len(own) >= MOST:
                raise DeskError(f"You keep {MOST} views already; remove one first.")
            kept = SavedView(0, owner, _free_name(name, own), shared, place, query)
            return saved_views.add(acting.session, kept, acting.now)

    def change(self, view_id: int, name: str, *, by: str, shared: bool = False) -> None:
        """Renames a view, and shares it or no longer. Another agent's shared one takes a lead."""
        with self.acting("save_view", by) as acting:
            view = self._own(acting, view_id, by)
            if shared != view.shared:
                demand(acting.session, "share_view", by)
            own = saved_views.visible(acting.session, view.owner)
            others = [other for other in own if other.owner == view.owner and other.id != view_id]
            saved_views.change(acting.session, view_id, _free_name(name, others), shared=shared)

    def share(self, view_id: int, *, by: str, shared: bool = True) -> None:
        """Shares a view with everybody, or keeps it to its owner again."""
        with self.acting("share_view", by) as acting:
            view = self._own(acting, view_id, by)
            saved_views.change(acting.session, view_id, view.name, shared=shared)

    def remove(self, view_id: int, *, by: str) -> None:
        """Removes a view; no ticket changes. Another agent's shared one takes a lead."""
        with self.acting("save_view", by) as acting:
            self._own(acting, view_id, by)
            saved_views.drop(acting.session, view_id)

    def _own(self, acting: Acting, view_id: int, by: str) -> SavedView:
        agent = agent_name(acting.actor) or ""
        view = _seen(acting.session, view_id, agent)
        if view.owner != agent:
            demand(acting.session, "share_view", by)
        return view


def _seen(session: Session, view_id: int, agent: str) -> SavedView:
    view = saved_views.view(session, view_id)
    if view is None or not (view.shared or view.owner == agent):
        raise NotThere(f"There is no view {view_id}; it may have been removed.")
    return view


def _free_name(name: str, taken: Sequence[SavedView]) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise DeskError(f"A view needs a name of at most {LONGEST_NAME} characters.")
    if any(view.name.casefold() == name.casefold() for view in taken):
        raise DeskError(f"You have a view named {name} already; choose another name or remove that one.")
    return name
