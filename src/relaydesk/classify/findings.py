"""What a message says about itself: its kind by the rules, its case, and the order numbers it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from relaydesk.events import Kind

NumberKind = Literal["order", "merchant_ref"]
Where = Literal["subject", "text", "html", "link"]
Sureness = Literal["labelled", "mentioned"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Match:
    """The rule that matched (``rule`` is "" for none), and those that nearly did with what they lacked."""

    kind: Kind
    rule: str = ""
    why: str = ""
    near: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number that may be an order's.

    ``what`` distinguishes a Facebook order id from a seller's reference. ``where`` is where it was; ``label``
    the words or link path that announced it ("" for a bare number). ``sure`` is ``labelled`` when a line
    of Meta's form, a claim's Subject or a link path announces it, else ``mentioned``.
    """

    value: str
    what: NumberKind
    where: Where
    label: str
    sure: Sureness


@dataclass(frozen=True, slots=True)
class Findings:
    """All that sorting reads from one message. Absent values are "" and ().

    ``failed_recipient`` is the relay address a bounce notice says could not be reached.
    """

    match: Match
    relay_address: str = ""
    case_token: str = ""
    username: str = ""
    case_number: str = ""
    contact_reason: str = ""
    candidates: tuple[Candidate, ...] = ()
    foreign_reply_to: str = ""
    failed_recipient: str = ""

    def values(self, number_kind: NumberKind, *, sure: Sureness | None = None) -> tuple[str, ...]:
        """Distinct candidate values of one kind, labelled ones first, in order of appearance."""
        ordered = sorted(
            (c for c in self.candidates if c.what == number_kind and sure in (None, c.sure)),
            key=lambda c: c.sure != "labelled",
        )
        return tuple(dict.fromkeys(c.value for c in ordered))
