# ruff: noqa: E402 - a script: it finds the project around itself before it imports from it
"""kill -9 at random moments under load: is anything lost, doubled or half written?

    python bench/kill.py --rounds 100 --database sqlite
    python bench/kill.py --rounds 30 --database postgresql

What a round does and what must hold after it stands in ``relaydesk_testkit.kill_rounds``. Exit status 1 when
any of it does not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "src")]

from relaydesk_testkit import postgres
from relaydesk_testkit.kill_rounds import Figures, run


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same kills again")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    options = parser.parse_args()
    print(f"seed {options.seed}", file=sys.stderr)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relaydesk-kill-")))
        server = None
        if options.database == "postgresql":
            server = postgres.Server()
            stack.callback(server.remove)
            server.start()
        figures = run(options.rounds, scratch, server, seed=options.seed, tell=_progress)
    if options.json:
        print(json.dumps(figures.__dict__))
    else:
        _print(figures)
    return 1 if figures.problems else 0


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print(figures: Figures) -> None:
    killed = ", ".join(f"{what} {count}" for what, count in sorted(figures.killed.items()))
    print(f"{figures.rounds} rounds on {figures.database} in {figures.seconds:.0f} s; killed: {killed}")
    print(f"{figures.sent} mails, {figures.acknowledged} acknowledged before the resend")
    print(f"{figures.stored_without_250} stored whose 250 never arrived; the resend found them")
    for problem in figures.problems[:20]:
        print(f"PROBLEM: {problem}")
    print(f"{len(figures.problems)} problems (lost, doubled, altered, half rows)")


if __name__ == "__main__":
    sys.exit(main())
