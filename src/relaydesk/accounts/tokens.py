"""Random tokens: told once, and kept as a hash, so that who reads the database comes in with none of them."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN_BYTES = 32  # as many as the hash has: guessing is hopeless, so no slow hash is needed


def token_text(chance: Callable[[int], bytes]) -> str:
    """A new token; ``chance`` is a source of random bytes."""
    return base64.urlsafe_b64encode(chance(TOKEN_BYTES)).decode("ascii").rstrip("=")


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()
