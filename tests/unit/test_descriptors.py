"""How many connections the file descriptors of a process allow."""

from __future__ import annotations

import io
import resource
from typing import TYPE_CHECKING

import pytest

from relaydesk.config.settings import Settings
from relaydesk.logs import configure
from relaydesk.server import descriptors
from relaydesk.server.descriptors import fitting_limits, raise_limit, warn_of_few

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], list[tuple[int, int]]]:
    """Lets the process have so many descriptors; the list is what it asks for."""

    def give(soft: int, hard: int) -> list[tuple[int, int]]:
        asked: list[tuple[int, int]] = []
        monkeypatch.setattr(descriptors.resource, "getrlimit", lambda _: (soft, hard))
        monkeypatch.setattr(descriptors.resource, "setrlimit", lambda _, limit: asked.append(limit))
        return asked

    return give


@pytest.mark.parametrize(
    ("soft", "hard", "asked"),
    [
        (1024, 524288, [(65536, 524288)]),
        (1024, 4096, [(4096, 4096)]),
        (1024, resource.RLIM_INFINITY, [(65536, resource.RLIM_INFINITY)]),
        (4096, 4096, []),
        (100_000, 200_000, []),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, []),
    ],
)
def test_it_takes_what_it_may_have_and_never_less_than_it_has(
    given: Callable[[int, int], list[tuple[int, int]]], soft: int, hard: int, asked: list[tuple[int, int]]
) -> None:
    calls = given(soft, hard)
    raise_limit()
    assert calls == asked


def conf(**more: object) -> Settings:
    return Settings(mailboxes=("help@shop.example",), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("soft", "gateway", "connections"),
    [
        (65536, False, 250),
        (65536, True, 250),
        (600, False, 250),
        (600, True, 172),
        (300, False, 150),
        (2, True, 1),
    ],
)
def test_connections_fit_the_descriptors_with_some_left_for_the_rest(
    given: Callable[[int, int], list[tuple[int, int]]], soft: int, gateway: bool, connections: int
) -> None:
    given(soft, soft)
    settings = conf(gateway_listen=["127.0.0.1:587"]) if gateway else conf()
    assert fitting_limits(settings, 2).connections == connections


def test_one_line_names_the_remedy_when_caps_are_lowered(
    given: Callable[[int, int], list[tuple[int, int]]],
) -> None:
    written = io.StringIO()
    configure("info", "json", written)
    given(4096, 4096)
    warn_of_few(conf(), 2)
    assert written.getvalue() == ""
    given(300, 300)
    warn_of_few(conf(), 2)
    [line] = written.getvalue().splitlines()
    assert '"connections": 300' in line
    assert "allow 506 open files a process" in line
