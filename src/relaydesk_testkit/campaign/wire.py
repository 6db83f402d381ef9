"""Attacks on the SMTP dialogue: smuggled messages, foreign recipients, words slipped in before TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from relaydesk_testkit.buyers import BOUNCES, MAILBOX
from relaydesk_testkit.campaign.target import LISTED, LISTED_TOO, RELAY, lenient, stranger
from relaydesk_testkit.serving import eventually
from relaydesk_testkit.soundness import looking

if TYPE_CHECKING:
    from relaydesk_testkit.campaign.attack import Outcome
    from relaydesk_testkit.campaign.target import Target

SMUGGLED = "smuggled@evil.example"
#: What may pass for the end of data with somebody else (RFC 5321 §4.1.1.4 knows one).
ENDS = tuple(
    before + b"." + after
    for before in (
        b"\n",
        b"\r",
        b"\r\n",
        b"\r\r\n",
        b"\n\r",
        b"\n\n",
        b"\r\n\0",
        b"\0\r\n",
        b"\r\n ",
        b"\x85",
    )
    for after in (b"\n", b"\r", b"\r\n", b"\r\r\n", b"\0\r\n", b" \r\n", b"\r\n\0")
    if b"\r\n.\r\n" not in before + b"." + after
)
#: Recipients that are none of ours, however they are written.
FOREIGN = (
    "<victim@elsewhere.example>",
    "<victim%elsewhere.example@shop.example>",
    "<elsewhere.example!victim@shop.example>",
    "<@shop.example:victim@elsewhere.example>",
    "<@shop.example,@elsewhere.example:victim@elsewhere.example>",
    '<"victim@elsewhere.example"@shop.example>',
    '<"victim@elsewhere.example">',
    "<victim@elsewhere.example@shop.example>",
    "<help@shop.example@elsewhere.example>",
    "<victim@[127.0.0.1]>",
    "<help@[127.0.0.1]>",
    "<help@shop.example.>",
    "<help@shop.example\0@elsewhere.example>",
    "<help@shop.example>,<victim@elsewhere.example>",
    "<help@shop.example> <victim@elsewhere.example>",
    "<help@shop.example> NOTIFY=SUCCESS ORCPT=rfc822;victim@elsewhere.example",
    "<>",
    "<victim>",
    "<help@sub.shop.example>",
    "<help@shop.example\r\nRCPT TO:<victim@elsewhere.example>",
    "<help@xn--shop-.example>",
    "<\uff48elp@shop.example>",
    "<help@shop\u3002example>",
    "<'help'@shop.example>",
    "<help+victim=elsewhere.example@shop.example>",
    "<|/bin/sh@shop.example>",
    "<../../etc/passwd@shop.example>",
)


def smuggling(target: Target, outcome: Outcome) -> None:
    """A second message behind every byte sequence that some server takes for the end of the first."""
    for source in (LISTED, RELAY):
        for end in ENDS:
            mail = target.mail()
            behind = (
                b"MAIL FROM:<%b>\r\nRCPT TO:<%b>\r\nDATA\r\n"
                b"From: x@evil.example\r\nSubject: evil\r\n\r\nx\r\n.\r\n"
                % (SMUGGLED.encode(), MAILBOX.encode())
            )
            with target.talk(source) as talk:
                talk.start_mail(mail.rcpt, sender=mail.mail_from)
                talk.ask("DATA")
                talk.send(mail.raw.rstrip(b"\r\n") + end + behind)
                reply = talk.reply()
                step = talk.ask("NOOP")
            outcome.count(reply and step.startswith("250"), f"after {end!r}: {reply!r}, then {step!r}")
    outcome.count(not _stored(target, SMUGGLED), f"{_stored(target, SMUGGLED)} smuggled messages are stored")


def relaying(target: Target, outcome: Outcome) -> None:
    """Foreign recipients, from a listed host, a relay and a stranger."""
    for source in (LISTED, RELAY, stranger(1)):
        for rcpt in FOREIGN:
            with target.talk(source) as talk:
                talk.ask("EHLO client.example")
                talk.ask(f"MAIL FROM:<{BOUNCES}>")
                reply = talk.ask(f"RCPT TO:{rcpt}".encode())
            outcome.count(reply[:1] in ("4", "5"), f"{source}: RCPT TO:{rcpt!r} was answered {reply!r}")


def injection(target: Target, outcome: Outcome) -> None:
    """Commands in clear behind STARTTLS (CVE-2011-0411 and its sisters), on both ports."""
    behind = (
        b"NOOP\r\n",
        b"MAIL FROM:<a@evil.example>\r\n",
        b"RSET\r\nQUIT\r\n",
        b"\r\n",
        b"X" * 4000 + b"\r\n",
    )
    for gateway in (False, True):
        for words in behind:
            with target.speaking(LISTED_TOO, gateway=gateway) as talk:
                talk.reply()
                talk.ask("EHLO client.example")
                talk.send(b"STARTTLS\r\n" + words)
                reply = talk.reply()
                if not reply.startswith("220"):
                    outcome.count(True, "")
                    continue
                talk.secure(lenient())
                after = talk.ask("VRFY somebody")
            outcome.count(
                not after.startswith(("250", "221", "500")), f"{words!r} counted inside TLS: {after!r}"
            )


def _stored(target: Target, mail_from: str) -> int:
    def number() -> int:
        engine = looking(target.serving.database)
        try:
            with engine.connect() as connection:
                query = text("SELECT count(*) FROM message WHERE mail_from = :address")
                return int(connection.execute(query, {"address": mail_from}).scalar_one())
        finally:
            engine.dispose()

    return eventually(lambda: number() + 1, "the count") - 1
