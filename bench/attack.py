# ruff: noqa: E402 - a script: it finds the project around itself before it imports from it
"""Attacks on a real ``relaydesk serve`` on loopback: what was tried, what held, what good mail felt of it.

    python bench/attack.py [--database sqlite|postgresql|both] [--json] [NAME ...]

Each attack is bounded in count and time and has a ``serve`` of its own. NAME is a part of an attack's name;
without one all are made. Good mail is timed alone and beside the attack: milliseconds from connect to 250.
Exit status 1 when anything did not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "src")]

from relaydesk_testkit.campaign.attacks import ATTACKS, ZONE
from relaydesk_testkit.campaign.run import Result, run

ROW = "| {:<34} | {:<10} | {:>5} | {:>5} | {:>9} | {:>10} | {:>11} | {} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each attack")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    attacks = [
        attack
        for attack in ATTACKS
        if not options.names or any(name in attack.name for name in options.names)
    ]
    engines = ("sqlite", "postgresql") if options.database == "both" else (options.database,)
    if not options.json:
        print(
            ROW.format("attack", "database", "tried", "held", "p95 alone", "p95 beside", "worst beside", "")
        )
        print(ROW.format(*["---"] * 8))
    problems = 0
    with tempfile.TemporaryDirectory(prefix="relaydesk-attack-") as scratch:
        for engine in engines:
            for result in run(attacks, engine, Path(scratch) / engine, zone=ZONE):
                problems += len(result.outcome.problems)
                print(json.dumps(result.figures()) if options.json else _line(result), flush=True)
    return 1 if problems else 0


def _line(result: Result) -> str:
    outcome = result.outcome
    shown = [f"{result.alone.p95:.0f}", f"{result.beside.p95:.0f}", f"{result.beside.worst:.0f}"]
    times = shown if result.beside.codes else ["", "", ""]
    notes = [*outcome.notes, *(f"PROBLEM: {problem[:200]}" for problem in outcome.problems[:4])]
    return ROW.format(result.attack, result.database, outcome.tried, outcome.held, *times, "; ".join(notes))


if __name__ == "__main__":
    sys.exit(main())
