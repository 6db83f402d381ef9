"""How a door process receives: the intake behind the SMTP door, and the gateway for other help desks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from relaydesk import setup
from relaydesk.answers.enclosures import enclose
from relaydesk.door.room import Door
from relaydesk.door.submission import submission_door
from relaydesk.forwarding import Forwarding
from relaydesk.gateway import Gateway
from relaydesk.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from datetime import datetime

    from relaydesk.letterhead import Letterhead
    from relaydesk.mailauth.resolver import Resolver
    from relaydesk.reloading import Reloadable
    from relaydesk.settings import Settings
    from relaydesk.store.engine import Store


def intake(  # noqa: PLR0913 - what a process has
    conf: Settings,
    store: Store,
    parts: Reloadable,
    *,
    resolver: Resolver,
    workers: Executor,
    clock: Callable[[], datetime],
) -> Intake:
    """The work behind the door; what it was read from is asked anew for each message."""
    name = setup.hostname(conf)
    authserv_id = conf.authserv_id or name
    return Intake(
        store=store,
        resolver=resolver,
        policy=lambda: parts.current.policy,
        rules=lambda: parts.current.rules,
        hostname=name,
        authserv_id=authserv_id,
        patience=conf.auth_timeout,
        clock=clock,
        workers=workers,
        forwarding=Forwarding(conf.forward, lambda: _head(parts), authserv_id) if conf.forward else None,
    )


def door(
    conf: Settings, receiver: Intake, parts: Reloadable, *, share: int, clock: Callable[[], datetime]
) -> Door:
    """The SMTP door. ``share`` is how many processes divide the caps."""
    return Door(
        hostname=setup.hostname(conf),
        limits=conf.limits.divided(share),
        receiver=receiver,
        allowlist=lambda: parts.current.allowlist,
        now=clock,
        tls=lambda: parts.current.tls,
    )


def gateway_door(  # noqa: PLR0913
    conf: Settings,
    store: Store,
    parts: Reloadable,
    *,
    share: int,
    workers: Executor,
    clock: Callable[[], datetime],
) -> Door:
    """The submission door, where other help desks hand in their answers."""
    gateway = Gateway(
        store=store,
        letterhead=lambda: _head(parts),
        rules=lambda: parts.current.cleaning,
        swallow=lambda: conf.automatic_answers == "swallow",
        enclose=partial(enclose, types=conf.attachment_types, each_bytes=conf.attachment_bytes),
        clock=clock,
        workers=workers,
    )
    limits = conf.limits.divided(share)
    return submission_door(setup.hostname(conf), limits, gateway, clock, lambda: parts.current.gateway_tls)


def _head(parts: Reloadable) -> Letterhead:
    """The letterhead, which the start demands where a gateway or forwarding is configured."""
    head = parts.current.letterhead
    if head is None:
        raise setup.SetupError("Set support_contact: forwarded mail and answers need a sender.")
    return head
