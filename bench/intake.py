# ruff: noqa: E402 - a script: it finds the project around itself before it imports from it
"""Messages a second through the full line, beside a bare aiosmtpd that accepts and drops.

    python bench/intake.py [--database sqlite|postgresql] [--processes N] [--json]

Both are run in turn, round by round, with as many processes each, by one load generator in a process of
its own; the figures are medians over the rounds. The full line is the real ``relaydesk serve``: every message
is new and signed, is authenticated over DNS on loopback, sorted, opens a ticket with its clock and
is synced to disk before its 250. Processor milliseconds are those of the server processes, for one message;
they say more than messages a second where generator and servers share the processors.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "src")]

from relaydesk_testkit import postgres
from relaydesk_testkit.buyers import ZONE, Mail, mail
from relaydesk_testkit.serving import Serving
from relaydesk_testkit.soundness import backends
from relaydesk_testkit.zones import dns_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SMALL = 3_000  # bytes
PHOTO = 3_000_000  # bytes before base64, which makes 4.1 MB of them
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of load."""

    name: str
    how: str  # new or reused connections
    mails: int
    clients: int
    photo: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """What one measurement gave. Latencies and processor times are milliseconds for one message."""

    shape: str
    server: str
    per_second: float
    median_ms: float
    p95_ms: float
    processor_ms: float
    generator_ms: float


@dataclass(slots=True)
class Contestant:
    """One server under load: where it listens, and which processes are its own."""

    name: str
    port: int
    pids: Callable[[], Sequence[int]]


def measure(server: Contestant, shape: Shape, mails: Path) -> Run:
    """One load on one server. RuntimeError when anything but 250 came back."""
    before = _processor_seconds(server.pids())
    arguments = [str(server.port), shape.how, str(shape.clients), str(mails)]
    done = subprocess.run(
        [sys.executable, str(HERE / "load.py"), *arguments], capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"The load generator failed: {done.stderr.decode()[-500:]}")
    told = json.loads(done.stdout)
    if told["codes"] != {"250": shape.mails}:
        raise RuntimeError(f"{server.name} did not take all mail of {shape.name!r}: {told['codes']}")
    each = told["each"]
    return Run(
        shape=shape.name,
        server=server.name,
        per_second=shape.mails / told["seconds"],
        median_ms=1000 * statistics.median(each),
        p95_ms=1000 * each[int(0.95 * (len(each) - 1))],
        processor_ms=1000 * (_processor_seconds(server.pids()) - before) / shape.mails,
        generator_ms=1000 * told["generator_seconds"] / shape.mails,
    )


def _processor_seconds(pids: Sequence[int]) -> float:
    """User and system time so far (proc(5): fields 14 and 15 of stat)."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


@contextlib.contextmanager
def bare(processes: int) -> Iterator[Contestant]:
    """The bare aiosmtpd, in so many processes on one port."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))  # bound and never listening: it keeps the port for them
        port = held.getsockname()[1]
        running = []
        try:
            for _ in range(processes):
                command = [sys.executable, str(HERE / "bare.py"), str(port)]
                running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            for one in running:
                if one.stdout is None or one.stdout.readline() != "ready\n":
                    raise RuntimeError("The bare aiosmtpd did not start.")
            yield Contestant("bare", port, lambda: [one.pid for one in running])
        finally:
            for one in running:
                one.kill()
                one.communicate()


@contextlib.contextmanager
def full(processes: int, database: str, directory: Path) -> Iterator[Contestant]:
    """The real ``relaydesk serve`` on a new store, with its own name server."""
    with contextlib.ExitStack() as stack:
        nameserver = stack.enter_context(name_server())
        url = f"sqlite:///{directory / 'relaydesk.db'}"
        if database == "postgresql":
            server = postgres.Server()
            stack.callback(server.remove)
            server.start()
            url = server.url()
        serving = stack.enter_context(Serving(directory, url, nameserver, doors=processes, sweep_seconds=5))

        def pids() -> list[int]:
            return [*serving.children("door"), *(backends(url) if database == "postgresql" else ())]

        yield Contestant("full", serving.port, pids)


@contextlib.contextmanager
def name_server() -> Iterator[str]:
    with dns_server(ZONE, ttl=3600) as server:
        yield server.address


