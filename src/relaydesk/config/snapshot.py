"""The configuration of a process: one frozen snapshot, replaced as a whole by SIGHUP or a stored setting.

Who works on a message, a command or a row takes ``Configuration.current`` once and hands it down. The rooms
declare what they read of it (``SmtpConfig``, ``IntakeConfig``, ``GatewayConfig``, ``DispatchConfig``).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from relaydesk.config import parts
from relaydesk.config.stored import demand_usable, effective, usable
from relaydesk.data import UnusableFileError, demand_plain
from relaydesk.intake import Forwarding
from relaydesk.logs import log
from relaydesk.policy import Allowlist
from relaydesk.store import StoredSettings

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
    """Who holds the snapshot of a process. ``secret`` is the store's, which seals what goes out.

    ``settings`` are those of file and environment, ``stored`` what admins have stored. ``in_force`` are both
    together; ``problem`` says why newer ones are not taken, "" where they are; ``changes`` counts the
    snapshots. A stored value that cannot be used at the start is left out, and said loudly.
    """

    def __init__(self, settings: Settings, secret: bytes, stored: StoredSettings | None = None) -> None:
        self._settings, self._secret = settings, secret
        self._hostname = parts.hostname(settings)  # once: it may ask DNS
        self._turn = Lock()  # SIGHUP comes on the event loop, a stored value from a thread
        self.stored = stored or StoredSettings()
        self.in_force, problems = usable(settings, self.stored.values)
        self.problem, self.changes = "\n".join(problems), 0
        if problems:
            log("stored_setting_left_out", level="error", problem=self.problem)
        self.current = self._read(self.in_force)

    def reload(self) -> None:
        """Read all files again; all or nothing: a broken one keeps everything as it was."""
        self._replace(self.stored, "the files as they were")

    def take(self, stored: StoredSettings) -> None:
        """Put newly stored settings in force, in the same way."""
        self._replace(stored, "the settings as they were")

    def _replace(self, stored: StoredSettings, kept: str) -> None:
        with self._turn:
            self.stored = stored
            try:
                in_force = effective(self._settings, stored.values)
                demand_usable(in_force)
                current = self._read(in_force)
            except (ValueError, OSError) as error:
                self.problem = str(error)
                log("reload_failed", level="error", kept=kept, problem=self.problem)
            else:
                self.in_force, self.current, self.problem = in_force, current, ""
                self.changes += 1
                log("reloaded")

    def _read(self, settings: Settings) -> Snapshot:
        return read_snapshot(settings, secret=self._secret, hostname=self._hostname)


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
