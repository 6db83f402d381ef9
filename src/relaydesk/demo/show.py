"""The course of the demo: start, send, answer, look, and serve on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk.config import load_settings, open_desk, parts, utc_now
from relaydesk.data import data_path
from relaydesk.demo import arrival, stand
from relaydesk.demo.stand import HOST
from relaydesk.desk import CONSOLE, agent_actor
from relaydesk.dns import parse_zone
from relaydesk.message import parse_message
from relaydesk.samples import common_zone, composed_mail, load_cases, send_composed

if TYPE_CHECKING:
    from relaydesk.desk import Desk
    from relaydesk.samples import Case, Step

AGENT = "demo"
CLAIMED = "371202934455811"  # an order that a claim of the samples names
ELSEWHERE = (
    "case++bq7t2mmx9k4c1d@support.facebook.com"  # a buyer of the samples who was answered in Facebook's inbox
)
GROUPS = {
    "1": "Genuine mail",
    "2": "Signatures and SPF",
    "3": "The policy, row by row",
    "4": "By way of relays",
    "5": "Look-alikes",
    "6": "Hostile MIME",
    "7": "Conversations",
}
_COLOURS = {"2": "32", "4": "33", "5": "31"}
_BOLD = "1"


def run(*, once: bool, port: int | None) -> int:
    """The whole demo; ``port`` is the server's on loopback (default: a free one). The exit status.

    With ``once`` it ends by itself: 0 if every reply was as the case expects, every command went well, and
    the answer arrived at the right address with a signature that passes and stopped the clock.
    Without, it serves until Ctrl-C.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    # A shell starts what it puts into the background with SIGINT ignored; it still ends us, as for `serve`.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fixtures = data_path("fixtures")
    cases = load_cases(fixtures)
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relaydesk-demo-")))
        zone = parse_zone({**common_zone(cases), **stand.signing_key(place)})
        names = stack.enter_context(stand.answering(zone))
        relay = stack.enter_context(stand.relaying(place, place / "relay"))
        config = stand.prepared(place, fixtures, names, relay, port or 0)
        _say("Starting the real server with the demo shop …")
        process = stack.enter_context(stand.serving(place, config))
        port = stand.announced_port(process, place / stand.SERVER_LOG)
        shop = DemoShop(config, fixtures, port, place / "relay")
        good = shop.show(cases)
        if once:
            return 0 if good else 1
        with contextlib.suppress(KeyboardInterrupt):
            _say(f"Serving on {HOST}:{shop.port} until Ctrl-C. Everything is in {place} until then.")
            process.wait()
            raise parts.SetupError(f"The server has stopped. {stand.last_lines(place / stand.SERVER_LOG)}")
    _say("\nStopped; all files are deleted.")
    return 0


