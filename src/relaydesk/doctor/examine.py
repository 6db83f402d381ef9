"""``relaydesk doctor``: is this installation fit for work? One finding for each thing that must be right."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from cryptography import x509

from relaydesk.config import parts
from relaydesk.data import demand_plain, read_file
from relaydesk.doctor.published import Finding
from relaydesk.policy import LISTS
from relaydesk.samples import Signer, key_published
from relaydesk.store import Store, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from relaydesk.config import Settings
    from relaydesk.dns import Lookup

EXPIRES_SOON = 14  # days of a certificate's life left from which on it is a warning


def examine(conf: Settings, now: datetime) -> Iterator[Finding]:
    """The settings, the files they name, the certificate and the store. ``now`` is aware UTC."""
    if conf.mailboxes:
        yield Finding("mailboxes", "ok", f"{len(conf.mailboxes)} accept mail: {', '.join(conf.mailboxes)}.")
    else:
        yield Finding("mailboxes", "fail", "None are set, so all mail would be refused; set mailboxes.")
    yield _tried("listen", lambda: f"{', '.join(map(str, parts.listen(conf)))}.")
    yield _tried("lists", lambda: _lists(conf))
    yield _tried("rules", lambda: f"{len(parts.rules(conf).rules)} sorting rules are valid.")
    yield _tried("calendar", lambda: _calendar(conf, now))
    yield from (Finding("calendar", "warn", warning) for warning in _ineffective(conf))
    yield _tried("targets", lambda: _targets(conf))
    yield _certificate("certificate", conf.tls_certificate, conf.tls_key, now)
    if conf.gateway_listen:
        chain, key = conf.gateway_certificate or conf.tls_certificate, conf.gateway_key or conf.tls_key
        yield _certificate("gateway certificate", chain, key, now)
    yield _answers(conf)
    yield _store(conf)


def _tried(check: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, "ok", look())
    except (ValueError, OSError, StoreError) as error:
        return Finding(check, "fail", str(error))


def _lists(conf: Settings) -> str:
    lists = parts.allowlist(conf)
    counts = ", ".join(f"{len(getattr(lists, name))} {name}" for name in LISTS)
    return f"{lists.source}: {counts}."


def _calendar(conf: Settings, now: datetime) -> str:
    return f"{parts.calendar(conf, now.date()).describe()}."


def _ineffective(conf: Settings) -> tuple[str, ...]:
    try:
        return parts.calendar(conf).warnings
    except ValueError:  # reported as a failure already
        return ()


def _targets(conf: Settings) -> str:
    parts.policy(conf, parts.allowlist(conf))
    targets = (f"{name} {queue.answer}" for name, queue in conf.all_queues.items() if queue.answer)
    return f"{', '.join(targets)}."


def _answers(conf: Settings) -> Finding:
    try:
        sender = parts.sender(conf, parts.allowlist(conf), secret=b"")
    except (ValueError, OSError) as error:
        return Finding("answers", "fail", str(error))
    via = f"Answers go out as {sender.shop.contact} by {conf.next_hop}"
    if sender.key is None:
        remedy = "make a key with `relaydesk dkim new`, or let the next hop sign"
        return Finding("answers", "warn", f"{via}, unsigned, and Meta refuses unsigned mail: {remedy}.")
    return Finding("answers", "ok", f"{via}, signed for {sender.key.domain} by {sender.key.selector}.")


async def examine_domain(conf: Settings, resolver: Lookup) -> Finding | None:
    """Whether DNS holds the public half of the key that signs our answers; None when none signs them."""
    if conf.answer_dkim is None:
        return None
    dkim = conf.answer_dkim
    signer = Signer(dkim.domain.lower(), dkim.selector, parts.read_text(dkim.key).encode())
    published = await key_published(signer, resolver)
    if published is None:
        return Finding("dkim", "unchecked", f"{signer.record_name} could not be looked up now; try again.")
    if published:
        return Finding("dkim", "ok", f"{signer.record_name} holds the key that signs the answers.")
    remedy = (
        f"publish the record that `relaydesk dkim new` printed; Meta refuses what {dkim.domain} cannot prove"
    )
    return Finding("dkim", "fail", f"{signer.record_name} does not hold the key of the settings: {remedy}.")


def _certificate(check: str, chain: Path | None, key: Path | None, now: datetime) -> Finding:
    if chain is None:
        return Finding(check, "warn", "None is set, so STARTTLS is not offered; set tls_certificate.")
    try:
        certificate = x509.load_pem_x509_certificate(read_file(chain))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain, demand_plain(key) if key else None)
    except (OSError, ssl.SSLError, ValueError) as error:
        return Finding(check, "fail", f"{chain} cannot be used: {str(error).rstrip('.')}.")
    days = (certificate.not_valid_after_utc - now.astimezone(UTC)).days
    level: Literal["ok", "warn", "fail"] = "fail" if days < 0 else "warn" if days < EXPIRES_SOON else "ok"
    expiry = f"{chain} expires on {certificate.not_valid_after_utc:%Y-%m-%d}"
    return Finding(check, level, f"{expiry}, in {days} days." if days >= 0 else f"{expiry}; renew it.")


def _store(conf: Settings) -> Finding:
    try:
        store = Store.open(conf.database)
    except StoreError as error:
        return Finding("store", "fail", str(error))
    store.close()
    fit = "It answers, syncs each commit and has the schema of this version"
    if opened := store.opened_to_others:
        files = ", ".join(f"{path} ({mode:04o})" for path, mode in opened)
        return Finding("store", "warn", f"{fit}, but others could read {files} until now; it is 0600 again.")
    return Finding("store", "ok", f"{fit}.")
