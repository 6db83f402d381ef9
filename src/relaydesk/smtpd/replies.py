"""Every reply of the server: one table, and one function that builds the bytes.

Basic codes after RFC 5321 §4.2, enhanced ones after RFC 3463 and the IANA registry. Texts are fixed:
nothing a client, a DNS zone or an exception said is ever echoed, so no reply can leak or be injected. The
one exception (``SPOKEN``) is a sentence of ours for an authenticated client.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relaydesk.policy import Admission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.policy import Decision, Outcome

_TRANSIENT, _PERMANENT = range(400, 500), range(500, 600)  # RFC 5321 §4.2.1
MAX_REPLY = 500
"""Bytes of one reply line without CR LF; RFC 5321 §4.5.3.1.5 allows 512 with them."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. ``enhanced`` is "" where RFC 2034 §4 wants none (greeting, HELO, EHLO, 354).

    ``more`` are the further lines of an EHLO reply.
    """

    code: int
    enhanced: str
    text: str
    more: tuple[str, ...] = ()

    def line(self) -> str:
        """The reply without its last CR LF; one line unless there is ``more``."""
        return build(self.code, [f"{self.enhanced} {self.text}" if self.enhanced else self.text, *self.more])

    @property
    def temporary(self) -> bool:
        return self.code in _TRANSIENT

    @property
    def permanent(self) -> bool:
        return self.code in _PERMANENT

    @property
    def closes(self) -> bool:
        """After 221, 421 and 521 the connection ends (RFC 5321 §3.8, RFC 7504)."""
        return self.code in (221, 421, 521)


class Hangup(Exception):  # noqa: N818 (an ending, not an error)
    """The session ends with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


def build(code: int, texts: Sequence[str]) -> str:
    """The one place where reply lines are made: printable ASCII, no CR LF inside, bounded length."""
    last = len(texts) - 1
    lines = []
    for number, text in enumerate(texts):
        clean = "".join(char if " " <= char <= "~" else " " for char in text)
        line = f"{code:03d}{' ' if number == last else '-'}{clean}"[:MAX_REPLY]
        lines.append(line.rstrip() if clean else line)  # an empty challenge keeps its blank (RFC 4954 §8)
    return "\r\n".join(lines)


ACCEPTED = Reply(250, "2.0.0", "Ok: stored")
TRY_AGAIN = Reply(451, "4.3.0", "The message could not be accepted now, please try again later")
REFUSED = Reply(550, "5.7.1", "The message is refused")

#: By reason code: what a refusal or deferral for that reason answers.
BY_REASON: dict[str, Reply] = {
    "too_large": Reply(552, "5.3.4", "The message is too large"),
    "insufficient_storage": Reply(452, "4.3.1", "Not enough memory now, please try again later"),
    "too_many_recipients": Reply(452, "4.5.3", "Too many recipients, send to the rest separately"),
    "too_slow": Reply(421, "4.4.2", "Too slow, closing the connection"),
    # 5.6.0 (other media error) rather than 5.5.2: the commands were right, the content is not.
    "bare_newline": Reply(554, "5.6.0", "The message holds a bare CR or LF; every line must end in CR LF"),
    "line_too_long": Reply(554, "5.6.0", "The message holds a line that is too long"),
    "headers_too_large": Reply(554, "5.6.0", "The header section is too large"),
    "mail_loop": Reply(554, "5.4.6", "Too many hops, the message is in a loop"),
    "no_recipient": Reply(554, "5.5.1", "No valid recipients"),
    "bounce_capped": Reply(550, "5.7.1", "No further bounces of this message are accepted"),
    "unknown_mailbox": Reply(550, "5.1.1", "No such mailbox here"),
    "no_role": Reply(550, "5.7.1", "This host may not send mail to this server"),
    "proxy_without_header": Reply(550, "5.7.1", "This proxy must name its client by PROXY or XCLIENT"),
    "origin_not_listed": Reply(550, "5.7.1", "The origin of this message may not send mail to this server"),
    "drift": Reply(550, "5.7.1", "The network that sent this message is not listed here"),
    "not_one_from": Reply(554, "5.6.0", "The message must have exactly one From address"),
    "duplicate_headers": Reply(554, "5.6.0", "A header field that may occur only once is repeated"),
    "auth_busy": Reply(451, "4.4.3", "Too many look-ups are under way, please try again later"),
    "content_busy": Reply(451, "4.3.2", "Too much mail is waiting now, please try again later"),
    "auth_unknown": Reply(451, "4.7.0", "Authentication could not be completed now, please try again later"),
    "forged": Reply(
        550, "5.7.1", "The message is not authenticated and the DMARC policy of its domain is reject"
    ),
    "unverified": Reply(550, "5.7.1", "The message is not authenticated"),
    "not_listed_sender": Reply(550, "5.7.1", "The sender is not accepted here"),
    "unauthenticated": Reply(
        550, "5.7.1", "The message is not authenticated and its sender is not accepted here"
    ),
    "store_unavailable": TRY_AGAIN,
    "internal_error": TRY_AGAIN,
    "not_relay_address": Reply(550, "5.7.1", "Relaying denied: this is not the relay address of a ticket"),
    "answer_refused": Reply(554, "5.6.0", "The answer cannot be sent as it is"),
}

#: Reasons whose own sentence is said: to the shop's help desk, which has authenticated and shows it.
SPOKEN = frozenset({"answer_refused"})

