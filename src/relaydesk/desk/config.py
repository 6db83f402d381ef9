"""What the desk reads of the settings, as one frozen value, and how it refuses what it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from pathlib import Path

    from relaydesk.accounts import AgentPasswords, CompanyAccounts
    from relaydesk.business_time import Calendar
    from relaydesk.classify import Rules
    from relaydesk.outbound import Sender, Templates
    from relaydesk.policy import Plan


class DeskError(Exception):
    """The act is not possible now; the text is a sentence that says why and what to do instead."""


class UnknownQueue(DeskError):  # noqa: N818
    """The settings have no such queue."""


class UnknownTicket(DeskError):  # noqa: N818
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
    on what it shows. ``soon`` is a target: what is due within it stands in a group of its own.
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
    soon: str = "4 business hours"

    def demand_queue(self, name: str) -> None:
        """UnknownQueue unless the settings have a queue of this name."""
        if name not in self.queues:
            raise UnknownQueue(f"There is no queue {name}; use one of {', '.join(self.queues)}.")
