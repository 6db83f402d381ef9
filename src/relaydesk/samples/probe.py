"""The whole of ``send-test``: what the server answered, what that proves, and what the store made of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from relaydesk.message import Envelope, Origin
from relaydesk.samples.delivery import NO_TLS, send_sample
from relaydesk.smtpd import ACCEPTED, BY_NAME, BY_REASON, TRY_AGAIN

if TYPE_CHECKING:
    from relaydesk.desk import Desk
    from relaydesk.samples.delivery import Destination
    from relaydesk.samples.sample import Sample

Attempt = Literal["stranger", "unproven", "signed", "foreign", "unknown"]

_CODES = {reply.line(): code for code, reply in (*BY_NAME.items(), *BY_REASON.items())}
_CODES |= {ACCEPTED.line(): "accepted", TRY_AGAIN.line(): "try_again", NO_TLS: "no_tls"}

# What proves the installation right, by what was attempted.
_GOOD: dict[tuple[Attempt, str], str] = {
    ("stranger", "no_role"): "Good: strangers are refused. This host is not in the allowlist.",
    ("unproven", "forged"): "Good: a message that only claims to be Meta's is refused, although it came as "
    "if from a listed network. DNS works: the policy of the sender's domain was found.",
    ("signed", "accepted"): "Good: the signature is that of the sender's domain, so the message is taken "
    "for genuine and sorted by the rules.",
    ("foreign", "accepted"): "Good: mail from a sender that is not listed waits in the queue unsorted.",
    (
        "foreign",
        "not_listed_sender",
    ): "Good: a sender that is not listed is refused (unlisted_sender: refuse).",
    ("unknown", "unauthenticated"): "Good: a sender that is neither listed nor authenticated is refused.",
}
_GOOD |= {("unknown", code): _GOOD["foreign", code] for code in ("accepted", "not_listed_sender")}
# What the reply alone cannot tell.
_OPEN: dict[tuple[Attempt, str], str] = {
    (
        "stranger",
        "accepted",
    ): "The server accepts mail from this host: it is in networks or relays. Unless it is a "
    "mail server of yours or of Meta, remove it from allowlist.yaml.",
    (
        "unproven",
        "accepted",
    ): "The message was accepted. Only Meta can sign as Meta, so it waits unverified in the "
    "queue unsorted, unless SPF vouches for the address you named as origin.",
}
_REMEDIES: dict[str, str] = {
    "no_tls": "STARTTLS is not offered: set tls_certificate and tls_key.",
    "no_role": "The origin you named is not in the allowlist. Name an address of one of its networks, such "
    "as 66.220.144.130; `relaydesk allowlist check` checks the file.",
    "origin_not_listed": "The origin that the relay saw is not in networks.",
    "drift": "SPF passes for this sender, but its network is not listed: run `relaydesk allowlist audit`.",
    "proxy_refused": "This host is a listed proxy and must name its client: add --proxy IP.",
    "proxy_without_header": "This host is a listed proxy: add --proxy IP or --xclient IP.",
    "unknown_command": "The server did not accept the PROXY header: this host is not in proxies.",
    "xclient_denied": "The server does not accept XCLIENT here: list it in proxies with xclient: true.",
    "unknown_mailbox": "The recipient is not one of the mailboxes of that server: name one with --rcpt.",
    "auth_unknown": "The server could not reach DNS: check `nameservers`, and that port 53 is open to them.",
    "forged": "Nothing vouched for the message: the server does not find the sample's key in DNS (yet).",
    "unauthenticated": "Nothing vouched for the message: the server does not find its key in DNS (yet).",
    "unverified": "Nothing vouched for the message.",
    "try_again": "The store did not accept it, or something failed: look for store_unavailable and "
    "unexpected_error in the log of the server.",
    "too_many_connections": "The server has reached its limit of connections: see limits.connections.",
    "busy": "The server is busy: see limits.concurrent_data.",
    "shutting_down": "The server is shutting down; try again when it is up.",
}
_UNPUBLISHED = {
    False: "The key is not published at {name}, so its signature proves nothing.",
    None: "DNS did not say whether the key is published at {name}.",
}


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
    """Where the store keeps an accepted sample, and why."""

    ticket: int
    queue: str
    genuine: bool
    reasons: tuple[str, ...]


def send_test(server: Destination, sample: Sample, *, published: bool | None = None) -> TestResult:
    """Hand the sample over and explain the reply. ``published``: see :func:`.sample.key_published`. Blocks.

    SendTestError when no server answers there, or it hangs up without a reply.
    """
    settled = asyncio.run(send_sample(server, sample))
    good, sentences = judged(server, sample, settled.reply, published)
    sentences = (f"{settled.stage} was answered: {settled.reply}", *settled.remarks, *sentences)
    return TestResult(settled.reply, settled.stage, code_of(settled.reply), good, sentences)


def filed_sample(desk: Desk, sample: Sample) -> Filed | None:
    """What became of an accepted sample, for who has that server's desk; None when it is not there."""
    unknown = Origin(None, "none", allowlisted=False, how="unknown")
    sent = Envelope("", unknown, "", sample.mail_from, (sample.rcpt,), sample.raw, sample.at)
    view = desk.tickets.filed(sent.delivery_key)
    if view is None:
        return None
    message = view.messages[-1].row
    reasons = tuple(why.text for why in message.reasons)
    return Filed(view.ticket.id, view.ticket.queue, message.vouched, reasons)


def code_of(reply: str) -> str:
    """The name of one of our replies, "" for a stranger's."""
    return _CODES.get(reply, "")


def judged(
    server: Destination, sample: Sample, reply: str, published: bool | None
) -> tuple[bool | None, tuple[str, ...]]:
    """Whether the reply is the right one (None: it cannot tell), and sentences that say why."""
    code, attempt = code_of(reply), _attempt(server, sample, published)
    remarks = []
    if sample.signer is not None and not published:
        remarks.append(_UNPUBLISHED[published].format(name=sample.signer.record_name))
    if (attempt, code) in _GOOD:
        return True, (_GOOD[attempt, code], *remarks)
    if (attempt, code) in _OPEN:
        return None, (_OPEN[attempt, code], *remarks)
    if not code:
        return False, ("This is not a reply of relaydesk: another mail server answers there.",)
    return False, (_REMEDIES.get(code, "See the table of replies in docs/operations.md."), *remarks)


def _attempt(server: Destination, sample: Sample, published: bool | None) -> Attempt:
    if server.via == "direct":
        return "stranger"
    if sample.foreign:
        return "foreign" if published else "unknown"
    return "signed" if sample.signer is not None and published else "unproven"
