"""Attacks by a help desk at the gateway: HTML that runs, loads or hides something; dear and big answers."""

from __future__ import annotations

import base64
import os
import time
from typing import TYPE_CHECKING

from relaydesk_testkit.buyers import MAILBOX
from relaydesk_testkit.campaign.content import HTML
from relaydesk_testkit.campaign.floods import together
from relaydesk_testkit.campaign.target import deliver, relay_address

if TYPE_CHECKING:
    from relaydesk_testkit.campaign.attack import Outcome
    from relaydesk_testkit.campaign.target import Target
    from relaydesk_testkit.smtp import Talk

LONGEST = 30.0  # seconds


def ticket(target: Target) -> str:
    """The relay address of a new ticket."""
    mail = target.mail()
    deliver(target, mail)
    return relay_address(mail.number)


def hand_in(talk: Talk, rcpt: str, raw: bytes) -> str:
    """Hands one answer in; the last reply."""
    for command in ("MAIL FROM:<x@zendesk.example>", f"RCPT TO:<{rcpt}>"):
        reply = talk.ask(command)
        if not reply.startswith("250"):
            return reply
    reply = talk.ask("DATA")
    if not reply.startswith("354"):
        return reply
    talk.send(raw.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
    return talk.reply()


def answer(rcpt: str, html: bytes, extra: bytes = b"") -> bytes:
    """An answer in HTML."""
    number = time.monotonic_ns()
    return (
        b"From: Support <x@zendesk.example>\r\nTo: %b\r\nSubject: Re: Hi\r\n"
        b"Message-ID: <%d@zendesk.example>\r\n"
        b"MIME-Version: 1.0\r\n%bContent-Type: text/html; charset=utf-8\r\n\r\n%b"
        % (rcpt.encode(), number, extra, html)
    )


def hostile_html(target: Target, outcome: Outcome) -> None:
    """The HTML that freezes parsers, handed in by one desk, four at a time, in small and large."""
    password, rcpt = target.password(), ticket(target)
    waiting = [
        (name, b"<p>Hello</p>" + body[:size]) for name, body in HTML.items() for size in (27_000, 240_000)
    ]
    slowest = [(0.0, "")]

    def work(_: int) -> None:
        while waiting:
            name, body = waiting.pop()
            body = b"\r\n".join(body[at : at + 60_000] for at in range(0, len(body), 60_000))
            started = time.monotonic()
            with target.desk(password) as talk:
                reply = hand_in(talk, rcpt, answer(rcpt, body))
            seconds = time.monotonic() - started
            slowest.append((seconds, name))
            holds = reply[:3] in ("250", "550", "554", "552") and seconds < LONGEST
            outcome.count(holds, f"{name}: {reply!r} after {seconds:.1f} s")

    together(4, work)
    seconds, name = max(slowest)
    outcome.note(f"slowest: {name}, {seconds:.1f} s")


def big_answers(target: Target, outcome: Outcome) -> None:
    """Eight ordinary answers of 15 MB at once, by the gateway."""
    password, photo = target.password(), os.urandom(10_800_000)
    enclosed = base64.encodebytes(photo).replace(b"\n", b"\r\n")

    def work(_: int) -> None:
        rcpt = ticket(target)
        raw = (
            b"From: Support <x@zendesk.example>\r\nTo: %b\r\nSubject: Re: Hi\r\n"
            b"Message-ID: <%d@zendesk.example>\r\n"
            b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
            b"--b\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n"
            b"--b\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n"
            b'Content-Disposition: attachment; filename="a.jpg"\r\n\r\n%b--b--\r\n'
            % (rcpt.encode(), time.monotonic_ns(), enclosed)
        )
        with target.desk(password) as talk:
            reply = hand_in(talk, rcpt, raw)
        outcome.count(reply[:3] in ("250", "554"), f"an answer of 15 MB: {reply!r}")

    together(8, work)


def foreign(target: Target, outcome: Outcome) -> None:
    """The gateway is no open relay, whatever the recipient looks like."""
    password = target.password()
    for rcpt in ("victim@elsewhere.example", MAILBOX, "case++nobody@support.instagram.com", "", "postmaster"):
        with target.desk(password) as talk:
            talk.ask("MAIL FROM:<x@zendesk.example>")
            reply = talk.ask(f"RCPT TO:<{rcpt}>")
        outcome.count(reply[:1] == "5", f"RCPT TO:<{rcpt}> was answered {reply!r}")
