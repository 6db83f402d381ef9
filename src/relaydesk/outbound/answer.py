"""The values an answer is made of. All frozen; times aware UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


class AnswerRefused(ValueError):  # noqa: N818 - what happened, in the words of the desk
    """This answer must not go out; the text is a sentence for the agent. The draft is kept."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that goes with an answer. ``type`` is the sniffed one, never the claimed one."""

    name: str
    type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """The message that is answered: where the answer goes is bound to it and to nothing else.

    ``message`` is its number in the store; ``relay_address`` is the recipient, as written by Meta.
    """

    ticket: int
    message: int
    relay_address: str
    subject: str
    message_id: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedOrder:
    """The order that a message names: Facebook's ``id`` and the seller's ``merchant_ref`` where it is known.

    ``id`` is None where no order number exists.
    """

    id: str | None = None
    merchant_ref: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What the agent wrote and chose.

    ``order`` is without an id only with ``no_order``, the agent's word on record that there is none.
    """

    text: str
    order: NamedOrder
    no_order: bool = False
    enclosures: tuple[AttachedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Shop:
    """Who answers: the registered support contact (From) and the domain of our bounce addresses."""

    name: str
    contact: str
    domain: str


@dataclass(frozen=True, slots=True)
class Binding:
    """What the finished bytes are held against just before MAIL FROM.

    ``sender_domains`` are Meta's (of the allowlist): a relay address outside them gets nothing.
    """

    recipient: str
    order: NamedOrder
    contact: str
    sender_domains: frozenset[str]


POSITIVE, TRANSIENT, PERMANENT = 2, 4, 5
"""The first digit of a reply is its meaning (RFC 5321 §4.2.1)."""
Phase = Literal["connect", "hello", "starttls", "auth", "xclient", "mail", "rcpt", "data", "dot"]


@dataclass(frozen=True, slots=True)
class HopReply:
    """What the next hop said, or that it said nothing.

    ``code`` is 0 when there was no reply (``text`` says why); ``phase`` is where it happened. ``certain`` is
    false when the connection broke between the dot and its reply: the hop may have taken the message.
    """

    code: int
    text: str
    phase: Phase
    certain: bool = True

    @property
    def severity(self) -> int:
        """The first digit of the code, 0 without a reply."""
        return self.code // 100
