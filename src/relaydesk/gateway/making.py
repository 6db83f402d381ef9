"""The heavy part of an answer that is handed in, as tasks of the process pool: it is read, made and checked.

Pure: what they give depends on their arguments alone, which are pickled. A refusal is a value here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.gateway.rewrite import rewritten
from relaydesk.gateway.submission import submitted
from relaydesk.outbound import AnswerRefused, attach_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from relaydesk.gateway.rules import GatewayRules
    from relaydesk.gateway.submission import Submitted
    from relaydesk.outbound import AttachedFile, NamedOrder, Question, Sender
    from relaydesk.store import Finished


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an answer must not go out: a sentence for its author."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Making:
    """What an answer is made of, but for what was handed in.

    ``number`` is its own in the outbox; ``types`` are the MIME types of files that may go, ``each_bytes`` the
    most that one may have; ``date`` is aware.
    """

    sender: Sender
    question: Question
    order: NamedOrder
    number: int
    types: Sequence[str]
    each_bytes: int
    date: datetime


def read_answer(rules: GatewayRules, raw: bytes) -> Submitted | Refusal:
    """What was handed in, cleaned by the rules."""
    try:
        return submitted(raw, rules)
    except AnswerRefused as refused:
        return Refusal(str(refused))


def make_answer(making: Making, answer: Submitted) -> Finished | Refusal:
    """The message for the relay, signed, and checked once more."""

    def enclose(files: Iterable[tuple[str, bytes]]) -> Sequence[AttachedFile]:
        return attach_files(files, types=making.types, each_bytes=making.each_bytes)

    def make(message_id: str) -> bytes:
        question, order, shop = making.question, making.order, making.sender.shop
        return rewritten(
            question, answer, order, shop, message_id=message_id, date=making.date, enclose=enclose
        )

    try:
        return making.sender.finished(
            making.question, making.order, making.number, make, now=making.date, subject=answer.subject
        )
    except AnswerRefused as refused:
        return Refusal(str(refused))
