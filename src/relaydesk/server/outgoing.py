"""How the office sends: the dispatcher with its couriers, its last look and its diagnosis, put together."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
import ssl
from typing import TYPE_CHECKING

from relaydesk.config import parts
from relaydesk.doctor import check_domain
from relaydesk.outbound import AnswerRefused, Courier, Dispatcher, check_outgoing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor
    from datetime import datetime

    from relaydesk.config import Settings
    from relaydesk.dns import Resolver
    from relaydesk.outbound import Sender
    from relaydesk.policy import Plan
    from relaydesk.store import Claimed, Store


def dispatcher(  # noqa: PLR0913 - what a process has
    conf: Settings,
    store: Store,
    letterhead: Callable[[], Sender],
    *,
    plan: Plan,
    resolver: Resolver,
    workers: Executor,
    clock: Callable[[], datetime],
) -> tuple[Dispatcher, tuple[Courier, ...]]:
    """The dispatcher of this process and its couriers, which the caller closes. Call it in the event loop.

    ``letterhead`` is asked anew for each message, so that a reload takes effect.
    """
    tls = _authorities(conf)
    helo = parts.hostname(conf)
    answering = Courier(parts.next_hop(conf), helo=helo, resolver=resolver, tls=tls)
    hop = parts.forward_hop(conf)
    forwarding = Courier(hop, helo=helo, resolver=resolver, tls=tls) if hop else answering
    made = Dispatcher(
        store=store,
        courier=lambda purpose: forwarding if purpose == "forward" else answering,
        check=lambda claimed: last_look(claimed, letterhead(), conf),
        plan=plan,
        who=f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}",
        clock=clock,
        chance=random.random,
        workers=workers,
        diagnose=_diagnosis(conf),
    )
    return made, tuple({id(one): one for one in (answering, forwarding)}.values())


def last_look(claimed: Claimed, letterhead: Sender, conf: Settings) -> None:
    """Holds a message that is about to leave against what it is bound to. Raises AnswerRefused."""
    if claimed.purpose != "forward":
        check_outgoing(claimed.raw, letterhead.bound(claimed.recipient, claimed.order_id))
    elif claimed.recipient.lower() not in {address.lower() for address in conf.forward.values()}:
        raise AnswerRefused(f"{claimed.recipient} is no longer an address that mail is forwarded to.")


def _authorities(conf: Settings) -> ssl.SSLContext | None:
    if conf.next_hop_ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=conf.next_hop_ca)
    except (OSError, ssl.SSLError) as error:
        raise parts.SetupError(
            f"Setting next_hop_ca: {conf.next_hop_ca} holds no certificates: {error}."
        ) from None


def _diagnosis(conf: Settings) -> Callable[[str], Awaitable[str]]:
    async def diagnose(domain: str) -> str:
        """What ``doctor`` finds wrong with our domain, as sentences."""
        found = await asyncio.to_thread(check_domain, domain, conf.nameservers, conf.dns_timeout)
        return " ".join(one.text for one in found if one.level == "fail" and one.check in ("spf", "dmarc"))

    return diagnose
