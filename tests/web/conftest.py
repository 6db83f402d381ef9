"""What the tests of the pages share: a full desk, its pages, and a browser."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from relaydesk.store.engine import Store
from relaydesk_testkit.full_desk import full_desk, reopened
from relaydesk_testkit.pages import DeskPages, NoBrowser, chromium, in_ci

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def full_file(made_once: Callable[[str, Callable[[Store], object]], Path]) -> Path:
    """The database of a full desk, which is filled once."""
    return made_once("full.db", full_desk)


@pytest.fixture
def pages(full_file: Path, tmp_path: Path) -> Iterator[DeskPages]:
    """The pages of a full desk, on a database of this test's own."""
    with _copy(full_file, tmp_path) as pages:
        yield pages


@pytest.fixture(scope="module")
def shared_pages(full_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPages]:
    """The same for all tests of a module: what one does, the next may see."""
    with _copy(full_file, tmp_path_factory.mktemp("desk")) as pages:
        yield pages


@contextmanager
def _copy(file: Path, place: Path) -> Iterator[DeskPages]:
    store = Store.open(f"sqlite:///{shutil.copy(file, place / 'relaydesk.db')}")
    try:
        yield DeskPages(reopened(store))
    finally:
        store.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser. Where there is none, CI fails and others are told.

    Of one module: its driver holds the event loop of this thread, which other tests want for themselves.
    """
    try:
        with chromium() as started:
            yield started
    except NoBrowser as problem:
        if in_ci():
            pytest.fail(str(problem))
        pytest.skip(str(problem))
