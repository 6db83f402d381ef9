"""Our own bug is never a verdict: planted in each stage it defers a genuine message, and nothing is lost."""

from __future__ import annotations

import io
import json
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from sqlalchemy import select

from relaydesk import logs
from relaydesk.classify import extract
from relaydesk.mailauth import dkim, spf
from relaydesk.message import parse
from relaydesk.samples.compose import composed_mail
from relaydesk.samples.delivery import send_composed
from relaydesk.store.tables import FirstSeenTable, MessageTable, TicketEventTable, TicketTable, table
from tests.support import cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.store.engine import Store

GENUINE = "102-facebook-case"  # DKIM and SPF pass, DKIM is aligned
FORGED, DRIFT = "324-forged", "307-drift"
AUTHENTICATE = import_module("relaydesk.mailauth.authenticate")  # its door offers a function of that name
STAGES: dict[str, tuple[Any, str]] = {
    "spf": (spf._Evaluation, "_verdict"),
    "spf, called back by pyspf": (spf._Evaluation, "records"),
    "dkim": (dkim, "read_signature"),
    "dkim, when verifying": (dkim, "parse_key"),
    "dmarc": (AUTHENTICATE, "evaluate"),
    "dmarc, on the way up": (AUTHENTICATE, "single_record"),
    "parse": (parse, "_body"),
    "parse, in an address": (parse.addresses, "mailboxes"),
    "sort": (extract, "candidates"),
}
BUGS = [RuntimeError, KeyError, AttributeError, TypeError]


def rows(room: cases.Room, model: Any) -> list[dict[str, Any]]:
    with room.store.reading() as session:
        return [dict(row._mapping) for row in session.connection().execute(select(table(model)))]


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


async def hand_in(room: cases.Room) -> str:
    """The case's message at the real port; the reply to its last command."""
    step = room.case.last
    room.intake.seen, room.intake.turned = [], []
    given = composed_mail(step, room.case.received_at, cases.KEYS, secret=cases.settings().secret)
    return await send_composed(given, "127.0.0.1", room.port, seconds=20)


def plant(patch: pytest.MonkeyPatch, stage: str, bug: type[Exception]) -> None:
    owner, name = STAGES[stage]

    def broken(*_: object, **__: object) -> None:
        raise bug("planted, near bq7t2mmx9k4c1d@support.facebook.com")

    patch.setattr(owner, name, broken)


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("stage", STAGES)
async def test_it_defers_a_genuine_message_until_the_bug_is_gone(
    stage: str,
    bug: type[Exception],
    sqlite_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    log_lines: io.StringIO,
) -> None:
    async with cases.opened(cases.golden(GENUINE), sqlite_store) as room:
        with monkeypatch.context() as patch:
            plant(patch, stage, bug)
            assert (await hand_in(room)).startswith("451 4.3.0 ")
        lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
        (error,) = [line for line in lines if line["level"] == "error"]
        assert error["event"] == "unexpected_error"
        assert bug.__name__ in error["exception"] and "planted" in error["exception"]
        assert "bq7t2mmx9k4c1d" not in log_lines.getvalue()
        (told,) = [line for line in lines if line["event"] == "message"]
        assert (told["outcome"], told["code"]) == ("deferred", "internal_error")
        for model in (MessageTable, TicketTable, TicketEventTable, FirstSeenTable):
            assert rows(room, model) == []
        assert sorted(refused.code for refused in room.intake.refusals) == ["internal_error"]
        assert (await hand_in(room)).startswith("250 ")
        assert len(rows(room, MessageTable)) == 1
        assert rows(room, MessageTable)[0]["vouched"]


@pytest.mark.parametrize("stage", STAGES)
async def test_it_never_refuses_or_accepts_by_a_bug(
    stage: str, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the message is: what would be refused without the bug is deferred too."""
    async with cases.opened(cases.golden(FORGED), sqlite_store) as room:
        with monkeypatch.context() as patch:
            plant(patch, stage, RuntimeError)
            reply = await hand_in(room)
        assert reply.startswith(("451 4.3.0 ", "550 "))
        if reply.startswith("550 "):  # the stage was not reached
            assert (await hand_in(room)) == reply
        assert rows(room, MessageTable) == []


@pytest.mark.parametrize("name", ["claimed_domain", "_methods", "log"])
async def test_what_is_stored_is_acknowledged_whatever_fails_then(
    name: str, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting and logging come after the commit."""

    def broken(*_: object, **__: object) -> None:
        raise OSError("planted")

    async with cases.opened(cases.golden(GENUINE), sqlite_store) as room:
        monkeypatch.setattr(import_module("relaydesk.intake.receive"), name, broken)
        assert (await hand_in(room)).startswith("250 ")
        assert (await hand_in(room)).startswith("250 ")
        assert len(rows(room, MessageTable)) == 1


async def test_an_internal_error_defers_however_long_it_lasts(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only an outage of DNS ends in an unverified ticket: a bug could be what finds the message genuine."""
    async with cases.opened(cases.golden(GENUINE), sqlite_store) as room:
        plant(monkeypatch, "dkim", RuntimeError)
        for _ in range(3):
            assert (await hand_in(room)).startswith("451 4.3.0 ")
            room.now += 2 * cases.snapshot().policy.outage_after
        assert rows(room, MessageTable) == []


async def test_a_bug_in_looking_for_a_drift_defers_at_rcpt(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cases.opened(cases.golden(DRIFT), sqlite_store) as room:
        plant(monkeypatch, "spf", RuntimeError)
        assert (await hand_in(room)).startswith("451 4.3.0 ")
        assert rows(room, MessageTable) == []
