"""Attacks by number: refused recipients, guessed passwords, tiny packets, commands without end."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING

from relaydesk_testkit.campaign.target import CLIENT, LISTED_TOO, lenient, plain, stranger
from relaydesk_testkit.serving import STORED

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk_testkit.campaign.attack import Outcome
    from relaydesk_testkit.campaign.target import Target

MOST_ROWS = 2_000
MOST_LOG = 2_000_000  # bytes


def together(number: int, work: Callable[[int], None]) -> None:
    """``work`` by so many threads at once, each with its own number; what the sockets say is ignored."""

    def quietly(place: int) -> None:
        with contextlib.suppress(OSError):
            work(place)

    threads = [threading.Thread(target=quietly, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def refusals(target: Target, outcome: Outcome) -> None:
    """Strangers name a new domain with every refused recipient; one listed host is refused once."""
    with target.talk(LISTED_TOO) as talk:
        talk.ask("EHLO mx-out.facebook.com")
        talk.ask("MAIL FROM:<a@listed-detail.example>")
        talk.ask("RCPT TO:<nobody@shop.example>")
    size = target.serving.log_file.stat().st_size
    until = time.monotonic() + target.seconds
    tried = [0] * 10

    def flood(place: int) -> None:
        while time.monotonic() < until:
            with target.talk(stranger(place)) as talk:
                talk.ask("EHLO spam.example")
                for _ in range(9):
                    number = tried[place]
                    domain = f"d{place}-{number}.example"
                    talk.send(f"MAIL FROM:<a@{domain}>\r\nRCPT TO:<help@shop.example>\r\nRSET\r\n".encode())
                    for _ in range(3):
                        talk.reply()
                    tried[place] += 1

    together(len(tried), flood)
    outcome.note(f"{sum(tried) / target.seconds:.0f} refusals a second")
    time.sleep(4)  # the counts are written every few seconds
    rows = json.loads(target.serving.command("refusals", "--json", "--limit", "100000").stdout)
    outcome.note(f"{len(rows)} rows")
    outcome.count(len(rows) <= MOST_ROWS, f"{len(rows)} rows of refusals")
    counted = sum(row["count"] for row in rows)
    outcome.count(counted >= 0.9 * sum(tried), f"{counted} of {sum(tried)} refusals are counted")
    detail = [row for row in rows if row.get("from_domain") == "listed-detail.example"]
    outcome.count(detail, "the refusal of a listed host has lost its detail")
    written = target.serving.log_file.stat().st_size - size
    outcome.note(f"log grew by {written / 1000:.0f} KB")
    outcome.count(written < MOST_LOG, f"the log grew by {written} bytes")


def guessing(target: Target, outcome: Outcome) -> None:
    """Forty guesses at once from one address, again and again, beside the desk's own login from there."""
    password = target.password()
    with target.desk(password):
        pass
    checked = [0]
    lock = threading.Lock()

    def guess(place: int) -> None:
        with target.speaking(gateway=True) as talk:
            talk.reply()
            talk.ask("EHLO desk.example")
            talk.ask("STARTTLS")
            talk.secure(lenient())
            talk.ask("EHLO desk.example")
            for number in range(3):
                reply = talk.ask(f"AUTH PLAIN {plain(CLIENT, f'guess {place} {number}')}")
                with lock:
                    checked[0] += reply.startswith("535")
                if not reply.startswith(("535", "454")):
                    return

    for _ in range(2):
        together(40, guess)
        outcome.tried += 40
        outcome.held += 40
    outcome.note(f"{checked[0]} of 240 guesses were looked at")
    outcome.count(checked[0] <= 60, f"{checked[0]} guesses were looked at")
    try:
        with target.desk(password) as talk:
            outcome.count(talk.ask("NOOP").startswith("250"), "the desk's session")
    except (OSError, ConnectionError) as error:
        outcome.count(False, f"the desk at the same address is locked out: {error}")


def tiny_packets(target: Target, outcome: Outcome) -> None:
    """Content of a listed host in packets of one byte, four at a time."""
    sent = [0] * 4
    until = time.monotonic() + target.seconds

    def dribble(place: int) -> None:
        with target.talk(LISTED_TOO) as talk:
            talk.start_mail(sender="a@support.facebook.com")
            talk.ask("DATA")
            while time.monotonic() < until:
                sent[place] += talk.sock.send(b"a" if sent[place] % 70 else b"\n")

    together(len(sent), dribble)
    outcome.tried += len(sent)
    outcome.held += len(sent)
    outcome.note(f"{sum(sent) / target.seconds:.0f} packets a second")


def commands(target: Target, outcome: Outcome) -> None:
    """Commands without end, pipelined."""
    until = time.monotonic() + target.seconds
    answered = [0] * 4

    def babble(place: int) -> None:
        while time.monotonic() < until:
            with target.talk(stranger(place)) as talk:
                talk.ask("EHLO x.example")
                for _ in range(20):
                    talk.send(b"NOOP\r\n" * 100)
                    for _ in range(100):
                        if not talk.reply():
                            return
                        answered[place] += 1

    together(len(answered), babble)
    outcome.tried += 1
    outcome.held += 1
    outcome.note(f"{sum(answered) / target.seconds:.0f} commands a second")
    reply = target.good(LISTED_TOO)
    outcome.count(reply.startswith(STORED), f"good mail: {reply!r}")
