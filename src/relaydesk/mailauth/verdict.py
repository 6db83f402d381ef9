"""What SPF, DKIM and DMARC found, as values; and the one question asked of them: does anything vouch?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Result = Literal["pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"]


@dataclass(frozen=True, slots=True)
class SpfResult:
    """RFC 7208 §2.6. ``domain`` is the one checked (of MAIL FROM, or HELO for the null sender)."""

    result: Result
    domain: str = ""
    reason: str = ""
    identity: Literal["mailfrom", "helo", ""] = ""
    ip: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class DkimResult:
    """One DKIM-Signature, top first. ``b`` is its ``b=`` without white space: with ``d`` and ``s`` the replay key."""

    result: Result
    domain: str = ""
    selector: str = ""
    reason: str = ""
    identity: str = ""
    algorithm: str = ""
    key_bits: int = 0
    signed_headers: tuple[str, ...] = ()
    record: str = ""
    b: str = ""
    signed_at: int | None = None


@dataclass(frozen=True, slots=True)
class DmarcResult:
    """RFC 9989. ``domain`` is where the record was found ("" for none); ``policy`` the one that applies to From.

    ``aligned_by`` names what passed *and* aligned with From ("dkim", "spf") under the record's modes, or
    relaxed where there is no record; it is filled even when ``result`` is ``none``. ``undecided`` is true
    when a temporary failure leaves open whether something would align.
    """

    result: Result
    policy: Literal["none", "quarantine", "reject", ""] = ""
    domain: str = ""
    from_domain: str = ""
    organizational_domain: str = ""
    aligned_by: tuple[str, ...] = ()
    reason: str = ""
    record: str = ""
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class AuthReport:
    """The whole evidence of one message. ``aligned_dkim`` are indexes into ``dkim`` of aligned passes."""

    spf: SpfResult
    dkim: tuple[DkimResult, ...]
    dmarc: DmarcResult
    aligned_dkim: tuple[int, ...] = ()
