"""Codes of an authenticator app (RFC 6238) and the recovery codes that stand in for one."""

from __future__ import annotations

import base64
import hmac
import io
from typing import TYPE_CHECKING

import pyotp
import segno

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

KEY_BYTES = 20  # as long as the digest (RFC 4226 §4, R6)
STEP_SECONDS = 30
DRIFT = 1  # steps that a phone's clock may be off
DIGITS = 6
RECOVERY_CODES, RECOVERY_BYTES, GROUP = 10, 10, 4


def new_key(chance: Callable[[int], bytes]) -> str:
    """The key that we share with an app, in base32; ``chance`` is a source of random bytes."""
    return base64.b32encode(chance(KEY_BYTES)).decode("ascii")


def in_groups(text: str) -> str:
    """``ABCD EFGH``: how a person types a key."""
    return " ".join(text[at : at + GROUP] for at in range(0, len(text), GROUP))


def square(key: str, *, agent: str, shop: str) -> str:
    """The address of a key as a square to photograph: an ``<svg>`` without style or script."""
    address = pyotp.TOTP(key).provisioning_uri(name=agent, issuer_name=shop or "relaydesk")
    drawing = io.BytesIO()
    segno.make(address, error="m").save(
        drawing, kind="svg", xmldecl=False, svgns=False, scale=4, border=4, dark="#000", light="#fff"
    )
    return drawing.getvalue().decode("utf-8")


def step_of(key: str, code: str, now: datetime) -> int | None:
    """The step of time that a code is good for, a little early or late too; None for a wrong one.

    Who lets somebody in by it must use the step up.
    """
    typed = "".join(code.split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    at, app = int(now.timestamp()) // STEP_SECONDS, pyotp.TOTP(key)
    steps = [step for step in range(at - DRIFT, at + DRIFT + 1) if _same(app.generate_otp(step), typed)]
    return steps[-1] if steps else None


def _same(code: str, typed: str) -> bool:
    return hmac.compare_digest(code, typed)


def recovery_codes(chance: Callable[[int], bytes]) -> tuple[str, ...]:
    """New ones, ``abcd-efgh-ijkl-mnop`` each: 80 bits, so that their hashes give nothing away."""
    texts = (base64.b32encode(chance(RECOVERY_BYTES)).decode("ascii").lower() for _ in range(RECOVERY_CODES))
    return tuple(in_groups(text).replace(" ", "-") for text in texts)


def recovery_text(typed: str) -> str:
    """What was typed for a recovery code, as its hash was made of it."""
    return "".join(character for character in typed.lower() if character.isalnum())
