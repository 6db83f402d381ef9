"""Hostile DNS: domains of strangers that never answer, policies that lead to more and more look-ups."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from relaydesk_testkit.campaign.floods import together
from relaydesk_testkit.campaign.target import RELAY, over

if TYPE_CHECKING:
    from relaydesk_testkit.campaign.attack import Outcome
    from relaydesk_testkit.campaign.target import Target

SLOW = 48
ZONE: dict[str, list[object]] = {
    **{
        f"{part}slow{number}.example": ["TIMEOUT"]
        for number in range(SLOW)
        for part in ("", "_dmarc.", "s._domainkey.")
    },
    "includes.example": [{"TXT": "v=spf1 " + " ".join(f"include:i{n}.example" for n in range(40)) + " -all"}],
    **{f"i{n}.example": [{"TXT": f"v=spf1 include:i{(n + 1) % 40}.example -all"}] for n in range(40)},
    "exists.example": [
        {"TXT": "v=spf1 " + " ".join(f"exists:%{{i}}.%{{s}}.e{n}.example" for n in range(60)) + " -all"}
    ],
    "mx.example": [{"TXT": "v=spf1 mx ?all"}, *({"MX": [n, f"m{n}.example"]} for n in range(100))],
    "long.example": [{"TXT": "v=spf1 " + "a:" + "x" * 5_000 + ".example -all"}],
    "macros.example": [{"TXT": "v=spf1 " + "exists:%{l1r-}%{d9r.-+,/_=}" * 200 + ".example -all"}],
    "records.example": [{"TXT": f"v=spf1 ip4:10.{n}.0.0/16 -all"} for n in range(50)],
    "loop.example": [{"CNAME": "loop2.example"}],
    "loop2.example": [{"CNAME": "loop.example"}],
    "redirect.example": [{"TXT": "v=spf1 redirect=redirect.example"}],
}
DEAR = ("includes", "exists", "mx", "long", "macros", "records", "loop", "redirect", "a." * 100 + "deep")


def slow(target: Target, outcome: Outcome) -> None:
    """Mail through a relay of ours from domains whose name servers do not answer."""
    until = time.monotonic() + target.seconds
    replies: list[str] = []

    def send(place: int) -> None:
        while time.monotonic() < until:
            domain = f"slow{place}.example"
            replies.append(over(target, _mail(domain), RELAY, f"a@{domain}"))

    together(SLOW, send)
    for reply in replies:
        # Put off, or let in as unverified: never refused for that.
        outcome.count(reply[:3] in ("250", "421", "451", "452"), f"a domain that does not answer: {reply!r}")
    outcome.note(f"{len(replies)} mails of {SLOW} silent domains")


def dear(target: Target, outcome: Outcome) -> None:
    """Policies that ask for more look-ups than anybody may."""
    worst = [0.0]

    def send(place: int) -> None:
        domain = f"{DEAR[place]}.example"
        for _ in range(3):
            started = time.monotonic()
            reply = over(target, _mail(domain), RELAY, f"a@{domain}")
            worst[0] = max(worst[0], time.monotonic() - started)
            outcome.count(reply[:1] in ("2", "4", "5"), f"{domain}: {reply!r}")

    together(len(DEAR), send)
    outcome.note(f"slowest {worst[0]:.1f} s")
    outcome.count(worst[0] < 30, f"one took {worst[0]:.0f} s")


def _mail(domain: str) -> bytes:
    return (
        f"DKIM-Signature: v=1; a=rsa-sha256; d={domain}; s=s; h=from; bh=AAAA; b=AAAA\r\n"
        f"From: a@{domain}\r\nSubject: {time.monotonic_ns()}\r\n\r\nx\r\n"
    ).encode()
