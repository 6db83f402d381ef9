"""A reader of foreign bytes: how it is called, what it takes, and how much of it at most."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relaydesk.mailauth.dkim_key import SignatureProblem
from relaydesk.mailauth.spf_record import RecordError
from relaydesk.message.unreadable import Unreadable
from relaydesk.orders.records import FileError
from relaydesk.outbound import (
    AnswerRefused,
)
from relaydesk.smtpd import Limits
from relaydesk.smtpd.paths import PathError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


REFUSALS = (
    AssertionError,
    AnswerRefused,
    FileError,
    PathError,
    RecordError,
    SignatureProblem,
    Unreadable,
    ValueError,
)
MESSAGE = Limits().message_bytes


@dataclass(frozen=True, slots=True)
class Reader:
    """``read`` takes text or bytes; ``tokens`` are of its grammar; ``cap`` is the most that reaches it.

    ``size`` is what the suite gives it, so that its shapes cost a millisecond or so; ``whole`` says that it
    is made of others, so that tokens suffice there.
    """

    read: Callable[[Any], object]
    tokens: Sequence[str]
    cap: int
    size: int = 16_384
    text: bool = False
    whole: bool = False

    def __call__(self, written: str) -> None:
        """Reads ``written``; a refusal is a result too."""
        subject = written if self.text else written.encode("utf-8", "surrogateescape")
        with suppress(*REFUSALS):
            self.read(subject)


def each(*readers: Callable[[Any], object]) -> Callable[[Any], None]:
    def read(subject: Any) -> None:
        for reader in readers:
            with suppress(*REFUSALS):
                reader(subject)

    return read
