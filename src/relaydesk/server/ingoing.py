"""How a door process receives: the intake behind the SMTP door, and the gateway for other help desks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from relaydesk.config import parts as setup
from relaydesk.gateway import Gateway
from relaydesk.intake import Forwarding, Intake
from relaydesk.outbound import attach_files
from relaydesk.smtpd import Endpoint, submission_endpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from datetime import datetime

    from relaydesk.config import Reloadable, Settings
    from relaydesk.dns import Resolver
    from relaydesk.outbound import Sender
    from relaydesk.store import Store


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
) -> Endpoint:
    """The SMTP door. ``share`` is how many processes divide the caps."""
    return Endpoint(
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
) -> Endpoint:
    """The submission door, where other help desks hand in their answers."""
    gateway = Gateway(
        store=store,
        letterhead=lambda: _head(parts),
        rules=lambda: parts.current.cleaning,
        swallow=lambda: conf.automatic_answers == "swallow",
        enclose=partial(attach_files, types=conf.attachment_types, each_bytes=conf.attachment_bytes),
        clock=clock,
        workers=workers,
    )
    limits = conf.limits.divided(share)
    return submission_endpoint(
        setup.hostname(conf), limits, gateway, clock, lambda: parts.current.gateway_tls
    )


def _head(parts: Reloadable) -> Sender:
    """The letterhead, which the start demands where a gateway or forwarding is configured."""
    head = parts.current.letterhead
    if head is None:
        raise setup.SetupError("Set support_contact: forwarded mail and answers need a sender.")
    return head
