"""The campaign in short: each of these attacks holds, and good mail beside it is taken.

Crowds and descriptors are in test_faults_crowds, logs in test_faults_log, disks in test_faults_store,
passwords in tests/smtp/test_gateway.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from relaydesk_testkit.campaign.attacks import ATTACKS, ZONE
from relaydesk_testkit.campaign.run import run

if TYPE_CHECKING:
    from pathlib import Path

NAMED = {attack.name: attack for attack in ATTACKS}
SHORT = ("refused recipients", "HTML that does something")


@pytest.mark.parametrize("name", SHORT)
def test_it_holds_against(name: str, tmp_path: Path):
    attack = replace(NAMED[name], seconds=1.0)
    [result] = run([attack], "sqlite", tmp_path, zone=ZONE, alone=False, doors=1)
    assert result.outcome.tried > 3
    assert result.outcome.problems == []
