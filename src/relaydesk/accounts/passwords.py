"""AgentPasswords as argon2id hashes (RFC 9106), few at a time.

One takes about 100 ms and 64 MiB, whoever asks: so only some are looked at side by side, and where too many
wait the next is told to come later. A name without a password costs as much as one with.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = 2
WAITING = 10  # half a second's worth
MEMORY_KIB, TIME_COST, LANES = 65_536, 3, 4  # RFC 9106 §4, the second recommended option
_NOTHING = "c29tZSBjb25zdGFudCBzYWx0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


class TooManyAtOnce(RuntimeError):  # noqa: N818 - a state of the moment
    """So many passwords are looked at that this one has no turn soon."""


class AgentPasswords:
    """Makes hashes and looks at passwords. Its methods take long: call them in a thread."""

    def __init__(self, memory_kib: int = MEMORY_KIB, time_cost: int = TIME_COST) -> None:
        hasher = Argon2Hasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=LANES)
        self._hash = PasswordHash((hasher,))
        self._nobodys = f"$argon2id$v=19$m={memory_kib},t={time_cost},p={LANES}${'$'.join(_NOTHING)}"
        self._turns, self._room = threading.Semaphore(AT_ONCE), threading.Semaphore(AT_ONCE + WAITING)

    def hashed(self, password: str) -> str:
        """What is kept of a password. TooManyAtOnce."""
        with self._turn():
            return self._hash.hash(_bytes(password))

    def verdict(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether it is the password, and a new hash to keep where what we ask of one has grown.

        ``stored`` None is nobody's: that takes as long. TooManyAtOnce.
        """
        with self._turn():
            try:
                right, better = self._hash.verify_and_update(_bytes(password), stored or self._nobodys)
            except UnknownHashError:
                return False, None
        return right and stored is not None, better if right else None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise TooManyAtOnce("Many people sign in just now; try again in a moment.")
        try:
            with self._turns:
                yield
        finally:
            self._room.release()


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "replace")
