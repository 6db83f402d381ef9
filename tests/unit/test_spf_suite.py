"""The RFC 7208 test suite, every case through our own ``check``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from relaydesk.dns.resolver import Resolver
from relaydesk.dns.zone import ZoneSource, parse_zone
from relaydesk.mailauth.spf import check_spf
from tests.support.shared import shared

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = 203


@pytest.fixture(scope="module")
def suite() -> list[dict[str, Any]]:
    text = shared("vectors/spf/rfc7208-tests.yml").read_text("utf-8")
    return [scenario for scenario in YAML(typ="safe", pure=True).load_all(text) if scenario]


def _cases(suite: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], Resolver]]:
    for scenario in suite:
        resolver = Resolver(ZoneSource(parse_zone(scenario["zonedata"])))
        for name, case in scenario["tests"].items():
            yield name, case, resolver


def _wanted(expected: object) -> list[object]:
    return expected if isinstance(expected, list) else [expected]


async def test_it_passes_every_case_of_the_rfc_7208_suite(suite: list[dict[str, Any]]) -> None:
    count, wrong = 0, []
    for name, case, resolver in _cases(suite):
        count += 1
        found = await check_spf(case["host"], case["mailfrom"], case["helo"], resolver)
        if found.result not in _wanted(case["result"]):
            wrong.append(f"{name}: {found.result} ({found.reason}), expected {case['result']}")
        published = case.get("explanation", found.explanation)
        if found.explanation != ("" if published == "DEFAULT" else published):
            wrong.append(f"{name}: explanation {found.explanation!r}, expected {published!r}")
    assert wrong == []
    assert count == CASES
