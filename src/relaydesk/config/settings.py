"""Every setting, as one frozen value; :mod:`relaydesk.config.load` reads it from file and environment."""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from relaydesk.config.limits import read_limits
from relaydesk.config.listen import ListenAddress, web_url
from relaydesk.message import normal_address, plain_address
from relaydesk.outbound import NextHop
from relaydesk.smtpd import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_HOURS = 8760.0  # a year
PREFIX = "RELAYDESK_"
# The text of a key or certificate: PEM, or its base64 alone, which begins so (DER, X.690 §8.9).
_CONTENT = re.compile(r"(?s).*(?:-----BEGIN |[\r\n])|MI[\w+/=]{60,}$|MC4CAQ[\w+/=]{50,}$")


def _no_content(written: object) -> object:
    if isinstance(written, str) and _CONTENT.match(written):
        raise ValueError("this must name a file, not hold what belongs into it; put the text into a file")
    return written


# What stands there by mistake may be a private key, which no error and no list of settings may show.
FilePath = Annotated[Path, BeforeValidator(_no_content)]


class Queue(BaseModel):
    """The targets of one queue, as ``relaydesk due --target`` writes them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: str | None = Field(
        default=None, description="time to answer (or to handle, without a relay address)"
    )
    evidence: str | None = Field(default=None, description="time to send evidence (chargebacks)")
    reading: Literal["elapsed", "end_of_day"] = Field(
        default="elapsed", description="how business days are counted"
    )
    warn_before: str | None = Field(
        default="4 business hours", description="warn this long before the deadline"
    )
    tighter: dict[str, str] = Field(
        default_factory=dict, description="a second target by reason for contact; the earlier one counts"
    )


class DkimKey(BaseModel):
    """The key that signs our answers: ``selector._domainkey.domain`` holds its public half."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str = Field(pattern=r"^[A-Za-z0-9.-]+$", description="the domain that signs (d=)")
    selector: str = Field(pattern=r"^[A-Za-z0-9._-]+$", description="the selector (s=)")
    key: FilePath = Field(description="the private key, PEM, as `relaydesk dkim new` writes it")


DEFAULT_QUEUES: dict[str, Queue] = {
    "case": Queue(answer="2 business days", tighter={"return_request": "48 hours"}),
    "claim": Queue(answer="2 business days"),
    "chargeback": Queue(answer="2 business days", evidence="10 days"),
    "unsorted": Queue(answer="2 business days", tighter={"return_request": "48 hours"}),
    "notice": Queue(),
}


