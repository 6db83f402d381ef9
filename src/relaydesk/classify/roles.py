"""Role names: local parts such as ``no-reply`` or ``business-updates``, behind which no buyer reads.

Whatever else stands before the ``@`` of a listed sender is a buyer's relay address: Meta makes those up,
and their length and signs are an observation. So a role is told by its words, which the rule file lists.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEVER = re.compile(r"(?!)")
_PARTS = re.compile(r"[-_.]+")
_COUNTED = re.compile(r"(?<![a-z])([a-z]{3,}+)[0-9]{1,3}")
LONGEST = 64  # octets of a local part (RFC 5321 §4.5.3.1.1)
SHORT = 4  # letters or digits of a language, a year or a number that stands beside a role


class Roles:
    """The words of role names.

    ``names`` make a local part a role wherever they stand between ``-``, ``_`` and ``.``: *support* in
    ``emea-support``. ``topics`` do so only where there is nothing else: *orders* in ``order-updates`` or
    ``orders``, but not in ``order-7dvra5wfy2``. Both may be written as one word: ``commerceupdates``.
    """

    def __init__(self, names: Iterable[str], topics: Iterable[str] = ()) -> None:
        self.names = frozenset(name.lower() for name in names)
        self.topics = frozenset(topic.lower() for topic in topics)

    def __or__(self, other: Roles) -> Roles:
        return Roles(self.names | other.names, self.topics | other.topics)

    def __contains__(self, local: str) -> bool:
        """Whether a local part is a role's. Behind a ``+`` stands a tag: ``notification+kr4x@``."""
        base, tagged, _ = local.lower().partition("+")
        if not base or len(local) > LONGEST:
            return False
        base = self._several.sub(lambda name: f"-{_one_word(name[0])}-", base)
        parts = [_COUNTED.sub(r"\1", part) for part in _PARTS.split(base) if part]
        named = any(_made_of(part, self._names) for part in parts)
        if named and all(len(part) <= SHORT or part.isalpha() for part in parts):
            return True
        return _made_of("".join(parts), self._names if tagged else self._words)

    @cached_property
    def _several(self) -> re.Pattern[str]:
        """Names of several words, however they are parted."""
        several = ["[-_.]?".join(_PARTS.split(name)) for name in self.names if _PARTS.search(name)]
        return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(several)})(?![a-z0-9])") if several else _NEVER

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(map(_one_word, self.names))

    @cached_property
    def _words(self) -> frozenset[str]:
        return self._names | frozenset(map(_one_word, self.topics))


def _one_word(name: str) -> str:
    return "".join(_PARTS.split(name))


def _made_of(text: str, words: frozenset[str]) -> bool:
    """Whether a text is nothing but such words, one behind the other."""
    ends = {0}
    for end in range(1, len(text) + 1):
        if any(text[start:end] in words for start in ends):
            ends.add(end)
    return bool(text) and len(text) in ends
