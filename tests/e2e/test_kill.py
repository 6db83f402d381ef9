"""kill -9 under load, in a few rounds; ``bench/kill.py`` does a hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk_testkit import kill_rounds

if TYPE_CHECKING:
    from pathlib import Path

    from relaydesk_testkit.postgres import Server

MAILS = 24  # a round


def test_it_loses_and_doubles_nothing_on_sqlite(tmp_path: Path):
    # An office that is killed is in test_faults_processes.
    figures = kill_rounds.run(2, tmp_path, seed=1, targets=("listener", "everyone"), mails=MAILS)
    assert figures.problems == []
    assert figures.sent == 2 * MAILS
    assert figures.acknowledged > 0


def test_it_loses_and_doubles_nothing_on_postgresql(tmp_path: Path, own_postgres: Server):
    figures = kill_rounds.run(
        2, tmp_path, own_postgres, seed=2, targets=("server", "listener"), mails=MAILS, doors=1
    )
    assert figures.problems == []
    assert figures.sent == 2 * MAILS
    assert figures.acknowledged > 0
