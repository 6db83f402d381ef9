"""The parent of ``relaydesk serve``: binds the ports, gives up root, and keeps the children running.

What each child is made of is in :mod:`.listener_process` and :mod:`.office_process`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from relaydesk.config import hide_password, open_store, parts, read_snapshot, utc_now
from relaydesk.logs import configure, log
from relaydesk.server.descriptors import raise_limit, warn_of_few
from relaydesk.server.listening import bind, drop_privileges
from relaydesk.server.supervisor import Child, SupervisorTiming, supervise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.config import ListenAddress, Settings


def serve(settings: Settings, config_file: str | None, roles: Sequence[str]) -> int:
    """Run until SIGTERM or SIGINT; the exit status. Every role may run alone, on many machines."""
    os.umask(0o077)  # whatever is made here or in a child holds customers' mail
    configure(settings.log_level, settings.log_format)
    raise_limit()
    _check_files(settings)
    listeners = 0
    if "door" in roles:
        _check_reception(settings)
        listeners = settings.processes or min(4, os.cpu_count() or 1)
        warn_of_few(settings, listeners)
    addresses = (*parts.listen(settings), *parts.gateway_listen(settings))
    bound = bind(addresses, listeners) if listeners else None
    pages = bind(parts.web_listen(settings), 1) if settings.web and "office" in roles else None
    if settings.user:
        drop_privileges(settings.user)
    _prepare_store(settings)
    log(
        "settings",
        database=hide_password(settings.database),
        mailboxes=len(settings.mailboxes),
        doors=listeners,
    )
    command = (sys.executable, "-m", "relaydesk", *(("--config", config_file) if config_file else ()))
    children = [
        Child(f"door-{number}", (*command, "run-door", "--share", str(listeners)), sockets)
        for number, sockets in enumerate(bound.sockets if bound else (), 1)
    ]
    if "office" in roles:
        children.append(Child("office", (*command, "run-office"), pages.sockets[0] if pages else ()))
    where = _listening(settings, bound.addresses) if bound else "nothing (office only)"
    if pages:
        scheme = "https" if settings.web_tls else "http"
        where += f"; the desk on {', '.join(f'{scheme}://{address}' for address in pages.addresses)}"
    return supervise(
        children,
        announcement=f"relaydesk listens on {where}",
        pace=SupervisorTiming(grace=settings.drain_seconds),
    )


def _prepare_store(settings: Settings) -> None:
    """Brings the schema up to date before any child opens it."""
    store = open_store(settings, upgrade=True)
    for file, mode in store.opened_to_others:
        log("database_closed_to_others", level="warning", file=str(file), mode=f"{mode:04o}")
    store.close()


def _listening(settings: Settings, addresses: Sequence[ListenAddress]) -> str:
    smtp, gateway = addresses[: len(settings.listen)], addresses[len(settings.listen) :]
    text = ", ".join(map(str, smtp))
    return f"{text}; the gateway on {', '.join(map(str, gateway))}" if gateway else text


def _check_files(settings: Settings) -> None:
    """Whatever a file can have wrong is said before any port is bound."""
    read_snapshot(settings, secret=b"", hostname=settings.hostname)
    for warning in parts.calendar(settings, utc_now().date()).warnings:
        log("calendar", level="warning", problem=warning)
    parts.resolver(settings)
    parts.demand_company(settings)


def _check_reception(settings: Settings) -> None:
    """What receiving mail needs beside: mailboxes, and queues that go on to somebody else."""
    if not settings.mailboxes:
        raise parts.SetupError(
            "No mailboxes are set, so all mail would be refused: set mailboxes in relaydesk.yaml or "
            "RELAYDESK_MAILBOXES='[\"help@shop.example\"]'."
        )
    unknown = sorted(set(settings.forward) - set(settings.all_queues))
    if unknown:
        raise parts.SetupError(
            f"Setting forward: unknown queue {unknown[0]}; use one of {', '.join(settings.all_queues)}."
        )
    ours = sorted(to for to in settings.forward.values() if to.lower() in settings.mailboxes)
    if ours:
        raise parts.SetupError(
            f"Setting forward: {ours[0]} is one of our own mailboxes, so its mail would come back here; name "
            "the other help desk's own address."
        )
