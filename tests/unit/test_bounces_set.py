"""Our own set of returned mail, by mail server: all that did not arrive is seen, and nothing else is."""

from __future__ import annotations

from collections import Counter

import pytest

from relaydesk.bounces import read_bounce
from relaydesk.message import parse_message
from tests.support.bounce_set import Returned, returned_mails

MAILS = returned_mails()


@pytest.mark.parametrize("mail", MAILS, ids=str)
def test_it_reads_what_each_server_sends(mail: Returned) -> None:
    dsn = read_bounce(parse_message(mail.raw))
    assert dsn.about == mail.about
    assert mail.code in ("", dsn.status)
    assert mail.recipient in ("", dsn.final_recipient)
    assert mail.original_id in ("", dsn.original_message_id)


def test_the_set_is_broad() -> None:
    abouts = Counter(mail.about for mail in MAILS)
    servers = {mail.server for mail in MAILS if mail.about == "undelivered"}
    assert abouts["undelivered"] >= 60
    assert sum(abouts.values()) - abouts["undelivered"] >= 25
    assert len(servers) >= 40


def test_every_server_is_recognised_whole() -> None:
    table = Counter(mail.server for mail in MAILS)
    right = Counter(mail.server for mail in MAILS if read_bounce(parse_message(mail.raw)).about == mail.about)
    assert {server: f"{right[server]}/{total}" for server, total in table.items()} == {
        server: f"{total}/{total}" for server, total in table.items()
    }
