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
from itertools import groupby
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
    from relaydesk.store import AgentRole

AGENT = "demo"
TEAM: dict[str, tuple[str, AgentRole]] = {
    "mia": ("Mia", "agent"),
    "owner": ("The owner", "admin"),
}  # who else works in the demo shop
UNDO_SECONDS = 10  # within which an answer can be taken back, where somebody is there to do it
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


def run(*, once: bool, port: int | None, web_port: int | None = None, every: bool = False) -> int:
    """The whole demo; the ports are the server's on loopback (default: free ones). The exit status.

    ``every`` lists each sample with its reply; without, each group of them has a line.

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
        config = stand.prepared(
            place,
            fixtures,
            stand.Ports(names, relay, port or 0, web_port or 0),
            undo_seconds=0 if once else UNDO_SECONDS,
        )
        _say("Starting the real server with the demo shop …")
        process = stack.enter_context(stand.serving(place, config))
        listening = stand.announced(process, place / stand.SERVER_LOG)
        shop = DemoShop(config, fixtures, listening, place / "relay", every)
        good = shop.show(cases)
        if once:
            return 0 if good else 1
        shop.invite()
        with contextlib.suppress(KeyboardInterrupt):
            _say(f"Serving on {HOST}:{listening.port} until Ctrl-C. Everything is in {place} until then.")
            process.wait()
            raise parts.SetupError(f"The server has stopped. {stand.last_lines(place / stand.SERVER_LOG)}")
    _say("\nStopped; all files are deleted.")
    return 0


@dataclass(slots=True)
class DemoShop:
    """The running demo: its settings file, the fixtures, where its server listens, and what came of it.

    ``relay`` is where the process that stands for Meta's relay keeps what it took; ``every`` sample is listed
    or each group of them.
    """

    config: Path
    fixtures: Path
    listening: stand.Listening
    relay: Path
    every: bool = False
    replies: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def show(self, cases: tuple[Case, ...]) -> bool:
        """Send every case, then print what a person looks at; whether all went as it should."""
        _say(f"It listens on {HOST}:{self.listening.port}; DNS comes from the fixtures. Now the samples.")
        with contextlib.closing(open_desk(load_settings(self.config))) as desk:
            imported = desk.orders.import_file(self.fixtures / "orders.csv", by=CONSOLE)
            _say(f"{imported.added} orders are in the shop's directory.")
            desk.agents.add(AGENT, display_name="Robin", role="lead", by=CONSOLE)
            for name, (display_name, role) in TEAM.items():
                desk.agents.add(name, display_name=display_name, role=role, by=CONSOLE)
            self._send_all(desk, cases)
            answered = _sender_ticket(desk, cases[0].last)
            well = [self._answer(desk, answered, cases[0].last), self._look(desk)]
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

    def _look(self, desk: Desk) -> bool:
        """Work on two more tickets, then show the queues by their command."""
        elsewhere, handled = _newest(desk, ELSEWHERE), _newest(desk, CLAIMED)
        now = utc_now().isoformat(timespec="seconds")
        how = "Nothing to do: the buyer was paid back."
        well = [
            self._command("ticket", str(elsewhere), "--answered-outside", now, "--as", AGENT),
            self._command("ticket", str(handled), "--handled", now, "--how", how, "--as", AGENT),
            self._command("queue"),
        ]
        return all(well)

    def _send_all(self, desk: Desk, cases: tuple[Case, ...]) -> None:
        secret = load_settings(self.config).secret
        for group, members in groupby(cases, lambda case: case.name[0]):
            title = GROUPS.get(group, "More")
            if self.every:
                _say(_paint(f"\n{title}", _BOLD))
            before = self.replies.copy()
            for case in members:
                for step in case.steps:
                    self._do(desk, case, step, secret)
            if not self.every:
                _say(f"  {title:24} {_totals(self.replies - before)}")
        ending = f"not as expected: {', '.join(self.wrong)}" if self.wrong else "every reply as expected"
        _say(f"{self.replies.total()} messages: {_totals(self.replies)}; {ending}.")

    def _do(self, desk: Desk, case: Case, step: Step, secret: str) -> None:
        """One step of a case: an agent's act, or a message and its reply. ``secret`` seals our addresses."""
        if step.act == "close":
            desk.tickets.close(_sender_ticket(desk, case.steps[0]), by=agent_actor(AGENT))
            if self.every:
                _say(f"  {'':4}before: an agent closes the ticket")
            return
        ticket = _sender_ticket(desk, case.steps[0]) if "{bounce}" in step.rcpt else 0
        mail = composed_mail(step, utc_now(), self.fixtures / "keys", secret=secret, ticket=ticket)
        reply = asyncio.run(send_composed(mail, HOST, self.listening.port))
        self.replies[reply[0]] += 1
        title = case.name if step is case.last else f"{'':4}before: a message"
        expected = _wanted(step)
        odd = "" if reply.startswith(expected) else f"   EXPECTED {expected}"
        if self.every or odd:
            _say(f"  {title:42} {_paint(reply, _COLOURS.get(reply[0], ''))}{odd}")
        if odd:
            self.wrong.append(case.name)

    def _command(self, *arguments: str) -> bool:
        """Run one of the real commands on the demo's settings, for the user to see; whether it went well."""
        _say(_paint(f"\n$ relaydesk {' '.join(arguments)}", _BOLD))
        command = stand.command(self.config, *arguments)
        return subprocess.run(command, check=False, env=stand.environment()).returncode == 0  # noqa: S603 - ourselves

    def invite(self) -> None:
        """Where to look: the desk in a browser first, then commands."""
        with contextlib.closing(open_desk(load_settings(self.config))) as desk:
            links = {
                name: f"{self.listening.web}/enter/{desk.accounts.link(name, by=CONSOLE, kind='direct')}"
                for name in (AGENT, "owner")
            }
        ours = Path(sys.executable).with_name("relaydesk")
        run = f"{ours if ours.exists() else 'relaydesk'} --config {self.config}"
        heading = _paint("Open the desk in a browser", _BOLD)
        _say(f"""
{heading}; each link lets in once, and answers wait {UNDO_SECONDS} s for an undo:
  {links[AGENT]}   # as Robin, a lead
  {links["owner"]}   # as the owner, who sees the admin pages
Or look from another terminal:
  {run} queue all
  {run} ticket 1       # a ticket with its evidence and its answer
  {run} report sla     # how well the shop answers
  {run} refusals       # what was refused or deferred, and why
The samples are in {self.fixtures / "cases"}; each says in why.md what it is for.
""")


def _totals(replies: Counter[str]) -> str:
    """How many of each outcome, by the first digits of the replies."""
    names = {"2": "accepted", "5": "refused", "4": "deferred"}
    return ", ".join(f"{replies[digit]} {name}" for digit, name in names.items() if replies[digit])


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
