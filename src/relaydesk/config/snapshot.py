"""The configuration of a process: one frozen snapshot, replaced as a whole by SIGHUP.

Who works on a message, a command or a row takes ``Configuration.current`` once and hands it down. The rooms
declare what they read of it (``SmtpConfig``, ``IntakeConfig``, ``GatewayConfig``, ``DispatchConfig``).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaydesk.config import parts
from relaydesk.data import UnusableFileError, demand_plain
from relaydesk.intake import Forwarding
from relaydesk.logs import log
from relaydesk.policy import Allowlist

if TYPE_CHECKING:
    from pathlib import Path

    from relaydesk.classify import Rules
    from relaydesk.config.settings import Settings
    from relaydesk.gateway import GatewayRules
    from relaydesk.outbound import Sender
    from relaydesk.policy import Plan, Policy


@dataclass(frozen=True, slots=True)
class GatewaySnapshot:
    """What the submission endpoint and the gateway work with. No network has a role there."""

    tls: ssl.SSLContext
    sender: Sender
    rules: GatewayRules
    swallow: bool
    attachment_types: tuple[str, ...]
    attachment_bytes: int
    allowlist: Allowlist = field(default_factory=Allowlist)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that settings and files say, as it was read at one moment.

    ``sender`` is None where no sender is set, ``forwarding`` where no queue goes on elsewhere,
    ``gateway`` where none is configured. ``auth_timeout`` is in seconds.
    """

    hostname: str
    authserv_id: str
    auth_timeout: float
    allowlist: Allowlist
    rules: Rules
    policy: Policy
    tls: ssl.SSLContext | None
    sender: Sender | None
    forwarding: Forwarding | None
    gateway: GatewaySnapshot | None
    web_tls: ssl.SSLContext | None = None

    @property
    def plan(self) -> Plan:
        """The clocks of a queue."""
        return self.policy.plan

    @property
    def forward_to(self) -> frozenset[str]:
        """The addresses that mail is forwarded to, lower case."""
        return (
            frozenset(to.lower() for to in self.forwarding.addresses.values())
            if self.forwarding
            else frozenset()
        )


class Configuration:
    """Who holds the snapshot of a process. ``secret`` is the store's, which seals what goes out."""

    def __init__(self, settings: Settings, secret: bytes) -> None:
        self._settings, self._secret = settings, secret
        self._hostname = parts.hostname(settings)  # once: it may ask DNS
        self.current = self._read()

    def reload(self) -> None:
        """Read all files again; all or nothing: a broken one keeps everything as it was."""
        try:
            self.current = self._read()
        except (ValueError, OSError) as error:
            log("reload_failed", level="error", kept="the files as they were", problem=str(error))
        else:
            log("reloaded")

    def _read(self) -> Snapshot:
        return read_snapshot(self._settings, secret=self._secret, hostname=self._hostname)


class GatewayConfiguration:
    """The gateway's part of a configuration."""

    def __init__(self, whole: Configuration) -> None:
        self._whole = whole

    @property
    def current(self) -> GatewaySnapshot:
        gateway = self._whole.current.gateway
        if gateway is None:
            raise parts.SetupError(
                "Setting gateway_listen: no gateway is configured; use an address such as 0.0.0.0:587."
            )
        return gateway


def read_snapshot(settings: Settings, *, secret: bytes, hostname: str) -> Snapshot:
    """Everything the settings point to. SetupError or another ValueError names what cannot be used."""
    allowlist = parts.allowlist(settings)
    sender = parts.sender(settings, allowlist, secret=secret) if _has_contact(settings) else None
    authserv_id = settings.authserv_id or hostname
    return Snapshot(
        hostname=hostname,
        authserv_id=authserv_id,
        auth_timeout=settings.auth_timeout,
        allowlist=allowlist,
        rules=parts.rules(settings),
        policy=parts.policy(settings, allowlist, secret=secret),
        tls=_certificate(settings.tls_certificate, settings.tls_key),
        sender=sender,
        forwarding=Forwarding(settings.forward, _needed(sender), authserv_id) if settings.forward else None,
        gateway=_gateway(settings, _needed(sender)) if settings.gateway_listen else None,
        web_tls=_web_tls(settings),
    )


def _web_tls(settings: Settings) -> ssl.SSLContext | None:
    """What the desk serves https with; None where a proxy does that, or nobody."""
    if not settings.web_tls:
        if settings.web_certificate is not None:
            raise parts.SetupError("Setting web_certificate: it serves for nothing without web_tls: true.")
        return None
    own = settings.web_certificate is not None
    tls = _certificate(
        settings.web_certificate if own else settings.tls_certificate,
        settings.web_key if own else settings.tls_key,
    )
    if tls is None:
        raise parts.SetupError("Setting web_tls: it needs a certificate; set web_certificate and web_key.")
    return tls


def _has_contact(settings: Settings) -> bool:
    return bool(settings.support_contact or settings.mailboxes)


def _needed(sender: Sender | None) -> Sender:
    if sender is None:
        raise parts.SetupError("Forwarded mail and answers need a sender; set support_contact.")
    return sender


def _gateway(settings: Settings, sender: Sender) -> GatewaySnapshot:
    own = settings.gateway_certificate is not None
    tls = _certificate(
        settings.gateway_certificate if own else settings.tls_certificate,
        settings.gateway_key if own else settings.tls_key,
    )
    if tls is None:
        raise parts.SetupError(
            "The gateway takes passwords, so it needs a certificate: set gateway_certificate and gateway_key."
        )
    return GatewaySnapshot(
        tls=tls,
        sender=sender,
        rules=parts.gateway_rules(settings),
        swallow=settings.automatic_answers == "swallow",
        attachment_types=settings.attachment_types,
        attachment_bytes=settings.attachment_bytes,
    )


def _certificate(chain: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if chain is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(demand_plain(chain), demand_plain(key) if key else None)
    except UnusableFileError as error:
        raise parts.SetupError(str(error)) from None
    except (OSError, ssl.SSLError) as error:
        raise parts.SetupError(f"The certificate {chain} cannot be used: {error}.") from None
    return context