def prepared(shape: Shape, first: int, file: Path) -> None:
    """Writes the signed mails of one round for the load generator."""
    picture = os.urandom(PHOTO) if shape.photo else b""
    mails = (mail(number, size=SMALL, photo=picture) for number in range(first, first + shape.mails))
    file.write_bytes(pickle.dumps([_told(one) for one in mails]))


def _told(one: Mail) -> tuple[str, str, bytes]:
    return one.mail_from, one.rcpt, one.raw + b".\r\n"


def compare(options: argparse.Namespace, scratch: Path) -> list[Run]:
    """All rounds: every shape on both servers, which of them comes first taking turns."""
    shapes = (
        Shape("3 KB, new connection", "new", options.mails, options.clients),
        Shape("3 KB, reused connection", "reused", options.mails, options.clients),
        Shape("4 MB photo", "reused", options.photos, min(options.clients, options.photos), photo=True),
    )
    runs: list[Run] = []
    number, file = 0, scratch / "mails"
    with bare(options.processes) as dropping, full(options.processes, options.database, scratch) as line:
        for turn in range(-1, options.rounds):
            for shape in shapes:
                prepared(shape, number, file)
                number += shape.mails
                pair = (dropping, line) if turn % 2 else (line, dropping)
                found = [measure(one, shape, file) for one in pair]
                if turn >= 0:  # the first round only warms up
                    runs += found
            print(f"round {turn + 1} of {options.rounds}", file=sys.stderr, flush=True)
    return runs


def summary(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Medians by shape, and the ratio of the full line to the bare server."""
    rows = []
    for shape in dict.fromkeys(run.shape for run in runs):
        row: dict[str, Any] = {"shape": shape}
        for server in ("bare", "full"):
            mine = [run for run in runs if (run.shape, run.server) == (shape, server)]
            row[server] = {
                name: statistics.median(getattr(run, name) for run in mine)
                for name in ("per_second", "median_ms", "p95_ms", "processor_ms", "generator_ms")
            }
            row[server]["range"] = [min(r.per_second for r in mine), max(r.per_second for r in mine)]
        row["ratio"] = row["full"]["per_second"] / row["bare"]["per_second"]
        rows.append(row)
    return rows


def machine(scratch: Path) -> dict[str, Any]:
    """What the figures depend on beside the program."""
    with (scratch / "synced").open("wb", buffering=0) as file:
        started = time.perf_counter()
        for _ in range(50):
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
        sync = (time.perf_counter() - started) / 50
    return {
        "processors": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "sync_ms": 1000 * sync,
    }


def _print(rows: Sequence[dict[str, Any]], about: dict[str, Any], options: argparse.Namespace) -> None:
    print(
        f"{options.processes} processes each, {options.database}, medians of {options.rounds} rounds; "
        f"{about['processors']} processors, load {about['load_before']:.1f} before, "
        f"one sync {about['sync_ms']:.2f} ms, Python {about['python']}"
    )
    print(f"{'messages a second':<26}{'bare':>8}{'full':>8}{'ratio':>8}{'range of full':>18}", end="")
    print(f"{'p95 ms':>9}{'CPU ms bare':>13}{'CPU ms full':>13}")
    for row in rows:
        one, two = row["bare"], row["full"]
        low, high = two["range"]
        print(
            f"{row['shape']:<26}{one['per_second']:>8.1f}{two['per_second']:>8.1f}{row['ratio']:>8.3f}",
            end="",
        )
        print(f"{f'{low:.1f} to {high:.1f}':>18}{two['p95_ms']:>9.1f}", end="")
        print(f"{one['processor_ms']:>13.2f}{two['processor_ms']:>13.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--processes", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--clients", type=int, default=8, help="connections at one time")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mails", type=int, default=200, help="small mails in one round and shape")
    parser.add_argument("--photos", type=int, default=12, help="mails with a photo in one round")
    parser.add_argument("--json", action="store_true", help="print one JSON object with every run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="relaydesk-bench-") as scratch:
        about = machine(Path(scratch))
        runs = compare(options, Path(scratch))
    rows = summary(runs)
    if options.json:
        print(json.dumps({"machine": about, "summary": rows, "runs": [asdict(run) for run in runs]}))
    else:
        _print(rows, about, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
