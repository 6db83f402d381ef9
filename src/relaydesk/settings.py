"""The settings: ``relaydesk.yaml`` and ``RELAYDESK_*`` in the environment, read once into one frozen value.

The environment wins over the file. A bad value stops the start with a sentence that names the setting.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from relaydesk.answers.nexthop import NextHop
from relaydesk.door.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORTEST_LINE = 65_536  # bytes; a smaller cap bounces real mail for good
PREFIX = "RELAYDESK_"
CONFIG_VARIABLE = "RELAYDESK_CONFIG"
DEFAULT_FILE = Path("relaydesk.yaml")
# What pydantic says in its own words, for the admin.
_PLAIN = {
    "tuple_type": "this must be a list; write it as [one, two]",
    "dict_type": "this must be a mapping; write it as {name: value}",
    "model_type": "this must be a mapping; write it as {name: value}",
    "string_type": "this must be text; put it in quotes",
    "extra_forbidden": "there is no such field",
}


class SettingsError(ValueError):
    """The settings cannot be used; the message names each bad one and the mend."""


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
    key: Path = Field(description="the private key, PEM, as `relaydesk dkim new` writes it")


DEFAULT_QUEUES: dict[str, Queue] = {
    "case": Queue(answer="2 business days", tighter={"return_request": "48 hours"}),
    "claim": Queue(answer="2 business days"),
    "chargeback": Queue(answer="2 business days", evidence="10 days"),
    "unsorted": Queue(answer="2 business days", tighter={"return_request": "48 hours"}),
    "notice": Queue(),
}


def _limits(given: object) -> Limits:
    """The door's caps from a mapping of names to positive numbers; what is left out keeps its default."""
    if isinstance(given, Limits):
        return given
    if not isinstance(given, dict):
        raise ValueError("write the limits as 'name: number' lines")
    kinds = {name: type(value) for name, value in dataclasses.asdict(Limits()).items()}
    for name in given:
        if name not in kinds:
            raise ValueError(f"{name} is no limit; there are {', '.join(kinds)}")
    numbers = {name: kinds[name](_number(name, value)) for name, value in given.items()}
    if numbers.get("line_bytes", SHORTEST_LINE) < SHORTEST_LINE:
        raise ValueError(f"limit line_bytes must be at least {SHORTEST_LINE}; real mail has such lines")
    if nothing := next((name for name, number in numbers.items() if not number), None):
        raise ValueError(f"limit {nothing} must be at least 1, not {given[nothing]!r}")
    return Limits(**numbers)


