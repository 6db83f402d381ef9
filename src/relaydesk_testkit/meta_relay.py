"""A process that stands for Meta's relay: takes each message and writes it, with its envelope, to a file.

``python -m relaydesk_testkit.meta_relay DIRECTORY`` says its port on standard output and runs until it is
killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from relaydesk_testkit.nexthop import NextHopServer, Taken


class Writing(list[Taken]):
    """Writes each message down before its 250 is told."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory

    def append(self, taken: Taken) -> None:
        super().append(taken)
        name = self.directory / f"{len(self):04}"
        name.with_suffix(".eml").write_bytes(taken.raw)
        envelope = json.dumps({"mail_from": taken.mail_from, "rcpt": taken.rcpt})
        name.with_suffix(".part").write_text(envelope)
        name.with_suffix(".part").rename(name.with_suffix(".json"))  # complete once it has this name


async def main(directory: Path) -> None:
    async with NextHopServer(taken=Writing(directory)) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
