"""Answers that are kept: bounded in bytes, each zone to its share, so that nobody drives out all others."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaydesk.dns.records import RecordSet, TempFail

if TYPE_CHECKING:
    from collections.abc import Collection

    from relaydesk.dns.records import DnsAnswer, Rdata, RrType

    Question = tuple[str, RrType]

# What an answer takes besides its text, measured with tracemalloc: the question, the answer, their places in
# two dictionaries; and a zone of its own.
_ANSWER, _RECORD, _ZONE = 620, 160, 500
# Below these, at many country domains, names belong to different people.
_COUNTRY = 2  # letters
_REGISTRIES = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ne", "net", "nom", "or", "org"})


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """Caps of the cache. Seconds; ``failure`` is how long a failure is believed. ``size`` is in bytes, of all
    answers, and ``share`` the part of it that the answers of one zone may take.
    """

    shortest: float = 5.0
    longest: float = 3600.0
    negative: float = 300.0
    failure: float = 2.0
    size: int = 16 << 20
    share: float = 0.125


def zone_of(name: str) -> str:
    """Whose name this is, near enough to share by: the last two labels, or three below ``co.uk`` and such.

    No list of public suffixes: at worst several strangers have one share.
    """
    labels = name.lower().removesuffix(".").split(".")
    many = 2
    if labels[-1] == "arpa":
        many = 4  # of an IPv4 address its first two bytes
    elif len(labels) > many and len(labels[-1]) == _COUNTRY and labels[-2] in _REGISTRIES:
        many = 3
    return ".".join(labels[-many:])


@dataclass(slots=True)
class _ZoneAnswers:
    answers: OrderedDict[Question, tuple[float, int, DnsAnswer]] = field(default_factory=OrderedDict)
    size: int = _ZONE


class AnswerCache:
    """The answers of all zones, each zone's and all zones with the one used longest ago first.

    The answers of ``kept`` zones go only for others of their own zone.
    """

    def __init__(self, limits: CacheLimits) -> None:
        self._limits = limits
        self._zones: OrderedDict[str, _ZoneAnswers] = OrderedDict()
        self.kept: Collection[str] = ()
        self.size = 0

    def get(self, question: Question, now: float) -> DnsAnswer | None:
        """The answer, if it is there and fresh."""
        name = zone_of(question[0])
        zone = self._zones.get(name)
        held = zone.answers.get(question) if zone else None
        if zone is None or held is None:
            return None
        if now >= held[0]:
            self._drop(name, question)
            return None
        zone.answers.move_to_end(question)
        self._zones.move_to_end(name)
        return held[2]

    def put(self, question: Question, answer: DnsAnswer, now: float) -> None:
        """Keeps an answer for its time, if it is not too large for its zone's share."""
        name, size = zone_of(question[0]), _size(question, answer)
        share = int(self._limits.size * self._limits.share)
        self._drop(name, question)
        if size + _ZONE > share:
            return
        zone = self._zones.get(name)
        if zone is None:
            zone = self._zones[name] = _ZoneAnswers()
            self.size += zone.size
        zone.answers[question] = (now + self._keep(answer), size, answer)
        self._zones.move_to_end(name)
        zone.size += size
        self.size += size
        while zone.size > share:
            self._drop(name, next(iter(zone.answers)))
        while self.size > self._limits.size and (oldest := self._oldest()) is not None:
            self._drop(oldest, next(iter(self._zones[oldest].answers)))

    def _oldest(self) -> str | None:
        return next((name for name in self._zones if name not in self.kept), None)

    def _drop(self, name: str, question: Question) -> None:
        zone = self._zones.get(name)
        held = zone.answers.pop(question, None) if zone else None
        if zone is None or held is None:
            return
        zone.size -= held[1]
        self.size -= held[1]
        if not zone.answers:
            self.size -= zone.size
            del self._zones[name]

    def _keep(self, answer: DnsAnswer) -> float:
        if isinstance(answer, TempFail):
            return self._limits.failure
        longest = self._limits.longest if isinstance(answer, RecordSet) else self._limits.negative
        return max(self._limits.shortest, min(answer.ttl, longest))


def _size(question: Question, answer: DnsAnswer) -> int:
    records = answer.records if isinstance(answer, RecordSet) else ()
    return _ANSWER + 2 * len(question[0]) + sum(_RECORD + _length(record) for record in records)


def _length(record: Rdata) -> int:
    return len(record[1] if isinstance(record, tuple) else record)
