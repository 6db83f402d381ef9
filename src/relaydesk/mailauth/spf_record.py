"""SPF records (RFC 7208 §4.5, §4.6.1, §12), read whole before anything of them is evaluated.

A record with a syntax error anywhere is a permanent error (§4.6). What can never be reached, or never match
the client, is not handed on: so an evaluation costs no more than the eleven terms that it may hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    NetmaskValueError,
)
from typing import TYPE_CHECKING

from relaydesk.mailauth.spf_macros import MacroError, check_domain_spec, check_macro_string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORD_LIMIT, TERM_LIMIT = 4096, 512  # characters
LOOKUP_LIMIT = 10  # terms that ask DNS (§4.6.4)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*+)=(.*)", re.IGNORECASE | re.ASCII)
_MECHANISM = re.compile(r"[+?~-]?(?P<name>[a-z0-9]++)(?P<rest>.*)", re.IGNORECASE)
_LENGTH = r"(?:0|[1-9][0-9]{0,2})"
_TARGET = re.compile(rf"(?P<spec>:.*?)?(?:/(?P<four>{_LENGTH}))?(?://(?P<six>{_LENGTH}))?")
_NETWORK = re.compile(rf":(?P<address>[0-9a-f.:]++)(?:/(?P<length>{_LENGTH}))?", re.IGNORECASE | re.ASCII)


class RecordError(ValueError):
    """Why a record cannot be evaluated, as a sentence."""


class _WrittenWrongly(Exception):  # noqa: N818 - of one term; its reader knows no more
    pass


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One directive as written; ``network`` is that of ``ip4`` and ``ip6``."""

    text: str
    name: str
    network: IPv4Network | IPv6Network | None = None

    def may_match(self, client: IPv4Address | IPv6Address) -> bool:
        return self.network is None or client in self.network


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """A record of correct syntax. ``redirect`` and ``explanation`` are domain-specs, "" for none."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str = ""
    explanation: str = ""

    def text_for(self, client: IPv4Address | IPv6Address) -> str:
        """The record as far as it matters to this client, without ``exp=`` and unknown modifiers.

        ``all`` ends it, also for a ``redirect=`` before it (§5.1); so does the term that exceeds the limit.
        """
        terms, lookups = ["v=spf1"], 0
        for mechanism in self.mechanisms:
            if not mechanism.may_match(client):
                continue
            terms.append(mechanism.text)
            if mechanism.name == "all":
                return " ".join(terms)
            lookups += mechanism.network is None
            if lookups > LOOKUP_LIMIT:
                break
        return " ".join([*terms, f"redirect={self.redirect}"] if self.redirect else terms)


@lru_cache(maxsize=512)
def parse_record(text: str) -> SpfRecord:
    """The record of a text that begins with ``v=spf1``.

    :raises RecordError: for one that is too long or breaks the grammar.
    """
    if len(text) > RECORD_LIMIT:
        raise RecordError(f"It has more than {RECORD_LIMIT} characters.")
    mechanisms: list[Mechanism] = []
    domains: dict[str, str] = {}
    for term in filter(None, text.split(" ")[1:]):
        if len(term) > TERM_LIMIT:
            raise RecordError(f"It has a term of more than {TERM_LIMIT} characters.")
        try:
            if modifier := _MODIFIER.fullmatch(term):
                for name, spec in _known_modifier(*modifier.groups()):
                    if name in domains:
                        raise RecordError(f"{name}= occurs more than once.")
                    domains[name] = spec
            else:
                mechanisms.append(_mechanism(term))
        except MacroError as error:
            raise RecordError(f"{term}: {error}.") from None
    return SpfRecord(tuple(mechanisms), domains.get("redirect", ""), domains.get("exp", ""))


def _known_modifier(name: str, value: str) -> Iterator[tuple[str, str]]:
    """The modifier by its name in lower case (§4.6.1); nothing for an unknown one, however often (§6)."""
    known = name.lower()
    if known in ("redirect", "exp"):
        check_domain_spec(value)
        yield known, value
    else:
        check_macro_string(value)


def _mechanism(term: str) -> Mechanism:
    match = _MECHANISM.fullmatch(term)
    name = match["name"].lower() if match else ""
    reader = _MECHANISMS.get(name)
    if match is None or reader is None:
        raise RecordError(f"{term} is no mechanism.")
    try:
        network = reader(match["rest"])
    except _WrittenWrongly:
        raise RecordError(f"{term} is written wrongly.") from None
    return Mechanism(term, name, network)


def _nothing(rest: str) -> None:
    if rest:
        raise _WrittenWrongly


def _domain(rest: str) -> None:
    if rest[:1] != ":":
        raise _WrittenWrongly
    check_domain_spec(rest[1:])


def _optional_domain(rest: str) -> None:
    if rest:
        _domain(rest)


def _hosts(rest: str) -> None:
    """Of ``a`` and ``mx``: a domain and the lengths of prefixes, none of which must be there."""
    match = _TARGET.fullmatch(rest)
    if match is None or int(match["four"] or 0) > 32 or int(match["six"] or 0) > 128:  # noqa: PLR2004 - bits
        raise _WrittenWrongly
    _optional_domain(match["spec"] or "")


def _network4(rest: str) -> IPv4Network:
    address, length = _network(rest)
    try:
        return IPv4Network((IPv4Address(address), int(length or 32)), strict=False)
    except (AddressValueError, NetmaskValueError):
        raise _WrittenWrongly from None


def _network6(rest: str) -> IPv6Network:
    address, length = _network(rest)
    try:
        return IPv6Network((IPv6Address(address), int(length or 128)), strict=False)
    except (AddressValueError, NetmaskValueError):
        raise _WrittenWrongly from None


def _network(rest: str) -> tuple[str, str | None]:
    match = _NETWORK.fullmatch(rest)
    if match is None:
        raise _WrittenWrongly
    return match["address"], match["length"]


_MECHANISMS: dict[str, Callable[[str], IPv4Network | IPv6Network | None]] = {
    "all": _nothing,
    "include": _domain,
    "a": _hosts,
    "mx": _hosts,
    "ptr": _optional_domain,
    "ip4": _network4,
    "ip6": _network6,
    "exists": _domain,
}