@dataclass(slots=True)
class DemoShop:
    """The running demo: its settings file, the fixtures, the port of its server, and what came of it.

    ``relay`` is where the process that stands for Meta's relay keeps what it took.
    """

    config: Path
    fixtures: Path
    port: int
    relay: Path
    replies: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def show(self, cases: tuple[Case, ...]) -> bool:
        """Send every case, then print what a person looks at; whether all went as it should."""
        _say(f"It listens on {HOST}:{self.port}; DNS comes from the fixtures. Now the samples, one by one.")
        with contextlib.closing(open_desk(load_settings(self.config))) as desk:
            imported = desk.orders.import_file(self.fixtures / "orders.csv", by=CONSOLE)
            _say(f"{imported.added} orders are in the shop's directory.")
            desk.agents.add(AGENT, display_name="Robin", role="lead", by=CONSOLE)
            self._send_all(desk, cases)
            answered = _sender_ticket(desk, cases[0].last)
            well = [self._answer(desk, answered, cases[0].last), self._look(desk, answered)]
        self._advise(answered)
        return all(well) and not self.wrong

    def _answer(self, desk: Desk, ticket: int, question: Step) -> bool:
        """Answer a ticket by the real command; whether the right thing arrived and the clock stopped."""
        if not self._command("answer", str(ticket), "--template", "acknowledgement", "--as", AGENT):
            return False
        arrived = arrival.awaited(self.relay, load_settings(self.config).nameservers, utc_now)
        if arrived is None:
            _say("Nothing arrived at Meta's relay.")
            return False
        _say(_paint("\nWhat arrived at Meta's relay, a process of its own:", _BOLD))
        _say("\n".join(arrived.lines()))
        wrong = arrived.objections(question.expected["relay_address"], question.expected["order_ids"][0])
        clock = arrival.stopped(desk, ticket)
        if clock is None or clock.stopped_at is None:
            wrong.append(f"The response clock of ticket {ticket} runs on.")
        else:
            at = clock.stopped_at.isoformat(sep=" ", timespec="seconds")
            _say(f"With the relay's 250 the response clock of ticket {ticket} stopped: {at}.")
        if wrong:
            _say(f"NOT AS EXPECTED: {' '.join(wrong)}")
        return not wrong

    def _look(self, desk: Desk, answered: int) -> bool:
        """Work on two more tickets, then show tickets, queues and report by their commands."""
        elsewhere, handled = _newest(desk, ELSEWHERE), _newest(desk, CLAIMED)
        now = utc_now().isoformat(timespec="seconds")
        how = "Nothing to do: the buyer was paid back."
        well = [
            self._command("ticket", str(answered)),
            self._command("ticket", str(elsewhere), "--answered-outside", now, "--as", AGENT),
            self._command("ticket", str(handled), "--handled", now, "--how", how, "--as", AGENT),
            self._command("queue"),
            self._command("queue", "all", "--limit", "100"),
            self._command("report", "sla"),
        ]
        return all(well)

    def _send_all(self, desk: Desk, cases: tuple[Case, ...]) -> None:
        group = ""
        for case in cases:
            if case.name[0] != group:
                group = case.name[0]
                _say(_paint(f"\n{GROUPS.get(group, 'More')}", _BOLD))
            for step in case.steps:
                self._do(desk, case, step)
        counts = self.replies
        totals = f"{counts['2']} accepted, {counts['5']} refused, {counts['4']} deferred"
        ending = f"not as expected: {', '.join(self.wrong)}" if self.wrong else "every reply as expected"
        _say(f"\n{counts.total()} messages: {totals}; {ending}.")

    def _do(self, desk: Desk, case: Case, step: Step) -> None:
        """One step of a case: an agent's act, or a message and its reply."""
        if step.act == "close":
            desk.tickets.close(_sender_ticket(desk, case.steps[0]), by=agent_actor(AGENT))
            _say(f"  {'':4}before: an agent closes the ticket")
            return
        ticket = _sender_ticket(desk, case.steps[0]) if "{bounce}" in step.rcpt else 0
        secret = load_settings(self.config).secret
        mail = composed_mail(step, utc_now(), self.fixtures / "keys", secret=secret, ticket=ticket)
        reply = asyncio.run(send_composed(mail, HOST, self.port))
        self.replies[reply[0]] += 1
        title = case.name if step is case.last else f"{'':4}before: a message"
        expected = _wanted(step)
        odd = "" if reply.startswith(expected) else f"   EXPECTED {expected}"
        _say(f"  {title:42} {_paint(reply, _COLOURS.get(reply[0], ''))}{odd}")
        if odd:
            self.wrong.append(case.name)

    def _command(self, *arguments: str) -> bool:
        """Run one of the real commands on the demo's settings, for the user to see; whether it went well."""
        _say(_paint(f"\n$ relaydesk {' '.join(arguments)}", _BOLD))
        command = stand.command(self.config, *arguments)
        return subprocess.run(command, check=False, env=stand.environment()).returncode == 0  # noqa: S603 - ourselves

    def _advise(self, ticket: int) -> None:
        ours = Path(sys.executable).with_name("relaydesk")
        run = f"{ours if ours.exists() else 'relaydesk'} --config {self.config}"
        _say(f"""
What to look at next, in another terminal:
  {run} ticket {ticket}       # a ticket with its evidence and its answer
  {run} outbox --all          # what went out, and when
  {run} queue case            # one queue, by deadline
  {run} report sla --format html -o sla.html   # the report to print
  {run} refusals              # what was refused or deferred, and why
The sent answers are in {self.relay}.
The samples are in {self.fixtures / "cases"}; each says in why.md what it is for.
""")


def _wanted(step: Step) -> str:
    """The beginning of the reply that the case expects here and now; a message before it is accepted."""
    starts = {"accepted": "250 ", "refused": "5", "deferred": "4"}
    expected = {**step.expected, **step.expected.get("demo", {})}
    return str(expected.get("reply") or starts[expected.get("outcome", "accepted")])


def _sender_ticket(desk: Desk, step: Step) -> int:
    """The newest ticket of the sender of a step's message, 0 for none."""
    return _newest(desk, parse_message(step.message).from_[0].addr.lower())


def _newest(desk: Desk, text: str) -> int:
    """The newest ticket of a relay address or an order, 0 for none."""
    newest_first = desk.search.tickets(text).tickets
    return newest_first[0].id if newest_first else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _paint(text: str, colour: str) -> str:
    """Coloured on a terminal only (https://no-color.org)."""
    if not colour or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"
