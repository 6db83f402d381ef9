"""The systemd unit: its figures agree with the settings' defaults, and systemd reads it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from relaydesk.config.settings import Settings
from relaydesk.server.inherited import STORE_LOST

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "relaydesk.service"
DEFAULTS = Settings()


def values() -> dict[str, list[str]]:
    """Every directive with its values, in order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_its_figures_agree_with_the_settings() -> None:
    unit = values()
    (stop,), (files,), (memory,) = unit["TimeoutStopSec"], unit["LimitNOFILE"], unit["MemoryMax"]
    assert int(stop) > DEFAULTS.drain_seconds + 5
    # Both doors full in one process, twice over for pools, look-ups, pipes and logs.
    assert int(files) >= 4 * DEFAULTS.limits.connections
    most_received = DEFAULTS.limits.concurrent_data * DEFAULTS.limits.message_bytes
    assert int(memory.removesuffix("M")) * 1_000_000 >= most_received
    assert str(STORE_LOST) not in unit["RestartPreventExitStatus"]


def test_it_is_hardened_and_can_do_what_it_must() -> None:
    unit = values()
    for name, value in {
        "Type": "notify",
        "UMask": "0077",
        "User": "relaydesk",
        "StateDirectoryMode": "0700",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE",
        "AmbientCapabilities": "CAP_NET_BIND_SERVICE",
        "Restart": "on-failure",
        "ExecReload": "/bin/kill -HUP $MAINPID",
        "KillMode": "mixed",
    }.items():
        assert unit[name] == [value], name
    allowed = " ".join(unit["SystemCallFilter"])
    assert "@system-service" in allowed
    for call in ("setrlimit", "prlimit64", "setpriority"):  # the processes that decide bound themselves
        assert call in allowed.partition("~")[2]


def test_the_guide_names_it_and_its_figures() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "deploy/relaydesk.service" in guide
    for name in ("TimeoutStopSec", "LimitNOFILE", "MemoryMax", "UMask"):
        assert f"`{name}`" in guide


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_reads_it(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    text = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text)
    (tmp_path / UNIT.name).write_text(re.sub(r"(User|Group)=\w+", r"\1=root", text))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / UNIT.name)],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert complaints == [], done.stderr
