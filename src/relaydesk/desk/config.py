"""What the desk reads of the settings, as one frozen value, and how it refuses what it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, timedelta
    from pathlib import Path

    from relaydesk.accounts import AgentPasswords, CompanyAccounts
    from relaydesk.business_time import Calendar
    from relaydesk.classify import Rules
    from relaydesk.dns import Resolver
    from relaydesk.outbound import Sender, Templates
    from relaydesk.policy import Allowlist, Plan, Policy, QueuePlan


class DeskError(Exception):
    """The act is not possible now; the text is a sentence that says why and what to do instead."""


class SettingsBook(Protocol):
    """What the desk asks about the settings that admins store (see :mod:`relaydesk.config.book`).

    ``stored`` are the stored texts by name, so that a change can be asked about before it is made. DeskError
    is a sentence about what cannot be used, with its line.
    """

    names: tuple[str, ...]

    def may_store(self, name: str) -> bool: ...
    def place(self, name: str) -> str: ...
    def check(self, stored: Mapping[str, str], today: date) -> None: ...
    def shown(self, stored: Mapping[str, str]) -> tuple[ShownSetting, ...]: ...
    def problems(self, stored: Mapping[str, str]) -> tuple[str, ...]: ...
    def text(self, name: str, stored: Mapping[str, str]) -> str: ...
    def value(self, name: str, stored: Mapping[str, str]) -> Any: ...
    def written(self, value: Any) -> str: ...
    def plan(self, stored: Mapping[str, str]) -> QueuePlan: ...
    def policy(self, stored: Mapping[str, str], secret: bytes) -> Policy: ...
    def rules(self, stored: Mapping[str, str]) -> Rules: ...
    def shipped_rules(self) -> Rules: ...
    def allowlist(self, stored: Mapping[str, str]) -> Allowlist: ...
    def templates(self, stored: Mapping[str, str]) -> Templates: ...
    def resolver(self) -> Resolver: ...
    def settings(self, stored: Mapping[str, str]) -> Any: ...


class ShownSetting(Protocol):
    """A setting in force: its name, what it is for, its value without secrets, and where it comes from
    (``file``, ``stored`` or ``default``)."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def value(self) -> Any: ...
    @property
    def source(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def storable(self) -> bool: ...


class NotThere(DeskError):  # noqa: N818 - a state, as the store names its own
    """There is nothing of that number or name."""


class UnknownQueue(NotThere):
    """The settings have no such queue."""


class UnknownTicket(NotThere):
    """There is no such ticket, or no such message or file in it."""


@dataclass(frozen=True, slots=True)
class SignInConfig:
    """How people are let in.

    ``passwords`` and ``company`` (None without one) are made when first asked for. ``secret`` is the store's;
    it marks browsers that an agent has used. A session ends after ``lasts``, and before that when it was
    left alone for ``idle``; one that stays ends after ``stays``.
    """

    passwords: Callable[[], AgentPasswords] = field(repr=False)
    company: Callable[[], CompanyAccounts | None] = field(repr=False)
    secret: Callable[[], bytes] = field(repr=False)
    lasts: timedelta
    idle: timedelta
    stays: timedelta


@dataclass(frozen=True, slots=True)
class DeskConfig:
    """The shop as its desk sees it.

    ``plan`` (of the queues' clocks), ``sender`` and ``templates`` are costly to make (targets, allowlist,
    signing key, every template file) and needed by few acts, so each is made once, when first asked for.
    ``is_order_id`` says, by the sorting rules, whether a text has the shape of an order id;
    ``sorting_rules`` are those rules.
    ``report_templates`` is the folder of the printed report; ``chance`` gives random bytes, for passwords.
    Sizes in bytes. ``evidence_list`` are the documents that a chargeback is answered with, each with a word
    on what it shows. ``book`` is asked by what admins store (None: nothing can be stored). ``soon`` is a
    target: what is due within it stands in a group of its own.
    """

    calendar: Calendar
    queues: tuple[str, ...]
    plan: Callable[[], Plan] = field(repr=False)
    sender: Callable[[], Sender] = field(repr=False)
    templates: Callable[[], Templates] = field(repr=False)
    is_order_id: Callable[[str], bool] = field(repr=False)
    sorting_rules: Callable[[], Rules] = field(repr=False)
    attachment_types: tuple[str, ...]
    attachment_bytes: int
    give_up: timedelta
    report_templates: Path
    chance: Callable[[int], bytes]
    sign_in: SignInConfig
    evidence_list: tuple[tuple[str, str], ...] = ()
    book: Callable[[], SettingsBook] | None = field(default=None, repr=False)
    soon: str = "4 business hours"

    def demand_queue(self, name: str) -> None:
        """UnknownQueue unless the settings have a queue of this name."""
        if name not in self.queues:
            raise UnknownQueue(f"There is no queue {name}; use one of {', '.join(self.queues)}.")
