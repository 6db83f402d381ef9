"""From settings to the values the rooms work with: calendar, lists, rules, policy, sender.

Everything that can be wrong in a file is found here, at the start, with the file and the remedy named.
"""

from __future__ import annotations

import socket
from datetime import timedelta
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relaydesk import classify, gateway
from relaydesk.business_time import Calendar, Target
from relaydesk.classify import load_rules
from relaydesk.config.listen import ListenAddress
from relaydesk.data import UnusableFileError, data_path, read_text_file
from relaydesk.dns import Resolver
from relaydesk.gateway import load_gateway_rules
from relaydesk.mailauth import dkim_key_record
from relaydesk.message import domain_of, plain_address
from relaydesk.outbound import NextHop, Sender, Shop, SigningKey, Templates
from relaydesk.policy import Policy, QueuePlan, QueueTargets, parse_allowlist
from relaydesk.yaml_reader import YamlError, parse_yaml

if TYPE_CHECKING:
    from datetime import date

    from relaydesk.classify import Rules
    from relaydesk.config.settings import DkimKey, Queue, Settings
    from relaydesk.gateway import GatewayRules
    from relaydesk.policy import Allowlist


class SetupError(ValueError):
    """Something the settings point to cannot be used; the message names it and the remedy."""


def read_text(path: Path) -> str:
    """A settings file's text. SetupError when it cannot be read."""
    try:
        return read_text_file(path)
    except UnusableFileError as error:
        raise SetupError(str(error)) from None


def read_yaml(path: Path) -> Any:
    """A YAML file as plain values. SetupError with the line when it is none."""
    try:
        return parse_yaml(read_text(path), str(path))
    except YamlError as error:
        raise SetupError(str(error)) from None


def calendar_file(path: Path) -> Calendar:
    """The calendar of one file. CalendarError names the key and the remedy."""
    return Calendar.from_mapping(read_yaml(path), str(path))


def calendar(conf: Settings, today: date | None = None) -> Calendar:
    """The calendar of the settings; with ``today`` it must open within 400 days of it."""
    opening_hours = Calendar.from_mapping(conf.calendar, "calendar")
    if today is not None:
        opening_hours.require_open_time(today)
    return opening_hours


def allowlist(conf: Settings) -> Allowlist:
    """The lists of networks: the settings' file, else the shipped one."""
    if conf.allowlist is None and "allowlist" in conf.stored:
        return parse_allowlist(conf.stored["allowlist"], "stored allowlist")
    path = conf.allowlist or data_path("allowlist.yaml")
    return parse_allowlist(read_text(path), str(path))


def listen(conf: Settings) -> tuple[ListenAddress, ...]:
    """The addresses of the SMTP server."""
    if not conf.listen:
        raise SetupError("Setting listen: no address is given; use one such as ['0.0.0.0:25'].")
    return tuple(map(ListenAddress.parse, conf.listen))


def web_listen(conf: Settings) -> tuple[ListenAddress, ...]:
    """The addresses of the desk in a browser."""
    return tuple(map(ListenAddress.parse, conf.web))


def demand_company(conf: Settings) -> None:
    """SetupError names what the company's sign-in lacks, where one is set."""
    if not conf.oidc_issuer:
        return
    lacking = [
        name for name in ("oidc_client_id", "oidc_client_secret", "web_address") if not getattr(conf, name)
    ]
    if lacking:
        raise SetupError(f"Setting oidc_issuer: signing in with it needs {lacking[0]} too; set that.")
    issuer = urlsplit(conf.oidc_issuer)
    if issuer.scheme != "https" and issuer.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise SetupError("Setting oidc_issuer: use https; what a provider says in the clear proves nothing.")


def gateway_listen(conf: Settings) -> tuple[ListenAddress, ...]:
    """The addresses of the gateway; none when it is not wanted."""
    return tuple(map(ListenAddress.parse, conf.gateway_listen))


@cache  # a part of the program, so the same till its end; to read it takes a quarter of a second
def shipped_rules() -> Rules:
    """The shipped sorting rules with their language packs, English first."""
    path = Path(classify.__file__).with_name("facebook.yaml")
    packs = sorted(path.with_name("packs").glob("*.yaml"), key=lambda pack: (pack.stem != "en", pack.name))
    return load_rules(read_text(path), path.name, [(read_text(pack), pack.name) for pack in packs])


def rules(conf: Settings) -> Rules:
    """The shipped sorting rules, with the shop's own over them."""
    shipped = shipped_rules()
    if conf.rules is None and "rules" in conf.stored:
        return shipped.extended(load_rules(conf.stored["rules"], "stored rules"))
    if conf.rules is None:
        return shipped
    return shipped.extended(load_rules(read_text(conf.rules), str(conf.rules)))


def hostname(conf: Settings) -> str:
    """The name this server goes by."""
    return conf.hostname or socket.getfqdn()


def policy(
    conf: Settings, lists: Allowlist, *, secret: bytes = b"", mailboxes: tuple[str, ...] | None = None
) -> Policy:
    """The shop's policy. ``secret`` seals bounce addresses; ``mailboxes`` replaces those of the settings."""
    return Policy(
        allowlist=lists,
        calendar=calendar(conf),
        queues=_queue_targets(conf),
        mailboxes=frozenset(conf.mailboxes if mailboxes is None else mailboxes),
        secret=conf.secret.encode() or secret,
        on_drift=conf.on_drift,
        unlisted_sender=conf.unlisted_sender,
        outage_after=conf.outage_after,
        old_signature=conf.old_signature,
        max_bounces=conf.max_bounces,
        max_received=conf.limits.received,
    )