def _number(name: str, value: object) -> float:
    try:  # a variable such as RELAYDESK_LIMITS__ERRORS comes as text
        found = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else 0.0
    except ValueError:
        found = 0.0
    if not 0 < found < inf:
        raise ValueError(f"limit {name} must be a positive number, not {value!r}")
    return found


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
    processes: int = Field(0, ge=0, le=64, description="listener processes; 0: one a processor, at most 4")
    user: str = Field(
        "", description="drop to this user once the ports are bound (only when started as root)"
    )
    database: str = Field(
        "sqlite:///relaydesk.db", description="where all is kept: sqlite:///FILE or postgresql://…"
    )
    allowlist: Path | None = Field(
        default=None, description="the lists of networks; default: the shipped ones"
    )
    rules: Path | None = Field(
        default=None, description="the shop's own sorting rules, over the shipped ones"
    )
    tls_certificate: Path | None = Field(default=None, description="certificate chain for STARTTLS, PEM")
    tls_key: Path | None = Field(default=None, description="its private key, PEM")
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
        4.0, gt=0, description="accept as unverified after so many hours of unsettled authentication"
    )
    old_signature_days: int = Field(7, gt=0, description="mark messages whose signature is older")
    max_bounces: int = Field(20, gt=0, description="bounces taken for one ticket's answers")
    secret: str = Field("", description="seals bounce addresses; default: made once and kept in the store")
    support_contact: str = Field(
        "",
        description="From of the answers, such as 'Shop <help@shop.example>'; default: the first mailbox",
    )
    next_hop: str = Field(
        "mx", description="who takes the answers: smtp://host:587, smtps://host:465, or mx (Meta's own hosts)"
    )
    next_hop_starttls: bool = Field(
        True, description="whether a smarthost must offer STARTTLS; without, no login is given in the clear"
    )
    next_hop_ca: Path | None = Field(
        default=None, description="certificates that vouch for the next hop, PEM; default: the system's"
    )
    next_hop_user: str = Field("", description="login at the next hop; empty: none")
    next_hop_password: str = Field("", description="its password")
    answer_dkim: DkimKey | None = Field(
        default=None, description="signs the answers: domain, selector, key (see `relaydesk dkim new`)"
    )
    bounce_domain: str = Field(
        "", description="domain of our bounce addresses; its mail must come here; default: the contact's"
    )
    undo_seconds: float = Field(30.0, ge=0, le=3600, description="an answer waits so long before it leaves")
    give_up_hours: float = Field(72.0, gt=0, description="an answer that no hop took for so long has failed")
    attachment_types: tuple[str, ...] = Field(
        ("application/pdf", "image/png", "image/jpeg"), description="what may be enclosed, by its content"
    )
    attachment_bytes: int = Field(
        8_000_000, gt=0, le=15_000_000, description="largest size of one enclosure; all may have 15000000"
    )
    reply_templates: Path | None = Field(
        default=None, description="a directory of the shop's own reply templates, over the shipped ones"
    )
    forward: dict[str, str] = Field(
        default_factory=dict, description="addresses of another help desk by queue: its mail goes on there"
    )
    forward_hop: str = Field("", description="who takes what is forwarded; default: next_hop")
    gateway_listen: tuple[str, ...] = Field(
        (), description="addresses where another help desk hands in its answers, host:port; default: none"
    )
    gateway_tls: Literal["starttls", "implicit"] = Field(
        "starttls", description="how the gateway is secured; it needs a certificate either way"
    )
    gateway_certificate: Path | None = Field(
        default=None, description="its certificate chain, PEM; default: tls_certificate"
    )
    gateway_key: Path | None = Field(default=None, description="its private key, PEM; default: tls_key")
    gateway_rules: Path | None = Field(
        default=None, description="the shop's own rules for cleaning what the gateway takes"
    )
    automatic_answers: Literal["send", "swallow"] = Field(
        "swallow", description="what becomes of another help desk's automatic answers"
    )
    calendar: dict[str, Any] = Field(
        default_factory=dict, description="business time: zone, hours, holidays, special, business_day"
    )
    queues: dict[str, Queue] = Field(
        default_factory=dict, description="targets by queue: answer, evidence, reading, warn_before, tighter"
    )
    limits: Annotated[Limits, BeforeValidator(_limits)] = Field(
        default_factory=Limits, description="caps of the SMTP door, by name (see the table of limits)"
    )
    workers: int = Field(4, ge=1, le=64, description="store threads in each listener process")
    sweep_seconds: float = Field(5.0, gt=0, description="seconds between two looks at the deadlines")
    drain_seconds: float = Field(30.0, gt=0, description="seconds a stopping process may take to finish")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")
    log_format: Literal["auto", "json", "logfmt", "console"] = Field(
        "auto", description="form of the log lines; auto: console on a terminal, else json"
    )

    @field_validator("mailboxes")
    @classmethod
    def _mailbox(cls, boxes: tuple[str, ...]) -> tuple[str, ...]:
        for box in boxes:
            local, at, domain = box.rpartition("@")
            if not (local and at and "." in domain) or any(c.isspace() for c in box):
                raise ValueError(f"{box!r} is no mail address; write it as help@shop.example")
        return tuple(box.lower() for box in boxes)

    @field_validator("next_hop", "forward_hop")
    @classmethod
    def _hop(cls, hop: str) -> str:
        if hop:
            NextHop.parse(hop)
        return hop

    @field_validator("gateway_listen")
    @classmethod
    def _listens(cls, where: tuple[str, ...]) -> tuple[str, ...]:
        for one in where:
            if not one.rpartition(":")[2].isdigit():
                raise ValueError(f"{one!r} is no listening address; write it as 0.0.0.0:587")
        return where

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
        """Nothing is read behind the caller's back: :func:`load` brings file and environment together."""
        return (init_settings,)


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The effective settings from ``path`` (else RELAYDESK_CONFIG, else ./relaydesk.yaml if it is there),
    with those of ``environment`` (default: this process's) over them.

    Raises SettingsError with every bad setting named.
    """
    environ = os.environ if environment is None else environment
    _check_names(environ)
    source = _file(path, environ)
    given = _over(_mapping(source), _variables(environ))
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [_sentence(dict(problem)) for problem in error.errors(include_url=False)]
    raise SettingsError("\n".join(lines))


def public(settings: Settings) -> dict[str, Any]:
    """The settings as plain data without secrets: for ``config show`` and the log."""
    shown = settings.model_dump(mode="json")
    shown["limits"] = dataclasses.asdict(settings.limits)
    shown["queues"] = {name: queue.model_dump(mode="json") for name, queue in settings.all_queues.items()}
    shown["next_hop_password"] = "(set)" if settings.next_hop_password else ""
    shown["secret"] = "(set)" if settings.secret else "(kept in the store)"
    shown["database"] = hide_password(settings.database)
    return shown


def hide_password(url: str) -> str:
    """A database URL that can be shown."""
    scheme, separator, rest = url.partition("://")
    login, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{login.partition(':')[0]}:***@{host}" if at and ":" in login else url


def _file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = path or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    if named is not None:
        if not named.is_file():
            raise SettingsError(f"The settings file {named} is not there; make it or leave the option out.")
        return named
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _mapping(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError, ValueError, RecursionError) as error:  # ValueError: no text, or no such date
        problem = " ".join(str(error).split())
        raise SettingsError(f"{path} cannot be read as YAML: {problem}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise SettingsError(f"{path} must hold settings as 'name: value' lines.")
    unknown = [_unknown(str(key), path.name) for key in found if key not in Settings.model_fields]
    if unknown:
        raise SettingsError("\n".join(unknown))
    return {str(key): value for key, value in found.items()}


def _variables(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment gives; a name with ``__`` reaches into a setting."""
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in environ.items()}
    try:
        return source()
    except ValueError as error:  # pydantic-settings names the field in quotes
        variable = PREFIX + str(error).split('"')[1].upper()
        mend = "lists are written as JSON, such as '[\"help@shop.example\"]', mappings as '{\"name\": 1}'"
        raise SettingsError(f"{variable} cannot be read: {mend}.") from error


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both together; where they differ ``above`` counts, table by table."""
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        merged[name] = _over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _check_names(environ: Mapping[str, str]) -> None:
    """Reports misspelt variables only: others of our prefix may be somebody's (Kubernetes sets such)."""
    given = {name: name.removeprefix(PREFIX).partition("__")[0].lower() for name in sorted(environ)}
    misspelt = [
        _unknown(setting, name)
        for name, setting in given.items()
        if name.startswith(PREFIX)
        and setting not in Settings.model_fields
        and difflib.get_close_matches(setting, list(Settings.model_fields), 1, cutoff=0.8)
    ]
    if misspelt:
        raise SettingsError("\n".join(misspelt))


def _unknown(name: str, where: str) -> str:
    near = difflib.get_close_matches(name, list(Settings.model_fields), 1)
    hint = f" Did you mean {near[0]}?" if near else " `relaydesk config show` lists the settings."
    return f"{where}: {name} is no setting.{hint}"


def _sentence(problem: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    variable = PREFIX + str(problem["loc"][0]).upper() if problem["loc"] else ""
    told = _PLAIN.get(problem["type"]) or str(problem["msg"]).removeprefix("Value error, ")
    return f"Setting {name} ({variable}): {told}."
