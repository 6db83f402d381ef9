"""``send-test`` against real servers: what an admin can prove of an installation, and what goes wrong."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trustme
from click.testing import CliRunner

from relaydesk.cli import cli
from relaydesk.mailauth.signing import dkim_key_record
from relaydesk.samples.delivery import Destination
from relaydesk.samples.probe import filed_sample, send_test
from relaydesk.samples.sample import SendTestError, Signer, make_sample
from relaydesk.smtpd.limits import Limits
from relaydesk.store.engine import Store
from relaydesk_testkit.serving import Serving
from relaydesk_testkit.signing import key
from relaydesk_testkit.smtp import DIRECT, PROXIED, XCLIENT, OpenDoor
from relaydesk_testkit.zones import dns_server
from tests.support.desk import desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

    from relaydesk.samples.sample import Sample, SampleKind

FACEBOOK = "66.220.144.130"
STRANGERS = "networks: [66.220.144.128/25]\nsenders: [support.facebook.com]\n"
LISTS = (
    "networks: [66.220.144.128/25]\nproxies: [{network: 127.0.0.1, xclient: true}]\n"
    "senders:\n  - support.instagram.com\n"
)
META = Signer.of("support.instagram.com", "s1", key(1024))
SHOP = Signer.of("shop.example", "mail", key(1024))
ZONE: dict[str, list[object]] = {
    META.record_name: [{"TXT": dkim_key_record(META.key)}],
    SHOP.record_name: [{"TXT": dkim_key_record(SHOP.key)}],
    "support.instagram.com": [{"TXT": "v=spf1 ip4:66.220.144.128/26 -all"}],
    "_dmarc.support.instagram.com": [{"TXT": "v=DMARC1; p=reject"}],
    "shop.example": [{"TXT": "v=spf1 -all"}, {"A": "192.0.2.1"}],
}
_tokens = iter(range(1, 1000))


def sample(kind: SampleKind = "case", signer: Signer | None = None) -> Sample:
    return make_sample(kind, "help@shop.example", now=datetime.now(UTC), token=next(_tokens), signer=signer)


def to(port: int, **how: object) -> Destination:
    return replace(Destination("127.0.0.1", port, seconds=15.0), **how)


# --- the whole program ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    directory = tmp_path_factory.mktemp("serving")
    with (
        dns_server(ZONE) as dns,
        Serving(
            directory, f"sqlite:///{directory / 'desk.db'}", dns.address, doors=1, lists=LISTS
        ) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def kept(serving: Serving) -> Iterator[Store]:
    store = Store.open(serving.database)
    yield store
    store.close()


@pytest.mark.parametrize("via", ["proxy", "xclient"])
def test_it_shows_a_genuine_message_on_its_way_where_the_key_is_published(serving, kept, via):
    made = sample(signer=META)
    result = send_test(to(serving.port, via=via, origin=FACEBOOK), made, published=True)
    assert (result.good, result.stage, result.code) == (True, "The message", "accepted")
    found = filed_sample(desk(kept), made)
    assert found is not None
    assert (found.queue, found.genuine) == ("case", True)
    assert "A DKIM signature of support.instagram.com passes" in found.reasons[0]


def test_it_shows_that_a_forgery_is_refused(serving, kept):
    made = sample("forged")
    result = send_test(to(serving.port, via="proxy", origin=FACEBOOK), made)
    assert (result.good, result.code) == (True, "forged")
    assert result.told[0] == f"The message was answered: {result.reply}"
    assert filed_sample(desk(kept), made) is None


def test_it_shows_that_a_claim_with_a_key_of_chance_is_refused(serving):
    beyond_spf = "66.220.144.250"  # in our list, not in the sender's SPF record
    result = send_test(to(serving.port, via="proxy", origin=beyond_spf), sample())
    assert (result.good, result.code) == (True, "forged")


def test_it_does_not_say_more_than_the_reply_tells(serving, kept):
    made = sample()  # unpublished key, but SPF vouches for the origin that was named
    result = send_test(to(serving.port, via="proxy", origin=FACEBOOK), made)
    assert (result.good, result.code) == (None, "accepted")
    found = filed_sample(desk(kept), made)
    assert found is not None
    assert found.genuine
    assert found.reasons[0].startswith("SPF passes")


def test_it_shows_that_the_shops_own_mail_is_not_sorted(serving, kept):
    made = sample(signer=SHOP)
    result = send_test(to(serving.port, via="proxy", origin=FACEBOOK), made, published=True)
    assert (result.good, result.code) == (True, "accepted")
    found = filed_sample(desk(kept), made)
    assert found is not None
    assert (found.queue, found.genuine) == ("unsorted", False)
    assert "not a listed sender" in found.reasons[0]


def test_it_names_an_origin_that_is_not_listed(serving):
    result = send_test(to(serving.port, via="proxy", origin="203.0.113.9"), sample())
    assert (result.good, result.code, result.stage) == (False, "no_role", "RCPT TO")
    assert "Name an address of one of its networks" in result.told[1]


def command(serving: Serving, *options: str) -> Result:
    place = {"RELAYDESK_DATABASE": serving.database, "RELAYDESK_MAILBOXES": '["help@shop.example"]'}
    return CliRunner().invoke(cli, ["send-test", "--to", f"127.0.0.1:{serving.port}", *options], env=place)


def test_its_command_says_what_became_of_the_sample(serving):
    done = command(serving, "--proxy", FACEBOOK)
    assert done.exit_code == 0, done.output
    assert "The message was answered: 250 2.0.0 Ok: stored" in done.output
    assert "in queue case, genuine:" in done.output


def test_its_command_fails_when_something_is_wrong(serving):
    done = command(serving, "--json")
    assert done.exit_code == 1
    told = json.loads(done.output)
    assert (told["good"], told["code"], told["filed"]) == (False, "proxy_without_header", None)


# --- servers set up otherwise ----------------------------------------------------------------------------


def test_it_shows_that_strangers_are_turned_away():
    with OpenDoor(STRANGERS) as door:
        result = send_test(to(door.port), sample())
        assert (result.good, result.stage, result.code) == (True, "RCPT TO", "no_role")
        assert door.receiver.envelopes == []


def test_it_tells_when_this_host_is_listed():
    with OpenDoor(DIRECT) as door:
        result = send_test(to(door.port), sample())
    assert (result.good, result.code) == (None, "accepted")
    assert "remove it from allowlist.yaml" in result.told[1]


def test_it_tells_a_listed_proxy_to_name_its_client():
    with OpenDoor(XCLIENT) as door:
        result = send_test(to(door.port), sample())
    assert (result.good, result.code, result.stage) == (False, "proxy_without_header", "RCPT TO")
    assert "--proxy IP" in result.told[1]


@pytest.mark.parametrize(
    ("lists", "via", "stage", "mend"),
    [
        (DIRECT, "proxy", "EHLO", "this host is not in proxies"),
        (PROXIED, "direct", "The connection", "add --proxy IP"),
        (DIRECT, "xclient", "XCLIENT", "xclient: true"),
    ],
)
def test_it_tells_how_the_server_wants_to_be_spoken_to(lists, via, stage, mend):
    with OpenDoor(lists, Limits(proxy_seconds=0.2)) as door:
        result = send_test(to(door.port, via=via, origin=FACEBOOK), sample())
    assert result.good is False
    assert (result.stage, mend in result.told[1]) == (stage, True)


def test_it_names_the_origin_in_ipv6():
    with OpenDoor(XCLIENT) as door:
        send_test(to(door.port, via="xclient", origin="2001:db8::7"), sample())
        assert [envelope.origin.ip for envelope in door.receiver.envelopes] == ["2001:db8::7"]


def test_it_names_a_mailbox_that_the_server_does_not_have():
    with OpenDoor(DIRECT) as door:
        made = make_sample("case", "nobody@else.example", now=datetime.now(UTC), token=1)
        result = send_test(to(door.port), made)
    assert (result.good, result.code, result.stage) == (False, "unknown_mailbox", "RCPT TO")
    assert "--rcpt" in result.told[1]


# --- TLS, and nobody there -------------------------------------------------------------------------------


def test_it_speaks_tls_and_doubts_a_certificate_of_ones_own():
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("mx.shop.example").configure_cert(own)
    with OpenDoor(DIRECT, tls=own) as door:
        result = send_test(to(door.port, tls=True), sample())
        assert [envelope.tls for envelope in door.receiver.envelopes] == [True]
    assert result.accepted
    assert "TLS works. The certificate is not trusted here for 127.0.0.1" in result.told[1]


def test_it_tells_when_tls_is_not_offered():
    with OpenDoor(DIRECT) as door:
        result = send_test(to(door.port, tls=True), sample())
        assert door.receiver.envelopes == []
    assert (result.good, result.code) == (False, "no_tls")
    assert "tls_certificate" in result.told[1]


def test_it_names_a_port_where_nothing_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(SendTestError, match=r"cannot be reached .*`relaydesk serve`"):
            send_test(to(taken.getsockname()[1]), sample())


@pytest.mark.parametrize(
    ("answer", "problem"), [(b"", "hung up without a reply"), (None, r"did not answer within 0\.3 s")]
)
def test_it_names_a_server_that_says_nothing(answer, problem):
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            held.append(server.accept()[0])
            if answer is not None:
                held[0].close()

        thread = threading.Thread(target=accept)
        thread.start()
        with pytest.raises(SendTestError, match=problem):
            send_test(to(server.getsockname()[1], seconds=0.3), sample())
        thread.join(10)
        for one in held:
            one.close()
