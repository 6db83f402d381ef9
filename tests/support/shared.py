"""Test data that lives outside the project: vectors and a corpus of real and hostile mail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("RELAYDESK_SHARED", ROOT.parent / "shared"))


def shared(path: str) -> Path:
    """The shared file or folder; skips the test with a plain word where it is absent."""
    file = SHARED / path
    if not file.exists():
        pytest.skip(f"shared test data {path} is not here; set RELAYDESK_SHARED to its folder")
    return file
