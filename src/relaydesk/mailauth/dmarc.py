"""DMARC (RFC 9989) over fetched records: the organizational domain, alignment, and the policy that applies.

Pure. What must be asked first, and in which order, is in :mod:`relaydesk.mailauth.authenticate`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

from relaydesk.message import DmarcResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from relaydesk.message import Result

DmarcPolicy = Literal["none", "quarantine", "reject"]
AlignmentMode = Literal["r", "s"]

WALK_LIMIT = 8  # RFC 9989 §4.10: no more than eight queries
_VERSION = re.compile(rb"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_WEAKER: dict[DmarcPolicy, DmarcPolicy] = {"reject": "quarantine", "quarantine": "none", "none": "none"}
_POLICIES = frozenset(_WEAKER)


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """One DMARC record (RFC 9989 §4.7). ``p`` is "" when the record has no policy that can be applied."""

    text: str
    p: DmarcPolicy | Literal[""] = ""
    sp: DmarcPolicy | Literal[""] = ""
    np: DmarcPolicy | Literal[""] = ""
    adkim: AlignmentMode = "r"
    aspf: AlignmentMode = "r"
    psd: Literal["y", "n", "u"] = "u"
    testing: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """The records found on the way up from ``start``, longest name first; ``why`` is set when one failed."""

    start: str
    records: tuple[tuple[str, DmarcRecord], ...] = ()
    why: str = ""

    @property
    def organizational(self) -> str | None:
        """The organizational domain (RFC 9989 §4.10.2), None when a failed query leaves it open."""
        if self.why:
            return None
        for name, record in self.records:
            if record.psd == "y" and name != self.start:
                return self.start.removesuffix(f".{name}").rpartition(".")[2] + f".{name}"
        # The shortest name with a record; a psd=n ended the walk, so it is the last one too.
        return self.records[-1][0] if self.records else self.start

    def may_share(self, domain: str) -> bool:
        """Whether ``domain`` may have this organizational domain, which is always the end of a name."""
        shared = self.organizational or self.start.rpartition(".")[2]
        return f".{domain}".endswith(f".{shared}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """A domain that SPF or DKIM speaks for, with that check's result: ``pass`` and ``temperror`` matter."""

    by: Literal["dkim", "spf"]
    domain: str
    result: Result


def parse_record(text: bytes) -> DmarcRecord | None:
    """The record of one TXT, or None when it is none of DMARC's (RFC 9989 §4.8). Unknown tags are ignored."""
    if not _VERSION.match(text):
        return None
    written = text.decode("ascii", "replace")
    tags: dict[str, str] = {}
    for part in written.split(";")[1:]:
        name, _, value = part.partition("=")
        tags.setdefault(name.strip().lower(), value.strip())
    lowered = {name: value.lower() for name, value in tags.items()}
    wishes = {name: lowered[name] for name in ("p", "sp", "np") if name in lowered}
    record = DmarcRecord(
        written,
        adkim="s" if lowered.get("adkim") == "s" else "r",
        aspf="s" if lowered.get("aspf") == "s" else "r",
        psd=cast('Literal["y", "n", "u"]', psd) if (psd := lowered.get("psd")) in ("y", "n") else "u",
        testing=lowered.get("t") == "y",
    )
    if "p" in wishes and _POLICIES.issuperset(wishes.values()):
        policies = cast("dict[str, DmarcPolicy]", wishes)
        return replace(record, p=policies["p"], sp=policies.get("sp", ""), np=policies.get("np", ""))
    # §4.10.1: a policy that cannot be read counts as "none" if reports are wanted, else as no record.
    return replace(record, p="none") if re.match(r"[a-z][a-z0-9+.-]*:.", lowered.get("rua", "")) else record


def single_record(texts: Iterable[bytes]) -> DmarcRecord | None:
    """The one DMARC record of a name; several count as none (RFC 9989 §4.10)."""
    records = [record for record in map(parse_record, texts) if record]
    return records[0] if len(records) == 1 else None


def walk_names(domain: str) -> tuple[str, ...]:
    """The domains to look at, from ``domain`` up to its top-level domain (RFC 9989 §4.10)."""
    labels = domain.split(".")
    cut = max(1, len(labels) - WALK_LIMIT + 1)
    return domain, *(".".join(labels[start:]) for start in range(cut, len(labels)))


def applicable(walk: Walk) -> tuple[str, DmarcRecord] | None:
    """The record that applies to the walk's start: its own, its organizational domain's, or the suffix's."""
    by_name = dict(walk.records)
    suffix = walk.records[-1][0] if walk.records and walk.records[-1][1].psd == "y" else ""
    for name in (walk.start, walk.organizational or "", suffix):
        if name in by_name:
            return name, by_name[name]
    return None


