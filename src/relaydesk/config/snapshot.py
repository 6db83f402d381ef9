"""What SIGHUP reads anew: lists, rules, certificates, signing key. A broken file keeps what was there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.config import parts
from relaydesk.logs import log

if TYPE_CHECKING:
    from pathlib import Path

    from relaydesk.classify import Rules
    from relaydesk.config.settings import Settings
    from relaydesk.gateway import GatewayRules
    from relaydesk.outbound import Sender
    from relaydesk.policy import Allowlist, Policy


@dataclass(frozen=True, slots=True)
class Parts:
    """All that files say, as it was read at one moment.

    ``letterhead`` is None where nobody is named to answer; ``gateway_tls`` where no gateway is configured.
    """

    allowlist: Allowlist
    rules: Rules
    policy: Policy
    tls: ssl.SSLContext | None
    letterhead: Sender | None
    gateway_tls: ssl.SSLContext | None
    cleaning: GatewayRules


class Reloadable:
    """The parts of a process; ``current`` is replaced as a whole. ``sealed_with`` is the store's secret."""

    def __init__(self, conf: Settings, sealed_with: bytes) -> None:
        self._conf, self._secret = conf, sealed_with
        self.current = self._read()

    def reload(self) -> None:
        """Read all of it again; all or nothing."""
        try:
            self.current = self._read()
        except (ValueError, OSError) as error:
            log("reload_failed", level="error", kept="the files as they were", problem=str(error))
        else:
            log("reloaded")

    def _read(self) -> Parts:
        conf, found = self._conf, parts.allowlist(self._conf)
        answers = bool(conf.support_contact or conf.mailboxes)
        return Parts(
            allowlist=found,
            rules=parts.rules(conf),
            policy=parts.policy(conf, found, secret=self._secret),
            tls=_certificate(conf.tls_certificate, conf.tls_key),
            letterhead=parts.letterhead(conf, found, secret=self._secret) if answers else None,
            gateway_tls=_gateway_certificate(conf) if conf.gateway_listen else None,
            cleaning=parts.cleaning(conf),
        )


def _gateway_certificate(conf: Settings) -> ssl.SSLContext:
    own = conf.gateway_certificate is not None
    context = _certificate(
        conf.gateway_certificate if own else conf.tls_certificate, conf.gateway_key if own else conf.tls_key
    )
    if context is None:
        raise parts.SetupError(
            "The gateway takes passwords, so it needs a certificate: set gateway_certificate and gateway_key."
        )
    return context


def _certificate(chain: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if chain is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(chain, key)
    except (OSError, ssl.SSLError) as error:
        raise parts.SetupError(f"The certificate {chain} cannot be used: {error}.") from None
    return context
