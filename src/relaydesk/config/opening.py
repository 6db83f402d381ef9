"""What a process of these settings works on: its clock, its store, the store's secret, and the desk.

A desk for one command must be there at once, so what only few acts need is made when they ask for it.
"""

from __future__ import annotations

import secrets
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from relaydesk.business_time import Calendar
from relaydesk.data import data_path
from relaydesk.desk import Desk, DeskConfig, SignInConfig
from relaydesk.store import Store, StoreAbsent, secret, stored_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.accounts import AgentPasswords, CompanyAccounts
    from relaydesk.classify import Rules
    from relaydesk.config.book import StoredOverFiles
    from relaydesk.config.settings import Settings
    from relaydesk.desk import ReplyTemplates
    from relaydesk.outbound import Sender, Templates
    from relaydesk.policy import Plan

SOON = "4 business hours"


def utc_now() -> datetime:
    """This moment, aware UTC: the only clock of the running program."""
    return datetime.now(UTC)


def open_store(conf: Settings, *, upgrade: bool = False) -> Store:
    """The store of the settings. With ``upgrade`` its schema is made or brought up to date first."""
    return Store.open(conf.database, connections=conf.workers + 2, upgrade=upgrade)


def existing_store(conf: Settings) -> Store | None:
    """The store of the settings as it stands, to look at only; None where there is none yet."""
    try:
        return Store.open_to_read(conf.database)
    except StoreAbsent:
        return None


def kept_secret(store: Store) -> bytes:
    """The store's secret, b"" before its first use. Unlike :func:`store_secret` it makes none."""
    with store.reading() as session:
        return secret.kept(session)


def store_secret(store: Store) -> bytes:
    """What seals bounce addresses and Message-IDs: made at the first use of a store, and kept there."""
    return secret.read(store, secrets.token_bytes)


def open_desk(conf: Settings, *, upgrade: bool = False) -> Desk:
    """The desk over the store of the settings."""
    store = open_store(conf, upgrade=upgrade)
    in_force, _ = settings_in_force(conf, store)
    return Desk(store, desk_config(in_force, lambda: store_secret(store), files=conf), utc_now)


def settings_in_force(conf: Settings, store: Store) -> tuple[Settings, tuple[str, ...]]:
    """The settings with what is stored under them, and a sentence for each stored value that is left out."""
    with store.reading() as session:
        if not (stored := stored_settings.read(session).values):
            return conf, ()
    from relaydesk.config.stored import usable

    return usable(conf, stored)


def with_stored(conf: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The same for a command that needs no desk, by the store there is. StoreError when it cannot be read."""
    store = existing_store(conf)
    if store is None:
        return conf, ()
    with closing(store):
        return settings_in_force(conf, store)


def open_templates(conf: Settings) -> ReplyTemplates:
    """The reply templates of the settings: they need no store."""
    from relaydesk.config import parts
    from relaydesk.desk import ReplyTemplates

    return ReplyTemplates(parts.reply_templates(conf))


def desk_config(conf: Settings, secret: Callable[[], bytes], *, files: Settings | None = None) -> DeskConfig:
    """What the desk reads of the settings; ``secret`` gives the store's, which seals what goes out.

    ``files`` are the settings of file and environment alone, over which admins store others.
    """

    @cache
    def plan() -> Plan:
        from relaydesk.config import parts

        return parts.queue_plan(conf)

    @cache
    def sender() -> Sender:
        from relaydesk.config import parts

        return parts.sender(conf, parts.allowlist(conf), secret=secret())

    @cache
    def templates() -> Templates:
        from relaydesk.config import parts

        return parts.reply_templates(conf)

    @cache
    def sorting_rules() -> Rules:
        from relaydesk.config import parts

        return parts.rules(conf)

    return DeskConfig(
        calendar=Calendar.from_mapping(conf.calendar, "calendar"),
        queues=tuple(conf.all_queues),
        plan=plan,
        sender=sender,
        templates=templates,
        is_order_id=lambda text: sorting_rules().form.fits("order", text),
        sorting_rules=sorting_rules,
        attachment_types=conf.attachment_types,
        attachment_bytes=conf.attachment_bytes,
        give_up=timedelta(hours=conf.give_up_hours),
        report_templates=data_path("templates"),
        chance=secrets.token_bytes,
        soon=next((queue.warn_before for queue in conf.all_queues.values() if queue.warn_before), SOON),
        book=lambda: _book(files or conf),
        evidence_list=tuple(conf.evidence_list.items()),
        sign_in=_sign_in_config(conf, secret),
    )


def _book(files: Settings) -> StoredOverFiles:
    from relaydesk.config.book import StoredOverFiles

    return StoredOverFiles(files)


def _sign_in_config(conf: Settings, secret: Callable[[], bytes]) -> SignInConfig:
    @cache
    def passwords() -> AgentPasswords:
        from relaydesk.accounts import AgentPasswords

        return AgentPasswords()

    @cache
    def company() -> CompanyAccounts | None:
        if not conf.oidc_issuer:
            return None
        from relaydesk.accounts import CompanyAccounts
        from relaydesk.config import parts

        parts.demand_company(conf)
        return CompanyAccounts(
            conf.oidc_issuer, conf.oidc_client_id, conf.oidc_client_secret, conf.oidc_claim
        )

    return SignInConfig(
        passwords=passwords,
        company=company,
        secret=cache(secret),
        lasts=timedelta(hours=conf.session_hours),
        idle=timedelta(minutes=conf.session_idle_minutes),
        stays=timedelta(days=conf.session_stay_days),
    )