def wants_existence(walk: Walk) -> bool:
    """Whether the policy depends on the existence of the author's domain: np differs from sp or p."""
    match applicable(walk):
        case (name, record) if name != walk.start and record.p:
            return bool(record.np) and record.np != (record.sp or record.p)
    return False


def evaluate(
    author: Walk,
    identifiers: Iterable[Identifier],
    walks: Mapping[str, Walk],
    *,
    exists: bool | None = True,
) -> DmarcResult:
    """The DMARC result for the From domain ``author.start``.

    ``walks`` holds the tree walk of every identifier that needs one (see :func:`needs_walk`); ``exists``
    is False when the From domain does not exist, None when that is unknown now. Alignment is found without a
    record too, in relaxed mode. A failed look-up is ``temperror`` unless an aligned pass is certain.
    """
    place = applicable(author)
    record = place[1] if place else DmarcRecord("")
    judged = [(identifier, _aligned(identifier, author, walks, record)) for identifier in identifiers]
    aligned = [identifier for identifier, fits in judged if identifier.result == "pass" and fits]
    # With a failed query above it, only the author's own record is found, and it applies in any case.
    policy_known = not author.why or place is not None
    open_by: set[str] = {identifier.by for identifier, fits in judged if _leaves_open(identifier, fits)}
    open_by |= set() if policy_known else {"dmarc"}
    outcome = DmarcResult(
        "none",
        from_domain=author.start,
        organizational_domain=author.organizational or "",
        aligned_by=tuple(sorted({identifier.by for identifier in aligned})),
        aligned_dkim=tuple(sorted({identifier.domain for identifier in aligned if identifier.by == "dkim"})),
        undecided=bool(open_by) and not aligned,
        open_by=tuple(sorted(open_by)),
    )
    if not policy_known:
        reason = f"The DMARC record of {author.start} could not be looked up now ({author.why})."
        return replace(outcome, result="temperror", reason=reason)
    if place is None:
        return replace(outcome, reason=f"{author.start} has no DMARC record.")
    if not record.p:
        reason = f"The DMARC record of {place[0]} has no policy that can be applied."
        return replace(outcome, record=record.text, reason=reason)
    return _with_record(outcome, place[0], record, exists)


def _with_record(outcome: DmarcResult, domain: str, record: DmarcRecord, exists: bool | None) -> DmarcResult:
    policy, tag = _policy(record, own=domain == outcome.from_domain, exists=exists)
    outcome = replace(outcome, domain=domain, record=record.text, policy=policy)
    if outcome.aligned_by:
        reason = f"{' and '.join(outcome.aligned_by).upper()} aligned with {outcome.from_domain}."
        return replace(outcome, result="pass", reason=reason)
    if outcome.undecided:
        reason = f"Whether anything is aligned with {outcome.from_domain} could not be looked up now."
        return replace(outcome, result="temperror", reason=reason)
    if exists is None:
        reason = f"Whether {outcome.from_domain} exists could not be looked up now."
        return replace(outcome, result="temperror", undecided=True, open_by=("dmarc",), reason=reason)
    reason = f"Nothing that passes is aligned with {outcome.from_domain}; {domain} asks for {tag}={policy}."
    return replace(outcome, result="fail", reason=reason)


def _policy(record: DmarcRecord, *, own: bool, exists: bool | None) -> tuple[DmarcPolicy, str]:
    """The policy and the tag it comes from (RFC 9989 §4.10.1); ``t=y`` asks for one step less (§4.7)."""
    if not own and exists is False and record.np:
        tag, value = "np", record.np
    elif not own and record.sp:
        tag, value = "sp", record.sp
    else:
        tag, value = "p", record.p or "none"
    return (_WEAKER[value] if record.testing else value), tag


def needs_walk(identifier: Identifier, author: Walk, mode: AlignmentMode = "r") -> bool:
    """Whether alignment depends on the identifier's organizational domain: relaxed, not equal, but near."""
    if identifier.result not in ("pass", "temperror") or mode == "s":
        return False
    return identifier.domain != author.start and author.may_share(identifier.domain)


def _aligned(
    identifier: Identifier, author: Walk, walks: Mapping[str, Walk], record: DmarcRecord
) -> bool | None:
    """Whether it is aligned (RFC 9989 §4.4), None when a failed query leaves it open."""
    if identifier.domain == author.start:
        return True
    mode = record.adkim if identifier.by == "dkim" else record.aspf
    if not needs_walk(identifier, author, mode):
        return False
    own, other = author.organizational, walks[identifier.domain].organizational
    return None if own is None or other is None else own == other


def _leaves_open(identifier: Identifier, fits: bool | None) -> bool:
    return (identifier.result == "pass" and fits is None) or (
        identifier.result == "temperror" and fits is not False
    )
