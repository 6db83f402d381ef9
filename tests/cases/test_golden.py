"""Each golden case through ``explain`` and through the SMTP port, with the same decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relaydesk.samples.case import case_names
from tests.support import cases

if TYPE_CHECKING:
    from relaydesk.store.engine import Store


@pytest.mark.parametrize("name", case_names(cases.FIXTURES))
async def test_it_decides_as_expected(name: str, sqlite_store: Store) -> None:
    case = cases.golden(name)
    told = None
    if len(case.steps) == 1:
        told = await cases.explained(case)
        assert cases.differences(case.last.expected, told) == []
    async with cases.opened(case, sqlite_store) as room:
        for step in case.steps:
            answer = await room.step(step)
            if step.act == "send":
                expected = {
                    key: value for key, value in step.expected.items() if key in answer or key != "auth"
                }
                assert cases.differences(expected, answer) == []
        found = room.at_the_desk(answer)
    if told is not None:
        turned_away = "message" not in answer
        told, answer = cases.common_part(told), cases.common_part(answer)
        if turned_away and "received" in str(told["origin"]):
            del answer["origin"]  # refused before the message that holds the relay's line
        assert answer == {key: told[key] for key in answer}
    desk = dict(case.last.expected.get("desk", {}))
    assert set(desk.pop("reasons", ())) <= set(found["reasons"])
    assert {key: found[key] for key in desk} == desk
