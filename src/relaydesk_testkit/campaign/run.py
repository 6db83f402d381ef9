"""Runs attacks one after the other, each on a ``serve`` of its own, with good mail beside it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from relaydesk_testkit import postgres
from relaydesk_testkit.buyers import ZONE
from relaydesk_testkit.campaign.attack import Outcome
from relaydesk_testkit.campaign.good import GoodMail, Timed
from relaydesk_testkit.campaign.target import LISTS, Target, certificate
from relaydesk_testkit.serving import Serving
from relaydesk_testkit.soundness import unsound
from relaydesk_testkit.zones import dns_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from relaydesk_testkit.campaign.attack import Attack

ALONE_SECONDS = 3.0
WARM_UP = 20  # mails, so that caches and connections are there


@dataclass(frozen=True, slots=True)
class Result:
    """One attack on one database; ``alone`` and ``beside`` are the good mail before it and during it."""

    attack: str
    database: str
    outcome: Outcome
    alone: Timed
    beside: Timed

    def figures(self) -> dict[str, Any]:
        """The result as one flat object."""
        figures = {"attack": self.attack, "database": self.database, **asdict(self.outcome)}
        for when, timed in (("alone", self.alone), ("beside", self.beside)):
            figures |= {
                f"{when}_mails": sum(timed.codes.values()),
                f"{when}_p95_ms": round(timed.p95, 1),
                f"{when}_worst_ms": round(timed.worst, 1),
                f"{when}_not_taken": timed.refused,
            }
        return figures


@contextlib.contextmanager
def database_of(engine: str, scratch: Path) -> Iterator[Callable[[str], str]]:
    """What gives a new database of an engine for each name."""
    if engine == "sqlite":
        yield lambda name: f"sqlite:///{scratch / name}.db"
        return
    server = postgres.Server()
    try:
        server.start()

        def new(name: str) -> str:
            postgres.execute(server.url(), f'CREATE DATABASE "{name}"')
            head, _, query = server.url().partition("?")
            return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")

        yield new
    finally:
        server.remove()


def run(
    attacks: Sequence[Attack],
    engine: str,
    scratch: Path,
    *,
    zone: dict[str, list[object]] | None = None,
    alone: bool = True,
    doors: int = 2,
) -> Iterator[Result]:
    """The results, one by one. ``zone`` is added to that of the good mail, which is timed ``alone`` too.

    ``doors`` are the listener processes that are attacked.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with database_of(engine, scratch) as new, dns_server({**ZONE, **(zone or {})}, ttl=3600) as server:
        for number, attack in enumerate(attacks):
            if engine in attack.engines:
                url = new(f"attack{number}")
                place = scratch / f"{number}"
                yield _one(attack, engine, place, url, server.address, timed_alone=alone, doors=doors)


def _one(
    attack: Attack,
    engine: str,
    directory: Path,
    url: str,
    nameserver: str,
    *,
    timed_alone: bool,
    doors: int,
) -> Result:
    outcome, alone, beside = Outcome(), Timed(), Timed()
    settings = {**certificate(directory), **attack.settings}
    serving = Serving(
        directory,
        url,
        nameserver,
        doors=doors,
        lists=LISTS,
        descriptors=attack.descriptors,
        **settings,  # type: ignore[arg-type]
    )
    with serving:
        target = Target(serving, attack.seconds)
        outcome.count(target.works(), "good mail is not taken before the attack")
        if attack.beside and timed_alone:
            for _ in range(WARM_UP):
                target.good()
            before = GoodMail(serving.port, 1)
            time.sleep(ALONE_SECONDS)
            alone = before.stop()
        during = GoodMail(serving.port, 100_000) if attack.beside else None
        try:
            attack.run(target, outcome)
        except Exception as error:  # the campaign goes on
            outcome.count(False, f"the attack broke off: {type(error).__name__}: {error}")
        finally:
            beside = during.stop() if during is not None else beside
        if attack.beside:
            outcome.count(not beside.refused, f"good mail was not taken: {beside.refused}")
        outcome.count(target.works(), "good mail is not taken after the attack")
        # Mail without an order number is what attackers send.
        half = [problem for problem in unsound(url) if "order number" not in problem]
        outcome.count(not half, f"half rows: {half}")
        traces = serving.log_file.read_text(errors="replace").count("Traceback (most recent call last)")
        outcome.count(not traces, f"{traces} tracebacks in the log")
    return Result(attack.name, engine, outcome, alone, beside)
