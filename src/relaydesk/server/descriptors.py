"""File descriptors: as many as the system gives, and no more connections than there are descriptors for."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

from relaydesk.logs import log

if TYPE_CHECKING:
    from relaydesk.config import Settings
    from relaydesk.smtpd import Limits

ENOUGH = 65536
"""More is never asked for: some programs go through all that they may have."""
RESERVED = 256
"""Descriptors of a listener process that no connection takes: store, questions to DNS, workers, log."""


def raise_limit() -> None:
    """Take as many file descriptors as this process may, for itself and its children."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def fitting_limits(settings: Settings, share: int) -> Limits:
    """The limits of one of ``share`` listener processes, with the connections that its descriptors allow."""
    limits = settings.limits.divided(share)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return limits
    endpoints = 2 if settings.gateway_listen else 1
    return limits.within((soft - min(RESERVED, soft // 2)) // endpoints)


def warn_of_few(settings: Settings, share: int) -> None:
    """One line when there are fewer descriptors than the limits have connections."""
    wanted, allowed = settings.limits.divided(share), fitting_limits(settings, share)
    if allowed.connections >= wanted.connections:
        return
    endpoints = 2 if settings.gateway_listen else 1
    log(
        "connections_lowered",
        level="warning",
        connections=allowed.connections * share,
        configured=settings.limits.connections,
        remedy=f"allow {endpoints * wanted.connections + RESERVED} open files a process, as by LimitNOFILE",
    )
