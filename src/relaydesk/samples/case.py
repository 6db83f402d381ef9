"""One golden case: a directory with ``message.eml``, ``envelope.yaml``, ``expected.yaml`` and ``why.md``.

An optional ``zone.yaml`` adds names to the common zone. ``history:`` in the envelope holds earlier steps: the
same message, another file's (``message:``) or another case's (``case:``), each with its own changes to the
envelope; or ``act: close``, the agent who closes the ticket. ``fixtures/cases/README.md`` explains the keys.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from relaydesk.config import read_yaml
from relaydesk.mailauth import META_HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Via = Literal["proxy", "proxy2", "xclient", "direct"]
VIAS: tuple[Via, ...] = ("proxy", "proxy2", "xclient", "direct")
_OWN_KEYS = ("received_at", "history", "message", "case", "expected")


class CaseError(ValueError):
    """A case cannot be read; the sentence names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class CaseSignature:
    """One DKIM signature to make. ``key`` names a file of ``fixtures/keys``.

    ``age`` and ``expires`` are seconds before and after the composition, for t= and x=; ``length`` adds an l=
    that covers the body as it is then; ``identity`` is i=.
    """

    domain: str
    selector: str
    key: str
    algorithm: str = ""
    canonicalization: str = "relaxed/simple"
    headers: tuple[str, ...] = META_HEADERS
    identity: str = ""
    age: int | None = None
    expires: int | None = None
    length: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens: a message handed in, or an agent's act.

    ``peer`` is the host named to the server by ``via``; ``delay`` the time between the composition and the
    receipt; ``after`` what happened on the way, in order. With ``line_ends`` "lf" the file is as somebody
    saved it, while the wire has CR LF; "exact" sends the file's own bytes. ``expected`` is a part of the
    answer.
    """

    message: bytes = b""
    peer: str = "66.220.144.130"
    via: Via = "proxy"
    helo: str = "mx-out.facebook.com"
    mail_from: str = ""
    rcpt: tuple[str, ...] = ("help@shop.example",)
    delay: timedelta = timedelta(0)
    sign: tuple[CaseSignature, ...] = ()
    after: tuple[Mapping[str, Any], ...] = ()
    line_ends: Literal["crlf", "lf", "exact"] = "crlf"
    smtputf8: bool = False
    act: Literal["send", "close"] = "send"
    expected: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A case as read. ``steps`` happen in order; the last one is the message that the case is about."""

    name: str
    why: str
    received_at: datetime
    steps: tuple[Step, ...]
    zone: Mapping[str, Any]

    @property
    def last(self) -> Step:
        return self.steps[-1]


def case_names(fixtures: Path) -> tuple[str, ...]:
    """The names of all cases, in order."""
    return tuple(sorted(path.parent.name for path in (fixtures / "cases").glob("*/envelope.yaml")))


def load_case(fixtures: Path, name: str, common: Mapping[str, Any] | None = None) -> Case:
    """One case of ``fixtures/cases``; ``common`` is :func:`shared_zone`, where somebody has it already.

    CaseError names what is missing or wrong.
    """
    place = fixtures / "cases" / name
    envelope, expected = _mapping(place / "envelope.yaml"), _mapping(place / "expected.yaml")
    try:
        received_at = datetime.fromisoformat(str(envelope["received_at"]))
        if received_at.tzinfo is None:
            raise CaseError("received_at has no zone; add Z")
        main = {key: value for key, value in envelope.items() if key not in ("received_at", "history")}
        earlier = [
            _earlier(fixtures, place, main, dict(told_step)) for told_step in envelope.get("history", ())
        ]
        final = _step(_bytes(place / "message.eml"), main, expected)
    except (KeyError, TypeError, ValueError) as error:
        raise CaseError(f"{place / 'envelope.yaml'}: {_problem(error)}.") from None
    why = _bytes(place / "why.md").decode("utf-8")
    return Case(name, why, received_at, (*earlier, final), _zone(fixtures, place, common))


def load_cases(fixtures: Path) -> tuple[Case, ...]:
    """Every case, in order of name."""
    common = shared_zone(fixtures)  # longer than all of most cases
    return tuple(load_case(fixtures, name, common) for name in case_names(fixtures))


def shared_zone(fixtures: Path) -> dict[str, Any]:
    """The records that every case has beside its own."""
    return _mapping(fixtures / "zone.yaml")


def common_zone(cases: tuple[Case, ...]) -> dict[str, Any]:
    """The zones of all cases in one. CaseError when two of them tell different things about a name."""
    whole: dict[str, Any] = {}
    for case in cases:
        for name, records in case.zone.items():
            if whole.setdefault(name, records) != records:
                raise CaseError(
                    f"{case.name}/zone.yaml: {name} has other records elsewhere; use another name."
                )
    return whole


def _zone(fixtures: Path, place: Path, common: Mapping[str, Any] | None) -> Mapping[str, Any]:
    own = _mapping(place / "zone.yaml") if (place / "zone.yaml").exists() else {}
    common = shared_zone(fixtures) if common is None else common
    if twice := sorted(own.keys() & common.keys()):
        raise CaseError(f"{place / 'zone.yaml'}: {twice[0]} is already in the common zone; use another name.")
    return {**common, **own}


def _earlier(fixtures: Path, place: Path, main: dict[str, Any], changes: dict[str, Any]) -> Step:
    """A step of the history: what it does not say is as in its own case."""
    expected = changes.pop("expected", {})
    if case := changes.pop("case", None):
        place = fixtures / "cases" / str(case)
        main = {k: v for k, v in _mapping(place / "envelope.yaml").items() if k not in _OWN_KEYS}
    content = _bytes(place / str(changes.pop("message", "message.eml")))
    return _step(content, main | changes, expected)


def _step(message: bytes, envelope: dict[str, Any], expected: Mapping[str, Any]) -> Step:
    fields = dict(envelope)
    keys = {field.name for field in dataclasses.fields(Step)} - {"message", "expected"}
    if unknown := sorted(fields.keys() - keys):
        raise CaseError(f"{unknown[0]} is not a key of an envelope; use one of {', '.join(sorted(keys))}")
    if fields.get("via", "proxy") not in VIAS:
        raise CaseError(f"via must be one of {', '.join(VIAS)}")
    fields["delay"] = timedelta(minutes=fields.get("delay", 0))
    fields["sign"] = tuple(_signature(dict(signature)) for signature in fields.get("sign", ()))
    for name in ("after", "rcpt"):
        if name in fields:
            fields[name] = tuple(fields[name])
    return Step(message, **fields, expected=expected)


def _signature(options: dict[str, Any]) -> CaseSignature:
    if "headers" in options:
        options["headers"] = tuple(options["headers"])
    return CaseSignature(**options)


def _problem(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _mapping(path: Path) -> dict[str, Any]:
    mapping = read_yaml(path)
    if mapping is None:
        return {}
    if not isinstance(mapping, dict):
        raise CaseError(f"{path} must hold 'name: value' lines.")
    return mapping


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror}.") from None
