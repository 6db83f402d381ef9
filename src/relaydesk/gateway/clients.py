"""The passwords of the gateway's clients.

They are made by us, shown once and kept as scrypt (RFC 7914) with a salt each.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

SALT_BYTES = 16
PASSWORD_BYTES = 24
"""Of chance in a password: 192 bits, so that guessing is hopeless; scrypt guards a stolen table."""
_LOG2_N, _R, _P = 14, 8, 1  # 16 MiB and about 50 ms


def hashed(password: str, salt: bytes) -> str:
    """What is stored: ``scrypt$14$8$1$salt$key``, both in base64. Takes about 50 ms: call it in a thread."""
    key = _derived(password, salt, _LOG2_N, _R, _P)
    return "$".join(["scrypt", str(_LOG2_N), str(_R), str(_P), _text(salt), _text(key)])


def matches(password: str, stored: str) -> bool:
    """Whether this is the password; compared in constant time. False for a text that is not a hash."""
    try:
        name, log2_n, r, p, salt, key = stored.split("$")
        derived = _derived(password, base64.b64decode(salt), int(log2_n), int(r), int(p))
        return name == "scrypt" and hmac.compare_digest(derived, base64.b64decode(key))
    except ValueError:
        return False


def _derived(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=1 << log2_n, r=r, p=p, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


#: Compared with when there is no such client, so that the time taken reveals nothing.
DUMMY_HASH = f"scrypt${_LOG2_N}${_R}${_P}${_text(bytes(SALT_BYTES))}${_text(bytes(32))}"
