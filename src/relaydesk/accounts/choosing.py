"""Which passwords may be chosen: long ones that nobody would guess first. Pure.

Length counts, kinds of characters do not (NIST SP 800-63B-4 §3.1.1.2); what is in everybody's list does.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from relaydesk.data import read_text_file

LEAST, MOST = 12, 200
FEW_CHARACTERS = 5  # different ones
_LEET = str.maketrans("013457$@!", "oieastsai")
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm")


def normal(password: str) -> str:
    """A password as it is hashed: the same keys give the same text on every machine."""
    return unicodedata.normalize("NFKC", password)


def flaw_of(password: str, *names: str) -> str | None:
    """Why a password may not be chosen, as a sentence; None for one that may.

    ``names`` are those of the agent and the shop, which a password must not consist of.
    """
    if len(password) < LEAST:
        return f"The password has {len(password)} characters; use at least {LEAST}, such as four words."
    if len(password) > MOST:
        return f"The password has more than {MOST} characters; use a shorter one."
    if len(set(password.casefold())) < FEW_CHARACTERS or _is_silly(password, names):
        return "The password is one of those that are guessed first; use another, such as four words."
    return None


def _is_silly(password: str, names: tuple[str, ...]) -> bool:
    """Nothing but a known word, a name, a run of keys or figures, or the same again and again."""
    guessed = silly_words() | {word for name in names for word in _words(name)}
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password.casefold())
    for text in (core, core.translate(_LEET)):
        letters = re.sub(r"[\W\d_]+", " ", text).split()
        if not letters or all(_once(word) in guessed or _is_run(word) for word in letters):
            return True
        joined = re.sub(r"[\W\d_]+", "", text)
        if _once(joined) in guessed or _is_run(joined):
            return True
    return False


def _words(name: str) -> set[str]:
    parts = re.split(r"[\W\d_]+", name.casefold())
    return {part for part in (*parts, "".join(parts)) if part}


def _once(word: str) -> str:
    """``word`` where that is the whole of it, again and again."""
    match = re.fullmatch(r"(.{3,20}?)\1+", word)
    return match[1] if match else word


def _is_run(word: str) -> bool:
    """Keys beside each other, forwards or backwards."""
    return any(word in run or word in run[::-1] for run in _RUNS)


@cache
def silly_words() -> frozenset[str]:
    """The words that guessers begin with."""
    return frozenset(read_text_file(Path(__file__).with_name("silly_words.txt")).split())
