"""What a door's reply means, by what was attempted: a verdict, sentences, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from relaydesk.samples.conversation import NO_TLS
from relaydesk.smtpd import ACCEPTED, BY_NAME, BY_REASON, TRY_AGAIN

if TYPE_CHECKING:
    from relaydesk.samples.conversation import Route
    from relaydesk.samples.sample import Sample

Attempt = Literal["stranger", "unproven", "signed", "foreign", "unknown"]

_CODES = {reply.line(): code for code, reply in (*BY_NAME.items(), *BY_REASON.items())}
_CODES |= {ACCEPTED.line(): "accepted", TRY_AGAIN.line(): "try_again", NO_TLS: "no_tls"}

# What proves the installation right, by what was attempted.
_GOOD: dict[tuple[Attempt, str], str] = {
    ("stranger", "no_role"): "Good: strangers are turned away. This host is in none of the lists.",
    ("unproven", "forged"): "Good: a message that only claims to be Meta's is refused, although it came as "
    "if from a listed network. DNS works: the policy of the sender's domain was found.",
    ("signed", "accepted"): "Good: the signature is that of the sender's domain, so the message is taken "
    "for genuine and sorted by the rules.",
    ("foreign", "accepted"): "Good: a sender that is not listed is held in queue unsorted, never sorted.",
    (
        "foreign",
        "not_listed_sender",
    ): "Good: a sender that is not listed is refused (unlisted_sender: refuse).",
    ("unknown", "unauthenticated"): "Good: a sender that is neither listed nor authenticated is refused.",
}
_GOOD |= {("unknown", code): _GOOD["foreign", code] for code in ("accepted", "not_listed_sender")}
# What the reply alone cannot tell.
_OPEN: dict[tuple[Attempt, str], str] = {
    ("stranger", "accepted"): "The door takes mail from this host: it is in networks or relays. If it is no "
    "mail server of yours or Meta's, take it out of allowlist.yaml.",
    ("unproven", "accepted"): "The message was taken. Nobody but Meta can sign as Meta, so it is held as "
    "unverified in queue unsorted, unless SPF vouches for the address you named as origin.",
}
_MENDS: dict[str, str] = {
    "no_tls": "STARTTLS is not offered: set tls_certificate and tls_key.",
    "no_role": "The origin you named is in none of the lists. Name one of networks, such as 66.220.144.130; "
    "`relaydesk allowlist check` reads the file.",
    "origin_not_listed": "The origin that our relay saw is not one of networks.",
    "drift": "SPF passes for this sender from a network that is not listed: run `relaydesk allowlist audit`.",
    "proxy_refused": "This host is a listed proxy and must say for whom it speaks: add --proxy IP.",
    "proxy_without_header": "This host is a listed proxy: add --proxy IP or --xclient IP.",
    "unknown_command": "The door did not take the PROXY header: this host is not in proxies.",
    "xclient_denied": "The door takes no XCLIENT from this host: list it in proxies with xclient: true.",
    "unknown_mailbox": "The recipient is none of the mailboxes of that door: name one with --rcpt.",
    "auth_unknown": "The door could not ask DNS: check `nameservers`, and that port 53 is open to them.",
    "forged": "Nothing vouched for the message: the door's name servers do not hold the sample's key (yet).",
    "unauthenticated": "Nothing vouched for the message: the door's name servers do not hold its key (yet).",
    "unverified": "Nothing vouched for the message.",
    "try_again": "The store did not take it, or something failed: see the lines store_unavailable and "
    "unexpected_error of the door's log.",
    "too_many_connections": "The door has all the connections it may: see limits.connections.",
    "busy": "The door is busy: see limits.concurrent_data.",
    "shutting_down": "The door is going down; try again when it is up.",
}
_UNPUBLISHED = {
    False: "The key is not published at {name}, so its signature proves nothing.",
    None: "DNS did not say whether the key is published at {name}.",
}


def code_of(reply: str) -> str:
    """The name of one of our replies, "" for a stranger's."""
    return _CODES.get(reply, "")


def judged(
    route: Route, sample: Sample, reply: str, published: bool | None
) -> tuple[bool | None, tuple[str, ...]]:
    """Whether the reply is the right one (None: it cannot tell), and sentences that say why."""
    code, attempt = code_of(reply), _attempt(route, sample, published)
    beside = []
    if sample.signer is not None and not published:
        beside.append(_UNPUBLISHED[published].format(name=sample.signer.record_name))
    if (attempt, code) in _GOOD:
        return True, (_GOOD[attempt, code], *beside)
    if (attempt, code) in _OPEN:
        return None, (_OPEN[attempt, code], *beside)
    if not code:
        return False, ("That is none of relaydesk's replies: another mail server answers there.",)
    return False, (_MENDS.get(code, "The table of replies in docs/operations.md says more."), *beside)


def _attempt(route: Route, sample: Sample, published: bool | None) -> Attempt:
    if route.via == "direct":
        return "stranger"
    if sample.foreign:
        return "foreign" if published else "unknown"
    return "signed" if sample.signer is not None and published else "unproven"
