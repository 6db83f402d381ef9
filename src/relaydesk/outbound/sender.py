"""Who we are when something goes out: contact, seals, signature. For the desk, the gateway and forwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaydesk.bounces import answer_message_id, bounce_address
from relaydesk.mailauth import sign_dkim
from relaydesk.outbound.answer import Binding, NamedOrder, Shop
from relaydesk.outbound.check import check_outgoing
from relaydesk.outbound.compose import answer_subject
from relaydesk.store import Finished

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from relaydesk.outbound.answer import Question

SIGNED = (
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version"),
    *("Content-Type", "From", "To", "Subject"),  # named once more than there are: none can be added unseen
)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The DKIM key of the shop's domain; ``pem`` is the private half."""

    domain: str
    selector: str
    pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sender:
    """The shop as sender.

    ``shop.domain`` is that of our bounce addresses and Message-IDs, which ``secret`` seals. ``undo`` is how
    long an answer waits before it leaves, ``give_up`` how long the next hop may put it off.
    """

    shop: Shop
    sender_domains: frozenset[str]
    secret: bytes = field(repr=False)
    undo: timedelta
    give_up: timedelta
    key: SigningKey | None = None

    def bound(self, recipient: str, order_id: str | None, merchant_ref: str = "") -> Binding:
        """What the finished bytes of an answer to ``recipient`` are held against."""
        order = NamedOrder(order_id, merchant_ref)
        return Binding(recipient, order, self.shop.contact, self.sender_domains)

    def message_id(self, ticket: int, answer: int) -> str:
        """The Message-ID of an answer, fixed before its first try."""
        return answer_message_id(self.secret, ticket, answer, self.shop.domain)

    def envelope_from(self, ticket: int, answer: int) -> str:
        """Where bounces of an answer come back to."""
        return bounce_address(self.secret, ticket, self.shop.domain, answer)

    def finished(  # noqa: PLR0913 - the question, what binds the answer, its bytes
        self,
        question: Question,
        order: NamedOrder,
        answer: int,
        make: Callable[[str], bytes],
        *,
        now: datetime,
        subject: str = "",
    ) -> Finished:
        """Answer number ``answer`` as it leaves: made for its Message-ID, signed, and looked at once more.

        ``subject`` is the question's by default. AnswerRefused when the bytes do not pass the last check.
        """
        message_id = self.message_id(question.ticket, answer)
        raw = self.signed(make(message_id), now)
        check_outgoing(raw, self.bound(question.relay_address, order.id, order.merchant_ref))
        shown = answer_subject(subject or question.subject, order.id)
        return Finished(self.envelope_from(question.ticket, answer), message_id, shown, raw)

    def signed(self, raw: bytes, now: datetime) -> bytes:
        """``raw`` under our DKIM signature; as it is where no key is configured."""
        if self.key is None:
            return raw
        return sign_dkim(
            raw,
            self.key.domain,
            self.key.selector,
            self.key.pem,
            headers=SIGNED,
            canonicalization="relaxed/relaxed",
            tags=(("t", str(int(now.timestamp()))),),
        )
