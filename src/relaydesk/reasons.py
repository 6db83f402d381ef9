"""Every reason a decision can carry: a stable code for machines and a sentence for people.

The table is the whole list; ``docs/operations.md`` documents each code and a test holds the two together.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was decided: ``code`` is stable, ``text`` is for the agent and the admin."""

    code: str
    text: str


SENTENCES: dict[str, str] = {
    # row 1: the shape of the transaction
    "too_large": "The message is larger than {limit} bytes.",
    "insufficient_storage": "The messages in work leave no memory for a large one now.",
    "too_many_recipients": "More than {limit} recipients in one message.",
    "too_slow": "The client was too slow.",
    "bare_newline": "The data holds a bare CR or LF, which can smuggle a second message.",
    "line_too_long": "A line is longer than {limit} bytes.",
    "headers_too_large": "The header section is larger than {limit} bytes.",
    "mail_loop": "More than {limit} Received headers: the message is in a loop.",
    "no_recipient": "The message has no recipient.",
    # row 2: bounces of our answers
    "bounce_of_answer": "The recipient is our bounce address with a valid seal: an answer of ours bounced.",
    "bounce_capped": "More than {limit} bounces for one answer: no more are accepted.",
    "bounce_hard": "The answer did not reach {recipient}: {detail}. The ticket needs an answer again; "
    "a person must look at it.",
    "bounce_soft": "The answer to {recipient} is delayed or was passed on ({detail}); recorded only.",
    "bounce_unclear": "The notice does not say whether the answer arrived; a person must look at it.",
    "bounces_full": "With this one {limit} bounces came for the ticket and no more are accepted; "
    "a person must look at it.",
    "bounce_of_bounce": "A bounce of another notice; recorded only.",
    "auto_reply": "An automatic reply to our answer; recorded only.",
    # row 3 and 4: who may send what here
    "unknown_mailbox": "{rcpt} is not one of our mailboxes.",
    "no_role": "{ip} is not listed in networks, relays or proxies.",
    "proxy_without_header": "{ip} is a listed proxy but sent no PROXY header.",
    "origin_not_listed": "The origin {ip}, seen by our relay, is not one of the listed networks.",
    "drift": "SPF passes for {domain} from {ip}, which is not in a listed network: is the list out of date?",
    # row 5: the shape of the message
    "not_one_from": "From has {count} addresses; exactly one is allowed.",
    "duplicate_headers": "Headers that may occur only once are repeated: {names}.",
    # row 6: unknown right now
    "auth_unknown": "Authentication could not be completed now: {detail}",
    "auth_outage": "No authentication result {age} after the first attempt; accepted unverified.",
    "auth_busy": "Too many messages wait for DNS; the client will try again.",
    # row 7: genuine
    "aligned_dkim": "A DKIM signature of {domain} passes and is aligned with From.",
    "mapped_dkim": "A DKIM signature of {domain} passes, which the list maps to {from_domain}.",
    "aligned_spf": "SPF passes for {domain} from {ip} and is aligned with From.",
    # row 8 to 11: not proven
    "forged": "From claims {from_domain}, nothing vouches for it and its DMARC policy is reject.",
    "unverified": "From claims {from_domain} but nothing vouches for it ({detail}).",
    "not_listed_sender": "The message is authenticated for {from_domain}, which is not a listed sender.",
    "unauthenticated": "From {from_domain} is neither a listed sender nor authenticated.",
    # how genuine mail was sorted
    "rule": "Rule {rule}: {why}",
    "no_rule": "Genuine, but no rule matches; a person must look at it.",
    "directory_address": "The order directory holds this relay address: it is the buyer's of order {order}.",
    "return_request": "A return request: an answer is due within 2 days.",
    "order_confirmed": "Order {order} is in the directory, found as {label}.",
    "order_not_found": "Order {order}, found as {label}, is not in the directory.",
    "order_mentioned": "Number {order} is only mentioned ({where}); it is not bound to the ticket.",
    "no_order": "No order number was found.",
    "reply_to_ignored": "Reply-To {domain} is outside the sender domains and is ignored.",
    "old_signature": "The signature is {days} days old.",
    "lf_read_as_crlf": "The file has bare line feeds; it was read as if sent with CR LF.",
    "content_unread": "The content took too long to read; a person must look at the original.",
    "unreadable": "The message could not be read in full: {detail}",
    # threads
    "opens": "Opens a new ticket.",
    "joins_relay_address": "Joins ticket {ticket}: same relay address.",
    "joins_order": "Joins ticket {ticket}: same order and sender.",
    "reopens": "Ticket {ticket} was closed and has been reopened.",
    "bounce_unmatched": "The bounce does not belong to any ticket; a person must look at it.",
    "joins_bounce": "Joins ticket {ticket}, whose answer bounced.",
    "escalates": "A claim for the order of open case {ticket}: that case is escalated.",
    "links": "Linked with ticket {ticket}: same order.",
    "already_stored": "This delivery is already stored; the resend is acknowledged.",
    "replayed": "The same signed message came before; recorded on ticket {ticket} as a duplicate.",
    # the server and the store
    "content_busy": "Too much mail waits to be read or stored; the client will try again.",
    "store_unavailable": "The message could not be stored; the client will try again.",
    "internal_error": "An unexpected error occurred; the client will try again.",
    # the way out
    "not_sent": "A message of the outbox was refused or given up; a person must look at it.",
    "clock_not_stopped": "An answer left, but its clock could not be stopped; a person must look at it.",
    "forward_loop": "We have forwarded this message before, so it is not forwarded again; "
    "a person must look at it.",
    # what agents say
    "junk_suspect": "Mail of this sender was marked as junk before; a person must look at it.",
    # the gateway for the shop's own help desk
    "not_relay_address": "{rcpt} is not the relay address of one of our tickets.",
    "answer_refused": "{sentence}",
}


NEEDS_LOOK = frozenset(
    {
        "bounce_hard",
        "bounce_unclear",
        "bounces_full",
        "bounce_unmatched",
        "no_rule",
        "content_unread",
        "not_sent",
        "clock_not_stopped",
        "forward_loop",
        "junk_suspect",
    }
)
"""The codes that promise a person's look: whatever bears one is marked, so that a list shows it."""


def general(code: str, **facts: str) -> str:
    """The sentence of a code for many cases at once, with "…" for each fact that they do not share."""
    shared = {fact: value for fact, value in facts.items() if value}
    return SENTENCES[code].format_map(defaultdict(lambda: "…", shared)) if code in SENTENCES else ""


def reason(code: str, **facts: object) -> Reason:
    """The reason with its sentence filled in. An unknown code is a programming error (KeyError)."""
    return Reason(code, SENTENCES[code].format(**facts))
