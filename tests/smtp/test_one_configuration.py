"""A message is judged by one configuration from MAIL to its commit, whatever is reloaded meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from relaydesk.config import parts
from relaydesk.config.settings import Settings
from relaydesk.config.snapshot import read_snapshot
from relaydesk.dns.resolver import Resolver
from relaydesk.dns.zone import ZoneSource, parse_zone
from relaydesk.intake import record as recording
from relaydesk.intake.receive import Intake
from relaydesk.policy.allowlist import parse_allowlist
from relaydesk.smtpd.endpoint import Endpoint
from relaydesk.smtpd.limits import Limits
from relaydesk.store import messages
from relaydesk.store.errors import Conflict
from relaydesk.store.tables import MessageTable, table
from relaydesk_testkit.smtp import Holder, OpenDoor, Talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.config.snapshot import Snapshot
    from relaydesk.store.engine import Store

#: What nobody vouches for is stored for a person when it comes through a relay, and refused from an origin.
LENIENT = "relays: [127.0.0.1/32]\nsenders: [support.instagram.com]\n"
STRICT = "networks: [127.0.0.1/32]\nsenders: [support.instagram.com]\n"


def snapshot(lists: str) -> Snapshot:
    settings = Settings(mailboxes=("help@shop.example",))
    allowlist = parse_allowlist(lists)
    whole = read_snapshot(settings, secret=b"", hostname="mx.shop.example")
    return replace(whole, allowlist=allowlist, policy=parts.policy(settings, allowlist))


class OpenIntake(OpenDoor):
    """A listener before the real intake."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.configuration = Holder(snapshot(LENIENT))
        self.endpoint = Endpoint(
            hostname="mx.shop.example",
            limits=Limits(),
            receiver=Intake(
                store=store,
                resolver=Resolver(ZoneSource(parse_zone({}))),
                clock=lambda: datetime.now(UTC),
                workers=ThreadPoolExecutor(2),
            ),
            configuration=self.configuration,
            now=lambda: datetime.now(UTC),
        )


@pytest.fixture
def door(sqlite_store: Store) -> Iterator[OpenIntake]:
    with OpenIntake(sqlite_store) as opened:
        yield opened


@pytest.fixture
def talk(door: OpenIntake) -> Iterator[Talk]:
    with door.talk() as talk:
        yield talk


def kept(store: Store) -> int:
    with store.reading() as session:
        return len(session.connection().execute(select(table(MessageTable).c.id)).all())


def test_a_list_that_changes_between_rcpt_and_data_counts_for_the_next_message(
    talk: Talk, door: OpenIntake, sqlite_store: Store
) -> None:
    talk.start_mail()
    door.configuration.current = snapshot(STRICT)
    assert talk.data() == "250 2.0.0 Ok: stored"
    talk.start_mail()
    assert talk.data(b"From: b@stranger.example\r\nSubject: again\r\n\r\nbody\r\n").startswith("550 5.7.1")
    assert kept(sqlite_store) == 1


def test_a_decision_after_a_conflict_is_made_by_the_same_policy(
    talk: Talk, door: OpenIntake, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = door.configuration.current
    policies = []
    decide, record = recording.decide, messages.record

    def deciding(envelope: Any, gathered: Any, known: Any, policy: Any, now: datetime) -> Any:
        policies.append(policy)
        return decide(envelope, gathered, known, policy, now)

    def conflicting(*args: Any, **kwargs: Any) -> Any:
        if len(policies) == 1:
            door.configuration.current = snapshot(STRICT)
            raise Conflict("another writer was first")
        return record(*args, **kwargs)

    monkeypatch.setattr(recording, "decide", deciding)
    monkeypatch.setattr(messages, "record", conflicting)
    talk.start_mail()
    assert talk.data() == "250 2.0.0 Ok: stored"
    assert policies == [before.policy, before.policy]
    assert kept(sqlite_store) == 1
