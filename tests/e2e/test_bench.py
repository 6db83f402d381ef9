"""The benchmark runs and tells what it promises; its figures are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_measures_hostile_mail_and_records():
    kinds = ["body of words", "key of 11 KB", "ten includes of such"]
    script = [sys.executable, str(ROOT / "bench" / "hostile.py"), "--megabytes", "2", *kinds]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:]]
    assert [row[:2] for row in rows] == [[kinds[0], "pass"], [kinds[1], "policy"], [kinds[2], "permerror"]]


def test_it_sets_the_full_line_beside_a_bare_server():
    script = [sys.executable, str(ROOT / "bench" / "intake.py"), "--json", "--processes", "1"]
    few = ["--rounds", "1", "--mails", "4", "--photos", "1", "--clients", "2"]
    done = subprocess.run([*script, *few], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row["shape"] for row in told["summary"]] == [
        "3 KB, new connection",
        "3 KB, reused connection",
        "4 MB photo",
    ]
    for row in told["summary"]:
        assert row["ratio"] == row["full"]["per_second"] / row["bare"]["per_second"] > 0
    assert {run["server"] for run in told["runs"]} == {"bare", "full"}