#: By name: what the protocol itself asks for.
BY_NAME: dict[str, Reply] = {
    "ok": Reply(250, "2.0.0", "Ok"),
    "sender_ok": Reply(250, "2.1.0", "Ok"),
    "recipient_ok": Reply(250, "2.1.5", "Ok"),
    "go_ahead": Reply(354, "", "End data with <CR><LF>.<CR><LF>"),
    "bye": Reply(221, "2.0.0", "Bye"),
    "start_tls": Reply(220, "2.0.0", "Ready to start TLS"),
    "tls_unavailable": Reply(454, "4.7.0", "TLS is not available"),
    "tls_already": Reply(503, "5.5.1", "TLS is already active"),
    "help": Reply(214, "2.0.0", "This server takes mail by RFC 5321; see its EHLO reply for extensions"),
    "cannot_verify": Reply(252, "2.5.2", "Addresses are not verified; send the message"),
    "not_implemented": Reply(502, "5.5.1", "Command not implemented"),
    "unknown_command": Reply(500, "5.5.2", "Command not recognized"),
    "syntax": Reply(501, "5.5.4", "Syntax error in the arguments"),
    "command_too_long": Reply(500, "5.5.6", "Command line too long"),
    "command_newline": Reply(500, "5.5.2", "A command line must end in CR LF and hold no other CR or LF"),
    "bad_sender": Reply(501, "5.1.7", "Sender address is malformed"),
    "bad_recipient": Reply(501, "5.1.3", "Recipient address is malformed"),
    "needs_smtputf8": Reply(553, "5.6.7", "This address needs SMTPUTF8"),
    "unknown_parameter": Reply(555, "5.5.4", "Parameter not recognized or not implemented"),
    "helo_first": Reply(503, "5.5.1", "Send HELO or EHLO first"),
    "mail_first": Reply(503, "5.5.1", "Send MAIL first"),
    "nested_mail": Reply(503, "5.5.1", "A mail transaction is already in progress"),
    "rcpt_first": Reply(503, "5.5.1", "Send RCPT first"),
    "too_many_errors": Reply(421, "4.7.0", "Too many errors, closing the connection"),
    "too_many_commands": Reply(421, "4.7.0", "Too many commands, please connect again"),
    "too_many_connections": Reply(421, "4.7.0", "Too many connections in all, please try again later"),
    "too_many_of_peer": Reply(421, "4.7.0", "Too many connections of this host, please try again later"),
    "kept_for_known": Reply(
        421, "4.7.0", "Too many connections: the places left are kept for known hosts, please try again later"
    ),
    "too_often": Reply(421, "4.7.0", "Too many new connections, please try again later"),
    "under_load": Reply(421, "4.3.2", "Under load, idle connections must go; please try again later"),
    "session_over": Reply(421, "4.4.2", "The session lasted too long, please connect again"),
    "busy": Reply(451, "4.3.2", "Too busy now, please try again later"),
    "shutting_down": Reply(421, "4.3.2", "The service is shutting down, please try again later"),
    # RFC 5321 §3.1: 554 instead of 220 says that no mail is taken from this connection.
    "proxy_refused": Reply(554, "5.7.1", "A PROXY protocol header is required from this host"),
    # RFC 4954 §4 and §6, RFC 3207 §4
    "authenticated": Reply(235, "2.7.0", "Authentication succeeded"),
    "auth_goes_on": Reply(334, "", ""),
    "auth_user": Reply(334, "", "VXNlcm5hbWU6"),
    "auth_password": Reply(334, "", "UGFzc3dvcmQ6"),
    "auth_wrong": Reply(535, "5.7.8", "Authentication credentials invalid"),
    "auth_later": Reply(454, "4.7.0", "Authentication is not possible now, please try again later"),
    "auth_cancelled": Reply(501, "5.7.0", "Authentication cancelled"),
    "auth_undecodable": Reply(501, "5.5.2", "Cannot decode the response"),
    "auth_unknown_mechanism": Reply(504, "5.5.4", "Mechanism not recognized; use PLAIN or LOGIN"),
    "auth_needs_tls": Reply(538, "5.7.11", "Encryption is required to authenticate: send STARTTLS first"),
    "auth_already": Reply(503, "5.5.1", "Already authenticated"),
    "auth_in_mail": Reply(503, "5.5.1", "AUTH is not allowed within a mail transaction"),
    "auth_required": Reply(530, "5.7.0", "Authentication required"),
    "tls_required": Reply(530, "5.7.0", "Must issue a STARTTLS command first"),
    "xclient_denied": Reply(550, "5.7.0", "XCLIENT is not allowed for this host"),
    "xclient_in_mail": Reply(503, "5.5.1", "XCLIENT is not allowed within a mail transaction"),
}


def reply_for(verdict: Decision | Admission | str) -> Reply:
    """The reply for a decision, an admission, a reason code or a protocol reply's name.

    A deferral always answers 4xx and a refusal never 2xx, whatever the table holds for the reason. An
    unknown code is a programming error (KeyError) when verdict by name; in a decision it answers generically.
    """
    if isinstance(verdict, str):
        return BY_REASON[verdict] if verdict in BY_REASON else BY_NAME[verdict]
    if isinstance(verdict, Admission):
        if verdict.outcome == "refused" and verdict.reason is not None and verdict.reason.code in SPOKEN:
            return replace(BY_REASON[verdict.reason.code], text=verdict.reason.text)
        return _by_outcome(verdict.outcome, verdict.reason.code if verdict.reason else "")
    return _by_outcome(verdict.outcome, verdict.code)


def _by_outcome(outcome: Outcome, code: str) -> Reply:
    if outcome == "accepted":
        return ACCEPTED
    reply = BY_REASON.get(code, REFUSED if outcome == "refused" else TRY_AGAIN)
    if outcome == "deferred" and not reply.temporary:
        return BY_REASON["auth_unknown"] if reply.enhanced.startswith("5.7.") else TRY_AGAIN
    return reply
