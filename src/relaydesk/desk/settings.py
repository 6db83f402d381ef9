"""The settings that admins store in the desk: each change with who, when and why, each version kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relaydesk.clocks import would_move
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import DeskPart, agent_name
from relaydesk.desk.sorting_rules import SortingRules
from relaydesk.outbound import MEANINGS, SAMPLE_CONTEXTS, AnswerRefused, template_context, variables_of
from relaydesk.store import Conflict, audit, stored_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaydesk.clocks import WouldMove
    from relaydesk.desk.config import SettingsBook, ShownSetting
    from relaydesk.desk.permissions import Act
    from relaydesk.outbound import Template
    from relaydesk.store import StoredSettings, StoredValue

LONGEST_WHY = 500
DERIVING = ("calendar", "queues")
"""The settings of which deadlines are made."""


class SettingChanged(DeskError):  # noqa: N818 - a state
    """Somebody else has stored the setting meanwhile; ``newest`` is what they stored."""

    def __init__(self, newest: StoredValue) -> None:
        who = newest.actor.removeprefix("agent:")
        super().__init__(
            f"{who} has changed {newest.name} meanwhile (version {newest.version}), so nothing was stored. "
            "Look at what is in force now; your text is kept here."
        )
        self.newest = newest


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """A setting as it stands: see :class:`ShownSetting`; who stored it, None where nobody did."""

    shown: ShownSetting
    stored: StoredValue | None


@dataclass(frozen=True, slots=True)
class Editable:
    """A setting to be changed. ``text`` is what is in force, ``version`` what a change builds on, ``place``
    where a file or variable sets it, so that nothing stored counts."""

    name: str
    text: str
    version: int
    place: str
    history: tuple[StoredValue, ...]


class StoredShopSettings(DeskPart):
    """What admins store, and which value of all is in force."""

    @property
    def book(self) -> SettingsBook:
        """What the settings mean. DeskError where this desk stores none."""
        if self.config.book is None:
            raise DeskError("This desk was opened without settings that can be stored.")
        return self.config.book()

    def stored(self) -> StoredSettings:
        """All that is stored, newest versions."""
        with self.store.reading() as session:
            return stored_settings.read(session)

    def in_force(self, *, by: str) -> tuple[SettingInForce, ...]:
        """Every setting: its value, where from, and who stored it."""
        self.viewing("administration", by)
        stored = self.stored()
        return tuple(
            SettingInForce(shown, stored.newest.get(shown.name) if shown.source == "stored" else None)
            for shown in self.book.shown(stored.values)
        )

    def editable(self, name: str, *, by: str) -> Editable:
        """One setting, to be changed. DeskError for one that cannot be stored."""
        self.viewing("administration", by)
        self._demand_storable(name)
        with self.store.reading() as session:
            stored, history = stored_settings.read(session), stored_settings.history(session, name)
        version = history[0].version if history else 0
        return Editable(name, self.book.text(name, stored.values), version, self.book.place(name), history)

    def value(self, name: str, *, by: str) -> Any:
        """What is in force, as plain data."""
        self.viewing("administration", by)
        return self.book.value(name, self.stored().values)

    def with_change(self, name: str, text: str | None) -> dict[str, str]:
        """The stored texts as they would be with one changed, once it is found usable. DeskError names what
        is wrong, with its line."""
        self._demand_storable(name)
        changed = self.stored().values
        changed.pop(name, None)
        if text is not None:
            changed[name] = text
        self.book.check(changed, self.clock().date())
        return changed

    def store_value(
        self, name: str, text: str | None, *, version: int | None = None, by: str, why: str = ""
    ) -> int:
        """Puts a value in force everywhere, or takes the stored one back (None); its version.

        ``version`` is the one that was looked at: SettingChanged where it is no longer the newest (None:
        whichever). DeskError for what cannot be used, or what a file sets.
        """
        self.demanding("change_settings", by)
        self._demand_storable(name)
        if place := self.book.place(name):
            raise DeskError(
                f"{name} is set in {place}, which wins; change it there, or remove it there first."
            )
        return self._written(name, text, "change_settings", version=version, by=by, why=why)

    def accept_proposal(self, number: int, *, by: str) -> int:
        """Puts a proposed sorting rule in force, before the shop's others; the version of the rules.

        DeskError where it no longer fits the rules in force, or was settled before.
        """
        self.demanding("settle_rule", by)
        proposals = SortingRules(self.store, self.config, self.clock)
        proposal = proposals.proposal(number)
        if proposal.state != "proposed":
            raise DeskError(f"Proposal {number} was settled before ({proposal.state}).")
        if place := self.book.place("rules"):
            raise DeskError(
                f"The sorting rules are set in {place}, which wins; put the rule of proposal {number} there, "
                "then settle the proposal."
            )
        stored = self.stored()
        rules = self.book.value("rules", stored.values) or {}
        proposed = self.book.value("rules", {**stored.values, "rules": proposal.rule})
        text = self.book.written({**rules, "rules": [*proposed["rules"], *(rules.get("rules") or [])]})
        newest = stored.newest.get("rules")
        version = self._written(
            "rules",
            text,
            "settle_rule",
            version=newest.version if newest else 0,
            by=by,
            why=f"proposal {number} of {proposal.proposed_by.removeprefix('agent:')}",
        )
        proposals.settle(number, "accepted", by=by)
        return version

    def _written(  # noqa: PLR0913 - what, on which version, who and why
        self, name: str, text: str | None, act: Act, *, version: int | None, by: str, why: str
    ) -> int:
        text = text.replace("\r\n", "\n") if text is not None else None
        self.with_change(name, text)
        try:
            with self.acting(act, by) as acting:
                newest = stored_settings.newest(acting.session, name)
                if newest is not None and version is not None and newest.version != version:
                    raise SettingChanged(newest)
                number = newest.version + 1 if newest is not None else 1
                stored_settings.put(
                    acting.session,
                    name,
                    text,
                    version=number,
                    why=why.strip()[:LONGEST_WHY],
                    actor=acting.actor,
                    now=acting.now,
                )
                audit.append(
                    acting.session,
                    "setting_stored" if text is not None else "setting_taken_back",
                    actor=acting.actor,
                    now=acting.now,
                    setting=name,
                    version=number,
                )
        except Conflict:
            with self.store.reading() as session:
                newest = stored_settings.newest(session, name)
            if newest is None:
                raise
            raise SettingChanged(newest) from None
        return number

    def put_back(self, name: str, version: int, *, by: str) -> int:
        """Puts an earlier version in force again, as a new one; its number."""
        self.demanding("change_settings", by)
        with self.store.reading() as session:
            rows = stored_settings.history(session, name, limit=1000)
        earlier = next((row for row in rows if row.version == version), None)
        if earlier is None and version:
            raise DeskError(f"There is no version {version} of {name}.")
        text = earlier.value if earlier is not None else None
        why = f"version {version} again" if version else "the default again"
        return self.store_value(name, text, version=rows[0].version if rows else 0, by=by, why=why)

    def history(self, name: str, *, by: str) -> tuple[StoredValue, ...]:
        """The versions of one setting, newest first."""
        self.viewing("administration", by)
        self._demand_storable(name)
        with self.store.reading() as session:
            return stored_settings.history(session, name)

    def would_move(self, changed: Mapping[str, str], *, by: str) -> WouldMove:
        """Which running deadlines a change would move."""
        self.viewing("administration", by)
        return would_move(self.store, self.book.plan(changed))

    def templates(self, *, by: str) -> tuple[Template, ...]:
        """The reply templates in force."""
        self.viewing("administration", by)
        return tuple(self.book.templates(self.stored().values))

    def filled_template(self, name: str, text: str, ticket: int | None, *, by: str) -> str:
        """How a template of this text would read, for a ticket or (None) a sample of one.

        DeskError says what is wrong with it, with its line.
        """
        self.viewing("administration", by)
        with self.store.reading() as session:
            changed = {**stored_settings.read(session).values, f"template.{name}": text}
            about = SAMPLE_CONTEXTS[0]
            if ticket is not None:
                shop = self.config.sender().shop
                agent = (agent_name(by) or "").capitalize()
                context = template_context(session, ticket, agent=agent, shop=shop)
                if context is None:
                    raise DeskError(f"There is no ticket {ticket}.")
                about = context
        templates = self.book.templates(changed)
        try:
            needs = dict.fromkeys(templates.get(name).needs, "sample")
            return templates.render(name, variables_of(about, needs))
        except AnswerRefused as problem:
            raise DeskError(str(problem)) from None

    def template_variables(self) -> Mapping[str, str]:
        """What a template may speak of, and what each means."""
        meanings: Mapping[str, str] = MEANINGS
        return meanings

    def _demand_storable(self, name: str) -> None:
        if not self.book.may_store(name):
            raise DeskError(
                f"{name} cannot be stored in the desk; set it in relaydesk.yaml. "
                f"There are {', '.join(self.book.names)}, and template.NAME."
            )
