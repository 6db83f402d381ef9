"""What the tests of the pages share: a full desk, its pages, and a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relaydesk_testkit.full_desk import full_desk
from relaydesk_testkit.pages import DeskPages, NoBrowser, chromium, in_ci

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from relaydesk.store.engine import Store


@pytest.fixture
def pages(sqlite_store: Store) -> DeskPages:
    """The pages of a full desk on a fresh database."""
    return DeskPages(full_desk(sqlite_store))


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
