"""Which kind of mail this is and what it says of itself: the rules of ``facebook.yaml`` on a message.

:func:`classify` gives the :class:`Findings`: kind, relay address, order numbers, reason for contact. Rules
are data (:func:`load_rules`); their patterns run in linear time. Pure.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.classify.excerpt import excerpt_of
from relaydesk.classify.findings import Candidate, Findings, Match, NumberKind
from relaydesk.classify.neutral import neutral

if TYPE_CHECKING:
    from relaydesk.classify.classifier import classify
    from relaydesk.classify.form import Form
    from relaydesk.classify.patterns import Pattern, PatternError, compile_pattern
    from relaydesk.classify.rules import Rule, Rules
    from relaydesk.classify.rules_file import load_rules
    from relaydesk.classify.yaml_reader import RulesError

__all__ = [
    "Candidate",
    "Findings",
    "Form",
    "Match",
    "NumberKind",
    "Pattern",
    "PatternError",
    "Rule",
    "Rules",
    "RulesError",
    "classify",
    "compile_pattern",
    "excerpt_of",
    "load_rules",
    "neutral",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "Form": "form",
            "Pattern": "patterns",
            "PatternError": "patterns",
            "Rule": "rules",
            "Rules": "rules",
            "RulesError": "yaml_reader",
            "classify": "classifier",
            "compile_pattern": "patterns",
            "load_rules": "rules_file",
        },
    )
