"""What hostile mail and hostile DNS records cost: CPU, memory, and how long the event loop stands still.

python bench/hostile.py [--limit SECONDS] [--megabytes 36] [KIND ...]

Each kind runs in a process of its own, over a zone in memory, without the network; one that takes longer than
the limit is killed and shown so.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relaydesk.mailauth import check_spf, sign_dkim, verify_dkim
from relaydesk_testkit.signing import DOMAIN, SELECTOR, key, key_zone, over

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HEAD = b"From: a@" + DOMAIN.encode() + b"\r\nSubject: x\r\n"
KEY_NAME = f"{SELECTOR}._domainkey.{DOMAIN}"
SIGNATURE = b"DKIM-Signature: v=1; a=rsa-sha256; d=%b; s=%b; h=from" % (DOMAIN.encode(), SELECTOR.encode())
END = b"; bh=" + base64.b64encode(bytes(32)) + b"; b=" + base64.b64encode(bytes(128)) + b"\r\n"
Zone = dict[str, list[Any]]
Case = tuple[Any, Zone]


def filled(unit: bytes, size: int) -> bytes:
    return unit * (size // len(unit))


def bodies(size: int) -> dict[str, bytes]:
    return {
        "body of words": filled(b"one two three four five six seven eight nine ten eleven\r\n", size),
        "body of words in one line": filled(b"word ", size),
        "body of double blanks": filled(b"a  b\t\tc ", size),
        "body of blanks": b" " * size,
        "body of tabs and blanks": filled(b" \t", size),
        "body of short lines": filled(b"a\r\n", size),
        "body of blank lines": filled(b" \r\n", size),
        "body of line ends": filled(b"\r\n", size) + b"x",
        "body of bare CRs": b"\r" * size,
        "body of runs between words": filled(b"a b " * 8000 + b" " * 32_000, size),
    }


def signed(body: bytes, forms: tuple[str, ...] = ("relaxed/relaxed",)) -> Case:
    raw = HEAD + b"\r\n" + body
    for form in forms:
        raw = sign_dkim(raw, DOMAIN, SELECTOR, key(), headers=("From", "Subject"), canonicalization=form)
    return raw, key_zone()


def headers(size: int) -> dict[str, Callable[[], Case]]:
    body = filled(b"word ", size)
    huge = base64.b64encode(b"\x30\x82\x20\x0a" + bytes(8200)).decode()
    many = ("From",) + ("X-Many",) * 1000
    lines = b"".join(b"X-Many: %d\r\n" % number for number in range(1000))
    return {
        "forged signature over words": lambda: (
            SIGNATURE + b"; c=relaxed/relaxed" + END + HEAD + b"\r\n" + body,
            key_zone(),
        ),
        "five signatures over words": lambda: signed(
            body, ("relaxed/relaxed", "relaxed/simple") * 2 + ("simple/relaxed",)
        ),
        "no key, words": lambda: (signed(body)[0], {}),
        "key of 11 KB": lambda: (signed(b"x")[0], {KEY_NAME: [{"TXT": f"v=DKIM1; p={huge}"}]}),
        "signature of 20,000 tags": lambda: (
            SIGNATURE + b"".join(b";t%d=x" % n for n in range(20_000)) + END + HEAD + b"\r\n",
            key_zone(),
        ),
        "signature of 3,000 tags, five times": lambda: (
            (SIGNATURE + b"".join(b";t%d=x" % n for n in range(3000)) + END) * 5 + HEAD + b"\r\n",
            key_zone(),
        ),
        "signature of 1,300 folds, five times": lambda: (
            (SIGNATURE + b"; x=" + b"\r\n " * 1300 + END) * 5 + HEAD + b"\r\n",
            key_zone(),
        ),
        "1,000 fields, signed 1,000 times": lambda: (
            (SIGNATURE + b":x-many" * 1000 + b"; c=relaxed/relaxed" + END) * 5 + lines + HEAD + b"\r\n",
            key_zone(),
        ),
        "1,000 fields, one by one": lambda: (
            sign_dkim(lines + HEAD + b"\r\n", DOMAIN, SELECTOR, key(), headers=many),
            key_zone(),
        ),
        "field of 250,000 folds": lambda: (
            SIGNATURE + END + b"X: a" + b"\r\n x" * 250_000 + b"\r\n" + HEAD + b"\r\n",
            key_zone(),
        ),
        "header section of 12 MB": lambda: (
            SIGNATURE + END + b"a:\r\n" * 3_000_000 + HEAD + b"\r\n",
            key_zone(),
        ),
    }


def records() -> dict[str, Callable[[], Case]]:
    macros = "exists:" + "%{l}." * 12_000 + "example.com"
    inside = "v=spf1 " + " ".join(["exists:" + "%{l1r-}." * 61 + "d.com"] * 8)
    legal = "v=spf1 " + " ".join(["ip4:10.0.0.1"] * 300)

    def including(record: str) -> Zone:
        zone: Zone = {f"i{n}.example": [{"TXT": record + " ?all"}] for n in range(10)}
        return zone | {
            "d.example": [{"TXT": "v=spf1 " + " ".join(f"include:{name}" for name in zone) + " -all"}]
        }

    def hosts(terms: int, names: int, addresses: int) -> Zone:
        zone: Zone = {
            f"h{n}.example": [{"A": f"10.{n % 250}.{a % 250}.{a // 250}"} for a in range(addresses)]
            for n in range(terms * names)
        }
        for term in range(terms):
            zone[f"m{term}.example"] = [{"MX": [1, f"h{term * names + n}.example"]} for n in range(names)]
        return zone | {
            "d.example": [{"TXT": "v=spf1 " + " ".join(f"mx:m{n}.example" for n in range(terms)) + " -all"}]
        }

    sender = "-".join("ab" * 20) + "@d.example"
    return {
        "SPF record of 60 KB of macros": lambda: (sender, {"d.example": [{"TXT": f"v=spf1 {macros} -all"}]}),
        "ten includes of such": lambda: (sender, including(f"v=spf1 {macros}")),
        "ten includes of 4 KB of macros": lambda: (sender, including(inside)),
        "ten includes of 300 networks": lambda: (sender, including(legal)),
        "ten includes of 2,000 terms": lambda: (sender, including("v=spf1" + " x=" * 1300)),
        "ten mx of ten hosts of 1,000 addresses": lambda: (sender, hosts(10, 10, 1000)),
        "explanation of 60 KB of macros": lambda: (
            sender,
            {"d.example": [{"TXT": "v=spf1 -all exp=e.example"}], "e.example": [{"TXT": "%{s}" * 15_000}]},
        ),
    }


def kinds(size: int) -> dict[str, Callable[[], Case]]:
    each = bodies(size)
    return {name: (lambda body=body: signed(body)) for name, body in each.items()} | headers(size) | records()


async def measured(work: Callable[[], Awaitable[object]]) -> dict[str, Any]:
    """The work beside a task that wants to run every millisecond; its longest wait is the stall."""
    stalls, done = [0.0], asyncio.Event()

    async def watch() -> None:
        last = time.perf_counter()
        while not done.is_set():
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            stalls.append(now - last - 0.001)
            last = now

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    before, cpu = resident("VmRSS"), time.process_time()
    forget_the_peak()
    outcome = await work()
    spent = time.process_time() - cpu
    await asyncio.sleep(0.002)
    done.set()
    await watching
    results = outcome if isinstance(outcome, tuple) else (outcome,)
    words = sorted({result.result for result in results})  # type: ignore[attr-defined]
    return {
        "result": ", ".join(words),
        "cpu": spent,
        "stall": max(stalls),
        "memory": resident("VmHWM") - before,
    }


def forget_the_peak() -> None:
    """From here on the kernel's peak counts anew."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def resident(field: str) -> float:
    """Megabytes by the kernel's count."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


def run_one(name: str, size: int) -> None:
    subject, zone = kinds(size)[name]()
    resolver = over(zone)

    async def work() -> object:
        if isinstance(subject, str):
            return await check_spf("192.0.2.1", subject, "h.example", resolver)
        return await verify_dkim(subject, resolver, NOW)

    print(json.dumps(asyncio.run(measured(work))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--limit", type=float, default=60, help="seconds before a kind is given up")
    parser.add_argument("--megabytes", type=int, default=36, help="size of the bodies")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="default: all")
    chosen = parser.parse_args()
    if chosen.one:
        run_one(chosen.kinds[0], chosen.megabytes * 1_000_000)
        return
    print("| kind | result | CPU s | loop stall ms | peak memory MB |\n|---|---|---|---|---|")
    for name in chosen.kinds or kinds(1):
        command = [sys.executable, __file__, "--one", "--megabytes", str(chosen.megabytes), name]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=chosen.limit, check=True)
        except subprocess.TimeoutExpired:
            print(f"| {name} | given up after {chosen.limit:.0f} s | | | |", flush=True)
            continue
        except subprocess.CalledProcessError as failure:
            print(f"| {name} | {failure.stderr.splitlines()[-1][:80]} | | | |", flush=True)
            continue
        row = json.loads(answer.stdout)
        figures = f"{row['cpu']:.3f} | {row['stall'] * 1000:.0f} | {row['memory']:.0f}"
        print(f"| {name} | {row['result']} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