class Settings(BaseSettings):
    """Every setting, with its default and what it is for."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        validate_default=False,
        hide_input_in_errors=True,
    )

    mailboxes: tuple[str, ...] = Field(
        (), description="the addresses that receive Meta's mail, such as help@shop.example"
    )
    hostname: str = Field("", description="name in the banner and in Received; default: this host's own name")
    authserv_id: str = Field("", description="name in our Authentication-Results; default: hostname")
    listen: tuple[str, ...] = Field(
        ("0.0.0.0:25",), description="SMTP addresses, host:port; IPv6 as [::1]:25; port 0 takes a free one"
    )
    processes: int = Field(0, ge=0, le=64, description="listener processes; 0: one per processor, at most 4")
    user: str = Field(
        "", description="drop to this user once the ports are bound (only when started as root)"
    )
    database: str = Field("sqlite:///relaydesk.db", description="database: sqlite:///FILE or postgresql://…")
    allowlist: FilePath | None = Field(
        default=None, description="the lists of networks; default: the shipped ones"
    )
    rules: FilePath | None = Field(
        default=None, description="the shop's own sorting rules, over the shipped ones"
    )
    tls_certificate: FilePath | None = Field(default=None, description="certificate chain for STARTTLS, PEM")
    tls_key: FilePath | None = Field(default=None, description="its private key, PEM")
    nameservers: tuple[str, ...] = Field(
        (), description="DNS servers, address or address:port; default: those of resolv.conf"
    )
    dns_timeout: float = Field(5.0, gt=0, le=60, description="seconds for one DNS question")
    auth_timeout: float = Field(20.0, gt=0, le=120, description="seconds for all authentication of a message")
    on_drift: Literal["refuse", "defer"] = Field(
        "refuse", description="what to do when SPF passes for a listed sender from an unlisted network"
    )
    unlisted_sender: Literal["unsorted", "refuse"] = Field(
        "unsorted", description="what to do with authenticated mail from a sender that is not listed"
    )
    outage_hours: float = Field(
        4.0,
        gt=0,
        le=LONGEST_HOURS,
        description="hours of unsettled authentication after which mail counts as unverified",
    )
    old_signature_days: int = Field(
        7, gt=0, le=36_500, description="days after which a signature is marked as old"
    )
    max_bounces: int = Field(20, gt=0, le=100_000, description="bounces taken for one ticket's answers")
    secret: str = Field(
        "", description="secret that seals bounce addresses; default: made once and kept in the store"
    )
    support_contact: str = Field(
        "",
        description="From of the answers, such as 'Shop <help@shop.example>'; default: the first mailbox",
    )
    next_hop: str = Field(
        "mx",
        description="where answers are sent: smtp://host:587, smtps://host:465 or mx (Meta's hosts)",
    )
    next_hop_starttls: bool = Field(
        True, description="whether a smarthost must offer STARTTLS; without, no login is given in the clear"
    )
    next_hop_ca: FilePath | None = Field(
        default=None, description="CA certificates for the next hop, PEM; default: the system's"
    )
    next_hop_user: str = Field("", description="login at the next hop; empty: none")
    next_hop_password: str = Field("", description="its password")
    answer_dkim: DkimKey | None = Field(
        default=None, description="signs the answers: domain, selector, key (see `relaydesk dkim new`)"
    )
    bounce_domain: str = Field(
        "", description="domain of our bounce addresses; its mail must come here; default: the contact's"
    )
    undo_seconds: float = Field(
        30.0, ge=0, le=3600, description="seconds that an answer waits before it is sent"
    )
    give_up_hours: float = Field(
        72.0, gt=0, le=LONGEST_HOURS, description="hours after which an undelivered answer has failed"
    )
    attachment_types: tuple[str, ...] = Field(
        ("application/pdf", "image/png", "image/jpeg"), description="types allowed as attachments"
    )
    attachment_bytes: int = Field(
        8_000_000,
        gt=0,
        le=15_000_000,
        description="largest attachment in bytes; all together at most 15000000",
    )
    reply_templates: FilePath | None = Field(
        default=None, description="a directory of the shop's own reply templates, over the shipped ones"
    )
    agent: str = Field("", description="name of the agent who acts at the command line without --as")
    forward: dict[str, str] = Field(
        default_factory=dict,
        description="addresses of another help desk by queue, to which mail is forwarded",
    )
    forward_hop: str = Field("", description="where forwarded mail is sent; default: next_hop")
    forward_hop_user: str = Field("", description="login at forward_hop; empty: none")
    forward_hop_password: str = Field("", description="its password")
    gateway_listen: tuple[str, ...] = Field(
        (), description="submission addresses for other help desks, host:port; default: none"
    )
    gateway_tls: Literal["starttls", "implicit"] = Field(
        "starttls", description="how the gateway is secured; it needs a certificate either way"
    )
    gateway_certificate: FilePath | None = Field(
        default=None, description="its certificate chain, PEM; default: tls_certificate"
    )
    gateway_key: FilePath | None = Field(default=None, description="its private key, PEM; default: tls_key")
    gateway_rules: FilePath | None = Field(
        default=None, description="the shop's own rules for cleaning submitted answers"
    )
    web: tuple[str, ...] = Field(
        (), description="addresses of the desk in a browser, host:port, such as 127.0.0.1:8080; default: none"
    )
    web_address: str = Field(
        "",
        description="how browsers reach the desk, such as https://desk.shop.example; default: web itself",
    )
    evidence_list: dict[str, str] = Field(
        default_factory=lambda: {
            "Order confirmation": "Items, price, time and ship-to country, as the buyer confirmed them",
            "Item as it was offered": "Text and picture on the day of the order",
            "Proof of shipment": "Carrier, tracking number and the day it was handed over",
            "Proof of delivery": "Signature or delivery scan",
            "Conversation with the buyer": "Messages and answers about this order",
        },
        description="the evidence for a chargeback: documents, each with a word on what it shows",
    )
    web_tls: bool = Field(
        False, description="whether the desk serves https itself; without, a TLS proxy stands before it"
    )
    web_certificate: FilePath | None = Field(
        default=None, description="its certificate chain, PEM; default: tls_certificate"
    )
    web_key: FilePath | None = Field(default=None, description="its private key, PEM; default: tls_key")
    web_proxies: tuple[str, ...] = Field(
        (), description="addresses or networks of the proxies whose X-Forwarded-For is believed"
    )
    session_hours: float = Field(
        12.0, gt=0, le=LONGEST_HOURS, description="hours after which somebody must sign in again"
    )
    session_idle_minutes: float = Field(
        120.0, gt=0, le=LONGEST_HOURS * 60, description="minutes without a request that end a session"
    )
    session_stay_days: float = Field(
        14.0, gt=0, le=366, description="days that somebody can stay signed in on a device"
    )
    oidc_issuer: str = Field(
        "", description="the company's OpenID provider, such as https://login.shop.example; default: none"
    )
    oidc_client_id: str = Field("", description="what the provider knows relaydesk by")
    oidc_client_secret: str = Field("", description="its secret")
    oidc_claim: str = Field(
        "email", description="the claim that names an agent: email their address, any other their name"
    )
    automatic_answers: Literal["send", "swallow"] = Field(
        "send", description="what to do with another help desk's automatic answers"
    )
    calendar: dict[str, Any] = Field(
        default_factory=dict, description="business time: zone, hours, holidays, special, business_day"
    )
    queues: dict[str, Queue] = Field(
        default_factory=dict, description="targets by queue: answer, evidence, reading, warn_before, tighter"
    )
    limits: Annotated[Limits, BeforeValidator(read_limits)] = Field(
        default_factory=Limits, description="limits of the SMTP server, by name (see the table of limits)"
    )
    workers: int = Field(4, ge=1, le=64, description="store threads in each listener process")
    sweep_seconds: float = Field(
        5.0, gt=0, le=3600, description="seconds between two sweeps of the deadlines"
    )
    drain_seconds: float = Field(
        30.0, gt=0, le=3600, description="seconds a stopping process may take to finish"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")
    log_format: Literal["auto", "json", "logfmt", "console"] = Field(
        "auto", description="form of the log lines; auto: console on a terminal, else json"
    )

    @field_validator("mailboxes")
    @classmethod
    def _mailbox(cls, boxes: tuple[str, ...]) -> tuple[str, ...]:
        for box in boxes:
            if plain_address(box) is None:
                raise ValueError(f"{box!r} is not an email address; use one such as help@shop.example")
        return tuple(map(normal_address, boxes))

    @field_validator("forward")
    @classmethod
    def _forward(cls, forward: dict[str, str]) -> dict[str, str]:
        for to in forward.values():
            if plain_address(to) is None:
                raise ValueError(f"{to!r} is not an email address; use one such as desk@shop.zendesk.com")
        return forward

    @field_validator("next_hop", "forward_hop")
    @classmethod
    def _hop(cls, hop: str) -> str:
        if hop:
            NextHop.parse(hop)
        return hop

    @field_validator("web_address", "oidc_issuer")
    @classmethod
    def _web_address(cls, address: str) -> str:
        return web_url(address)

    @field_validator("web_proxies")
    @classmethod
    def _proxies(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                raise ValueError(
                    f"{proxy!r} is not an address or network; use one such as 127.0.0.1 or 10.0.0.0/24"
                ) from None
        return proxies

    @field_validator("listen", "gateway_listen", "web")
    @classmethod
    def _listens(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            ListenAddress.parse(address)
        return addresses

    _places: dict[str, str] = PrivateAttr(default_factory=dict)
    _stored: dict[str, str] = PrivateAttr(default_factory=dict)

    def placed(self, places: Mapping[str, str], stored: Mapping[str, str] | None = None) -> Settings:
        """These settings, which know where each that is written stands (``relaydesk.yaml``,
        ``RELAYDESK_UNDO_SECONDS``), and the texts that admins have ``stored`` in the desk, by name."""
        copy = self.model_copy()
        copy._places, copy._stored = dict(places), dict(stored or {})
        return copy

    @property
    def places(self) -> Mapping[str, str]:
        """Where the settings stand that a file or the environment gives."""
        return self._places

    @property
    def stored(self) -> Mapping[str, str]:
        """The texts stored in the desk that are in force, by name."""
        return self._stored

    @property
    def all_queues(self) -> dict[str, Queue]:
        """The targets by queue: the defaults, with what the settings say put over them field by field."""
        changed = {
            name: DEFAULT_QUEUES.get(name, Queue()).model_copy(update=queue.model_dump(exclude_unset=True))
            for name, queue in self.queues.items()
        }
        return {**DEFAULT_QUEUES, **changed}

    @property
    def old_signature(self) -> timedelta:
        return timedelta(days=self.old_signature_days)

    @property
    def outage_after(self) -> timedelta:
        return timedelta(hours=self.outage_hours)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing is read behind the caller's back: ``configuration.load`` brings file and environment."""
        return (init_settings,)
