"""What the desk asks about settings that admins store: what is in force, would a change do, what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relaydesk.config import parts
from relaydesk.config.stored import (
    STORABLE,
    TEMPLATE,
    SettingShown,
    demand_usable,
    effective,
    is_storable,
    settings_shown,
    shadowed,
    text_in_force,
    usable,
    written_yaml,
)
from relaydesk.desk import DeskError
from relaydesk.yaml_reader import YamlError, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from relaydesk.classify import Rules
    from relaydesk.config.settings import Settings
    from relaydesk.dns import Resolver
    from relaydesk.outbound import Templates
    from relaydesk.policy import Allowlist, Policy, QueuePlan


class StoredOverFiles:
    """The settings of file and environment, and what stored ones make of them.

    Every question takes ``stored``, the stored texts by name, so that a change can be asked about before it
    is made. DeskError is a sentence about what cannot be used, with its line.
    """

    names = STORABLE

    def __init__(self, files: Settings) -> None:
        self._files = files

    def may_store(self, name: str) -> bool:
        """Whether there is such a setting."""
        return is_storable(name)

    def place(self, name: str) -> str:
        """Where a file or variable sets it, so that a stored value does not count; "" where none does."""
        key = "reply_templates" if name.startswith(TEMPLATE) else name
        return self._files.places.get(key, "the settings") if shadowed(self._files, name) else ""

    def check(self, stored: Mapping[str, str], today: date) -> None:
        """DeskError unless all of it can be used."""
        try:
            demand_usable(effective(self._files, stored), today)
        except (ValueError, OSError) as error:
            raise DeskError(str(error)) from None

    def shown(self, stored: Mapping[str, str]) -> tuple[SettingShown, ...]:
        """Every setting as it is in force."""
        return tuple(settings_shown(self._in_force(stored)))

    def problems(self, stored: Mapping[str, str]) -> tuple[str, ...]:
        """A sentence for each stored value that cannot be used any more."""
        return usable(self._files, stored)[1]

    def text(self, name: str, stored: Mapping[str, str]) -> str:
        """The text in force of one setting."""
        return text_in_force(self._in_force(stored), name)

    def value(self, name: str, stored: Mapping[str, str]) -> Any:
        """The value of one setting as plain data: of a file's text what its YAML holds."""
        try:
            return parse_yaml(self.text(name, stored), f"stored {name}")
        except YamlError as error:
            raise DeskError(str(error)) from None

    def written(self, value: Any) -> str:
        """A plain value as the text that is stored."""
        return written_yaml(value)

    def plan(self, stored: Mapping[str, str]) -> QueuePlan:
        """The clocks of the queues. DeskError for a calendar or target that is none."""
        try:
            return parts.queue_plan(effective(self._files, stored))
        except ValueError as error:
            raise DeskError(str(error)) from None

    def policy(self, stored: Mapping[str, str], secret: bytes) -> Policy:
        """The policy in force, for what is explained by it."""
        conf = self._in_force(stored)
        return parts.policy(conf, parts.allowlist(conf), secret=secret)

    def rules(self, stored: Mapping[str, str]) -> Rules:
        """The sorting rules. DeskError with every problem and its line."""
        try:
            return parts.rules(effective(self._files, stored))
        except ValueError as error:
            raise DeskError(str(error)) from None

    def shipped_rules(self) -> Rules:
        """Those that come with relaydesk."""
        return parts.shipped_rules()

    def allowlist(self, stored: Mapping[str, str]) -> Allowlist:
        """The lists in force."""
        return parts.allowlist(self._in_force(stored))

    def templates(self, stored: Mapping[str, str]) -> Templates:
        """The reply templates. DeskError for one whose head cannot be read."""
        try:
            return parts.reply_templates(effective(self._files, stored))
        except ValueError as error:
            raise DeskError(str(error)) from None

    def resolver(self) -> Resolver:
        """A resolver over the name servers of the settings, for one trial."""
        return parts.resolver(self._files)

    def settings(self, stored: Mapping[str, str]) -> Settings:
        """All of them, for checks of the installation."""
        return self._in_force(stored)

    def _in_force(self, stored: Mapping[str, str]) -> Settings:
        return usable(self._files, stored)[0]
