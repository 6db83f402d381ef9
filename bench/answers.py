"""The way out under trouble, for longer than the suite has time for.

    python bench/answers.py [--runs 300] [--kills 20] [--answers 2000] [--postgres URL] [--seed 1]

1. RUNS random runs of a next hop that is slow, breaks off at every phase and answers all that is documented.
2. ``kill -9`` of the dispatcher, KILLS times in the middle of its work.
3. Two dispatchers on one store: ANSWERS answers, each sent once.

All on SQLite; with --postgres (an empty database) 2 and 3 on PostgreSQL too. Ends with 1 when an answer was
lost or was doubled outside of the documented window.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src")]

from relaydesk.logs import configure  # noqa: E402
from relaydesk.store.engine import Store  # noqa: E402
from relaydesk_testkit.storms import killing, storm, together  # noqa: E402


def fresh(directory: str, name: str) -> tuple[Store, str]:
    url = f"sqlite:///{directory}/{name}.db"
    return Store.open(url, upgrade=True, lock_timeout=20), url


async def storms(directory: str, runs: int, seed: int) -> None:
    began, seen, doubled = time.monotonic(), Counter[str](), 0
    for run in range(runs):
        store, _ = fresh(directory, f"run{run}")
        server = await storm(store, seed + run, tickets=4, each=2)
        store.close()
        doubled += sum(copies - 1 for copies in server.copies().values())
        seen.update(word.split()[0] for word in server.commands)
    print(
        f"{runs} random runs, {runs * 8} answers, {seen['MAIL']} tries: none lost, {doubled} doubled after a "
        f"lost 250 with the same Message-ID ({time.monotonic() - began:.0f} s)"
    )


async def others(store: Store, url: str, options: argparse.Namespace) -> None:
    engine = url.partition(":")[0]
    began = time.monotonic()
    figures = await killing(
        store, url, seed=options.seed, kills=options.kills, answers=options.kills * 40, trouble=0.1
    )
    print(f"{engine}: kill -9 {options.kills} times: {figures} ({time.monotonic() - began:.0f} s)")


async def both(store: Store, url: str, options: argparse.Namespace) -> None:
    engine = url.partition(":")[0]
    began = time.monotonic()
    figures = await together(store, url, tickets=options.answers // 4, each=4)
    print(f"{engine}: two dispatchers: {figures} ({time.monotonic() - began:.0f} s)")


async def main(options: argparse.Namespace) -> None:
    configure("error", "json", Path(os.devnull).open("w"))  # noqa: SIM115, ASYNC230 - fails on purpose, loudly
    with tempfile.TemporaryDirectory(prefix="relaydesk-bench-") as directory:
        await storms(directory, options.runs, options.seed)
        stores = [fresh(directory, "killed"), fresh(directory, "two")]
        if options.postgres:
            stores += [(Store.open(one, upgrade=True), one) for one in options.postgres]
        for place, (store, url) in enumerate(stores):
            await (both if place % 2 else others)(store, url, options)
            store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--answers", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", nargs=2, metavar="URL", help="two empty databases")
    try:
        asyncio.run(main(parser.parse_args()))
    except AssertionError as lost:
        print(f"FAILED: {lost}", file=sys.stderr)
        raise SystemExit(1) from None
