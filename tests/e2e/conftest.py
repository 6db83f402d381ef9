"""What the tests of the whole room share: a name server, and `relaydesk serve` on either engine."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING, Protocol

import pytest

from relaydesk_testkit.buyers import ZONE
from relaydesk_testkit.serving import Serving
from relaydesk_testkit.zones import dns_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Start(Protocol):
    """Starts a ``serve`` that ends with the test."""

    def __call__(self, database: str, **settings: object) -> Serving: ...


@pytest.fixture(scope="session")
def nameserver() -> Iterator[str]:
    """The address of a DNS server that vouches for the buyers' mail."""
    with dns_server(ZONE) as server:
        yield server.address


@pytest.fixture
def start_serving(tmp_path: Path, nameserver: str) -> Iterator[Start]:
    """Starts ``relaydesk serve``; each has its own directory, all end with the test."""
    number = count(1)
    with ExitStack() as stack:

        def start(database: str, **settings: object) -> Serving:
            directory = tmp_path / f"serve-{next(number)}"
            return stack.enter_context(Serving(directory, database, nameserver, **settings))  # type: ignore[arg-type]

        yield start
