"""The bytes of a case's message: its text with the dates filled in, signed, and changed on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from relaydesk.bounces import bounce_address
from relaydesk.mailauth import canonical_body, sign_dkim, split_message
from relaydesk.samples.case import CaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from relaydesk.mailauth import Canonical
    from relaydesk.samples.case import CaseSignature, Step, Via

WRITTEN_BEFORE = timedelta(seconds=30)  # between the writing of a message and its receipt
_LINE_END = re.compile(rb"\r?\n")


@dataclass(frozen=True, slots=True)
class ComposedMail:
    """One transaction, ready for the wire. ``mail_from`` is "" for the null sender."""

    raw: bytes
    peer: str
    via: Via
    helo: str
    mail_from: str
    rcpt: tuple[str, ...]
    smtputf8: bool = False


def compose_case(step: Step, at: datetime, keys: Path, *, as_file: bool = False) -> bytes:
    """The message of a step as it arrives, composed at ``at`` (aware). ``keys`` is the folder of the keys.

    ``{date}`` is a moment shortly before ``at``. With ``as_file`` a message that somebody saved with
    bare line feeds keeps them. CaseError names a change that finds nothing to change.
    """
    stamp = format_datetime(at - WRITTEN_BEFORE).encode()
    raw = step.message.replace(b"{date}", stamp)
    if step.line_ends != "exact":
        raw = _LINE_END.sub(b"\r\n", raw)
    for signature in reversed(step.sign):
        raw = _signed(raw, signature, int(at.timestamp()), keys)
    for change in step.after:
        raw = _changed(raw, change, stamp)
    return raw.replace(b"\r\n", b"\n") if as_file and step.line_ends == "lf" else raw


def composed_mail(step: Step, at: datetime, keys: Path, *, secret: str, ticket: int = 0) -> ComposedMail:
    """The whole transaction; ``{bounce}`` among the recipients is our bounce address for ``ticket``.

    ``secret`` is the one that seals bounce addresses.
    """
    sealed = bounce_address(secret.encode(), ticket or 1, "shop.example")
    rcpt = tuple(address.replace("{bounce}", sealed) for address in step.rcpt)
    raw = compose_case(step, at, keys)
    return ComposedMail(raw, step.peer, step.via, step.helo, step.mail_from, rcpt, step.smtputf8)


def _signed(raw: bytes, how: CaseSignature, at: int, keys: Path) -> bytes:
    tags = []
    if how.identity:
        tags.append(("i", how.identity))
    if how.age is not None:
        tags.append(("t", str(at - how.age)))
    if how.expires is not None:
        tags.append(("x", str(at + how.expires)))
    if how.length:
        form: Canonical = "relaxed" if how.canonicalization.endswith("/relaxed") else "simple"
        tags.append(("l", str(len(canonical_body(split_message(raw)[1], form)))))
    key = (keys / f"{how.key}.pem").read_bytes()
    more = {"algorithm": how.algorithm} if how.algorithm else {}
    return sign_dkim(
        raw,
        how.domain,
        how.selector,
        key,
        headers=how.headers,
        canonicalization=how.canonicalization,
        tags=tags,
        **more,
    )


def _changed(raw: bytes, change: Mapping[str, Any], stamp: bytes) -> bytes:
    """One change on the way: ``{prepend: lines}``, ``{append: text}`` or ``{replace: [old, new]}``."""
    ((kind, value),) = change.items()
    return _CHANGES[kind](raw, value, stamp) if kind in _CHANGES else _no_change(kind)


def _prepend(raw: bytes, value: Any, stamp: bytes) -> bytes:
    lines = [value] if isinstance(value, str) else list(value)
    return b"".join(_wire(line).replace(b"{date}", stamp) + b"\r\n" for line in lines) + raw


def _append(raw: bytes, value: Any, _: bytes) -> bytes:
    return raw + _wire(value)


def _replace(raw: bytes, value: Any, _: bytes) -> bytes:
    old, new = map(_wire, value)
    if old not in raw:
        raise CaseError(f"The message does not hold {value[0]!r}")
    return raw.replace(old, new, 1)


def _loop(raw: bytes, value: Any, stamp: bytes) -> bytes:
    line, times = value
    return _prepend(raw, [line] * times, stamp)


def _no_change(kind: str) -> bytes:
    raise CaseError(f"{kind} is not a change; use one of {', '.join(_CHANGES)}")


def _wire(text: str) -> bytes:
    return _LINE_END.sub(b"\r\n", text.encode("utf-8"))


_CHANGES: Mapping[str, Callable[[bytes, Any, bytes], bytes]] = {
    "prepend": _prepend,
    "append": _append,
    "replace": _replace,
    "loop": _loop,
}
