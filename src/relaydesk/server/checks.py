"""The checks that an admin begins in the desk: those of ``relaydesk doctor`` and ``allowlist audit``."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from relaydesk.config import parts, utc_now
from relaydesk.doctor import Finding, audit_networks, check_domain, examine, examine_domain
from relaydesk.message import domain_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from relaydesk.config import Settings


def doctor_steps(conf: Settings) -> list[Callable[[], Iterable[Mapping[str, str]]]]:
    """What ``relaydesk doctor`` looks at, a step each: the installation, the signing key, each domain."""
    domains = sorted({domain_of(box) for box in conf.mailboxes} | {conf.bounce_domain} - {""})
    return [
        lambda: _told(examine(conf, utc_now())),
        lambda: _told(_signing(conf)),
        *(partial(_domain, conf, domain) for domain in domains),
    ]


def audit_steps(conf: Settings) -> list[Callable[[], Iterable[Mapping[str, str]]]]:
    """The allowlist against what each listed sender publishes, a step each; then what nobody publishes."""
    lists = parts.allowlist(conf)
    networks = [entry.network for entry in lists.networks]
    published: set[str] = set()
    unsure: list[str] = []

    def sender(domain: str) -> Iterable[Mapping[str, str]]:
        audit = audit_networks([domain], networks, conf.nameservers, conf.dns_timeout)
        for network, _ in audit.lacking:
            text = f"{domain} publishes {network}, which no entry of the list holds."
            yield {"check": str(network), "level": "fail", "text": text}
        idle = {str(network) for network in audit.unpublished}
        published.update(str(network) for network in networks if str(network) not in idle)
        unsure.extend(audit.remarks)
        for remark in audit.remarks:
            yield {"check": domain, "level": "unchecked", "text": remark}
        if not audit.lacking and not audit.remarks:
            yield {"check": domain, "level": "ok", "text": f"The list holds all that {domain} publishes."}

    def unpublished() -> Iterable[Mapping[str, str]]:
        for network in networks:
            if str(network) not in published:
                level = "unchecked" if unsure else "warn"
                text = f"{network} is listed, but no listed sender publishes it."
                yield {"check": str(network), "level": level, "text": text}

    return [*(partial(lambda domain: list(sender(domain)), domain) for domain in lists.senders), unpublished]


def _signing(conf: Settings) -> list[Finding]:
    finding = asyncio.run(examine_domain(conf, parts.resolver(conf)))
    return [finding] if finding is not None else []


def _domain(conf: Settings, domain: str) -> list[Mapping[str, str]]:
    checked = check_domain(domain, conf.nameservers, conf.dns_timeout)
    return _told(Finding(f"{domain} {check.check}", check.level, check.text) for check in checked)


def _told(findings: Iterable[Finding]) -> list[Mapping[str, str]]:
    return [asdict(finding) for finding in findings]


CHECKS = {"doctor": doctor_steps, "allowlist": audit_steps}
"""By the names the desk begins them under."""