def queue_plan(conf: Settings) -> QueuePlan:
    """The clocks that the queues' targets give to a start."""
    return QueuePlan(calendar(conf), _queue_targets(conf))


def _queue_targets(conf: Settings) -> dict[str, QueueTargets]:
    return {name: _targets(name, queue) for name, queue in conf.all_queues.items()}


def _targets(name: str, queue: Queue) -> QueueTargets:
    def target(key: str, text: str | None) -> Target | None:
        if text is None:
            return None
        try:
            return Target.parse(text)
        except ValueError as error:
            raise SetupError(f"Setting queues.{name}.{key}: {error}.") from None

    tighter = {reason: target(f"tighter.{reason}", text) for reason, text in queue.tighter.items()}
    return QueueTargets(
        answer=target("answer", queue.answer),
        evidence=target("evidence", queue.evidence),
        reading=queue.reading,
        warn_before=target("warn_before", queue.warn_before),
        tighter={reason: sooner for reason, sooner in tighter.items() if sooner is not None},
    )


def gateway_rules(conf: Settings) -> GatewayRules:
    """The shipped rules for cleaning other help desks' answers, with the shop's own over them."""
    path = Path(gateway.__file__).with_name("desks.yaml")
    shipped = load_gateway_rules(read_yaml(path), path.name)
    if conf.gateway_rules is None:
        return shipped
    return load_gateway_rules(read_yaml(conf.gateway_rules), str(conf.gateway_rules)).over(shipped)


def shop(conf: Settings) -> Shop:
    """Who answers: the support contact of the settings, else the first mailbox.

    SetupError where there is none, or where its domain is not one of ours.
    """
    name, written = parseaddr(conf.support_contact or next(iter(conf.mailboxes), ""))
    contact = plain_address(written)
    if contact is None:
        raise SetupError(
            "Setting support_contact: answers need a sender; use one such as 'Shop <help@shop.example>'."
        )
    domain = domain_of(contact)
    ours = {domain_of(box) for box in conf.mailboxes} | {conf.bounce_domain.lower()}
    signs = conf.answer_dkim.domain.lower() if conf.answer_dkim else ""
    if conf.support_contact and domain not in ours and not _aligned(domain, signs):
        raise SetupError(
            f"Setting support_contact: {domain} is not a domain of the mailboxes; use an address of one "
            "of those, or sign for it (answer_dkim)."
        )
    if signs and not _aligned(domain, signs):
        raise SetupError(
            f"Setting answer_dkim: a signature of {signs} does not vouch for From {contact} (DMARC "
            f"alignment); sign for {domain}."
        )
    return Shop(name, contact, conf.bounce_domain.lower() or domain)


def _aligned(domain: str, signs: str) -> bool:
    """One is the other or lies below it: what relaxed alignment (RFC 9989) surely accepts."""
    return bool(signs) and (domain == signs or domain.endswith(f".{signs}") or signs.endswith(f".{domain}"))


def sender(conf: Settings, lists: Allowlist, *, secret: bytes) -> Sender:
    """Who we are when something goes out. ``secret`` seals bounce addresses and Message-IDs."""
    return Sender(
        shop=shop(conf),
        sender_domains=frozenset(lists.senders),
        secret=conf.secret.encode() or secret,
        undo=timedelta(seconds=conf.undo_seconds),
        give_up=timedelta(hours=conf.give_up_hours),
        key=_signing_key(conf.answer_dkim) if conf.answer_dkim else None,
    )


def _signing_key(dkim: DkimKey) -> SigningKey:
    pem = read_text(dkim.key).encode()
    try:
        dkim_key_record(pem)
    except (ValueError, TypeError):
        raise SetupError(
            f"Setting answer_dkim: {dkim.key} does not hold a private key that can sign; make one with "
            "`relaydesk dkim new`."
        ) from None
    return SigningKey(dkim.domain.lower(), dkim.selector, pem)


def next_hop(conf: Settings) -> NextHop:
    """Who takes the answers."""
    return NextHop.parse(
        conf.next_hop, conf.next_hop_user, conf.next_hop_password, starttls=conf.next_hop_starttls
    )


def forward_hop(conf: Settings) -> NextHop | None:
    """Who takes what is forwarded, under a login of its own; None when it is the next hop."""
    if not conf.forward_hop:
        return None
    return NextHop.parse(
        conf.forward_hop,
        conf.forward_hop_user,
        conf.forward_hop_password,
        starttls=conf.next_hop_starttls,
    )


def resolver(conf: Settings) -> Resolver:
    """The one resolver of a process. SetupError names a name server that is not an address."""
    try:
        return Resolver.over_network(conf.nameservers, timeout=conf.dns_timeout)
    except ValueError as error:
        raise SetupError(f"Setting nameservers: {error}") from None


def reply_templates(conf: Settings) -> Templates:
    """The shipped reply templates, with the shop's own over them."""
    folders = [data_path("templates") / "replies"]
    if conf.reply_templates is not None:
        return Templates.load([*folders, conf.reply_templates])
    prefix = "template."
    own = {name.removeprefix(prefix): text for name, text in conf.stored.items() if name.startswith(prefix)}
    return Templates.load(folders, own)
