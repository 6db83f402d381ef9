"""The text of a rule file from the words of a person: an address, and what the Subject has. Pure.

``*`` in the address stands for any characters without an @, ``…`` (or ``*``) in the Subject for anything. A
number there that the sample shows as an order's is read as the order.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.classify import neutral
from relaydesk.desk.config import DeskError

if TYPE_CHECKING:
    from relaydesk.events import Kind

LONGEST = 300  # characters of a field
_GAP = re.compile(r"(?:…|\.\.\.|\*)+")
_BLANKS = re.compile(r"\s+")
_NUMBER = re.compile(r"[0-9]{4,}")
_ORDER = r"(?P<order>[0-9]{10,20})"
_SPECIAL = re.compile(r"[^0-9A-Za-z_ ]")


@dataclass(frozen=True, slots=True)
class RuleWords:
    """What a rule asks for, as a person writes it. ``subject`` may be empty: any."""

    sender: str
    subject: str


def draft_subject(subject: str) -> str:
    """A Subject with its numbers left open, so that the next mail of its kind matches too."""
    return _NUMBER.sub("…", neutral(subject).strip())[:LONGEST]


def rule_text(name: str, kind: Kind, words: RuleWords, sample: RuleWords, why: str) -> str:
    """The text of a rule file with one rule. DeskError for words that ask for nothing."""
    sender, subject = words.sender.strip().lower(), neutral(words.subject).strip()
    if sender.count("@") != 1 or sender.startswith("@") or sender.endswith("@"):
        raise DeskError("A rule needs the address that its mail comes from, such as no-reply@shop.example.")
    if max(len(sender), len(subject)) > LONGEST:
        raise DeskError(f"A rule's From and Subject have at most {LONGEST} characters each.")
    if "*" in sender.partition("@")[2]:
        raise DeskError("A rule names the whole domain of its sender; * may stand before the @ only.")
    if sender.startswith("*@") and not _GAP.sub("", subject).strip(" #:"):
        raise DeskError("This would match all mail of a domain; say what its Subject has.")
    lines = [
        "rules:",
        f"  - name: {_quoted(name)}",
        f"    kind: {kind}",
        f"    from: {_quoted(_sender_pattern(sender))}",
    ]
    if subject:
        lines.append(f"    subject: {{any: [{_quoted(_subject_pattern(subject, sample.subject, kind))}]}}")
    lines.append(f"    why: {_quoted(why)}")
    shown = {"from": sample.sender, "subject": neutral(sample.subject)}
    lines.append(f"    sample: {{from: {_quoted(shown['from'])}, subject: {_quoted(shown['subject'])}}}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _sender_pattern(sender: str) -> str:
    return r"[^@\s]+".join(_escaped(piece) for piece in sender.split("*"))


def _subject_pattern(subject: str, sample: str, kind: Kind) -> str:
    """Its words with anything in the gaps. A first gap that the sample fills with an order names it."""
    pieces = [r"\s+".join(map(_escaped, _BLANKS.split(piece))) for piece in _GAP.split(subject)]
    names_order = kind in ("claim", "chargeback") and len(pieces) > 1
    if names_order and re.search(_ORDER.join(pieces[:2]), neutral(sample), re.IGNORECASE):
        return ".*".join([_ORDER.join(pieces[:2]), *pieces[2:]])
    return ".*".join(pieces)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda sign: f"\\{sign[0]}" if sign[0].isascii() else sign[0], text)
