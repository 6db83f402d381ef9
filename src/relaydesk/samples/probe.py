"""The whole test: what the door answered, what that means, and what the store made of the sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from relaydesk.message import Envelope, Origin
from relaydesk.samples.conversation import talk
from relaydesk.samples.meaning import code_of, judged

if TYPE_CHECKING:
    from relaydesk.desk import Desk
    from relaydesk.samples.conversation import Route
    from relaydesk.samples.sample import Sample


@dataclass(frozen=True, slots=True)
class TestResult:
    """What came of it: the settling ``reply``, what it answers (``stage``), and our name for it ("" if none).

    ``good`` is None when the reply alone cannot tell; ``told`` are sentences for the admin, in order.
    """

    reply: str
    stage: str
    code: str
    good: bool | None
    told: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        return self.code == "accepted"


class Filed(NamedTuple):
    """Where an accepted sample stands in the store, and why."""

    ticket: int
    queue: str
    genuine: bool
    reasons: tuple[str, ...]


def send_test(route: Route, sample: Sample, *, published: bool | None = None) -> TestResult:
    """Hand the sample over and explain the answer. ``published``: see :func:`.sample.key_published`.

    SendTestError when nobody answers there, or hangs up without a word.
    """
    answer = talk(route, sample)
    good, why = judged(route, sample, answer.reply, published)
    told = (f"{answer.stage} was answered: {answer.reply}", *answer.remarks, *why)
    return TestResult(answer.reply, answer.stage, code_of(answer.reply), good, told)


def filed_sample(desk: Desk, sample: Sample) -> Filed | None:
    """What became of an accepted sample, for who has that door's desk; None when it is not in this store."""
    nowhere = Origin(None, "none", allowlisted=False, how="unknown")
    sent = Envelope("", nowhere, "", sample.mail_from, (sample.rcpt,), sample.raw, sample.at)
    view = desk.tickets.filed(sent.delivery_key)
    if view is None:
        return None
    message = view.messages[-1].row
    reasons = tuple(why.text for why in message.reasons)
    return Filed(view.ticket.id, view.ticket.queue, message.vouched, reasons)
