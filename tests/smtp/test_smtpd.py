"""The session as a whole: what a client says and hears."""

from __future__ import annotations

import smtplib
import socket

import pytest

from relaydesk.policy.allowlist import parse_allowlist
from relaydesk.policy.decision import Admission
from relaydesk.reasons import Reason
from relaydesk.smtpd.limits import Limits
from relaydesk_testkit.smtp import DIRECT, MAIL, OpenDoor, Talk, decision


def test_it_takes_a_message_in_and_hands_on_exactly_what_came() -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.start_mail("help@shop.example", "claims@shop.example")
        assert talk.data(b"Received: from x (y [192.0.2.1]) by z\r\n" + MAIL + b"..dot\r\n...\r\n") == (
            "250 2.0.0 Ok: stored"
        )
        assert talk.ask("QUIT") == "221 2.0.0 Bye"
        assert talk.closed()
    [envelope] = door.receiver.envelopes
    assert envelope.raw == b"Received: from x (y [192.0.2.1]) by z\r\n" + MAIL + b".dot\r\n..\r\n"
    assert (envelope.mail_from, envelope.rcpt_to) == (
        "a@support.facebook.com",
        ("help@shop.example", "claims@shop.example"),
    )
    assert (envelope.peer, envelope.helo, envelope.tls, envelope.protocol) == (
        "127.0.0.1",
        "client.example",
        False,
        "ESMTP",
    )
    assert envelope.received_at.tzinfo is not None


def test_it_works_with_an_ordinary_client() -> None:
    with OpenDoor() as door:
        with smtplib.SMTP("127.0.0.1", door.port, timeout=10) as client:
            client.sendmail("a@b.example", ["help@shop.example"], "Subject: x\n\n.hidden\nend")
            assert client.has_extn("pipelining")
        assert door.receiver.envelopes[0].raw == b"Subject: x\r\n\r\n.hidden\r\nend\r\n"


def test_it_speaks_plain_smtp_after_helo() -> None:
    with OpenDoor() as door, door.talk() as talk:
        assert talk.ask("HELO old.example") == "250 mx.shop.example"
        assert talk.ask("MAIL FROM:<a@b.example> SIZE=10").startswith("555 5.5.4")
        assert talk.ask("MAIL FROM:<a@b.example>").startswith("250")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("250")
        assert talk.data().startswith("250")
        assert door.receiver.envelopes[0].protocol == "SMTP"


def test_it_reads_the_origin_from_received_behind_a_relay() -> None:
    lists = "networks: [66.220.144.128/25]\nrelays: [127.0.0.1]\n"
    hop = b"Received: from x (unknown [66.220.144.130])\r\n\tby mx (Postfix) with ESMTP id 1; Mon\r\n"
    with OpenDoor(lists) as door, door.talk() as talk:
        talk.start_mail()
        talk.data(hop + MAIL)
        talk.start_mail()
        talk.data(MAIL)
        known, unknown = (envelope.origin for envelope in door.receiver.envelopes)
    assert (known.ip, known.role, known.how, known.allowlisted) == (
        "66.220.144.130",
        "relay",
        "received",
        True,
    )
    assert (unknown.ip, unknown.role, unknown.how) == (None, "relay", "unknown")
    assert [origin.ip for origin, *_ in door.receiver.admitted] == [None, None]


def test_it_answers_recipients_one_by_one() -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.start_mail()
        assert talk.ask("RCPT TO:<nobody@else.example>").startswith("550 5.1.1")
        assert talk.ask("RCPT TO:<claims@shop.example>").startswith("250")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("250")
        assert talk.data().startswith("250")
        assert door.receiver.envelopes[0].rcpt_to == ("help@shop.example", "claims@shop.example")


def test_it_defers_a_recipient_and_refuses_data_without_any() -> None:
    with OpenDoor() as door, door.talk() as talk:
        door.receiver.admitting = lambda _origin, _rcpt: Admission("deferred", Reason("auth_unknown", ""))
        talk.ask("EHLO x.example")
        assert talk.ask("DATA").startswith("503 5.5.1")
        assert talk.ask("MAIL FROM:<>").startswith("250")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("451 4.7.0")
        assert talk.ask("DATA").startswith("554 5.5.1")
        assert door.receiver.admitted[0][2] == ""


def test_it_lets_a_stranger_greet_and_refuses_at_rcpt() -> None:
    with OpenDoor("networks: [192.0.2.1]") as door, door.talk() as talk:
        talk.ask("EHLO x.example")
        assert talk.ask("MAIL FROM:<a@b.example>").startswith("250")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("550 5.7.1")
        assert door.receiver.admitted[0][0].role == "none"


@pytest.mark.parametrize(
    ("outcome", "code", "start"),
    [
        ("accepted", "aligned_dkim", "250 2.0.0"),
        ("refused", "forged", "550 5.7.1"),
        ("refused", "not_one_from", "554 5.6.0"),
        ("deferred", "auth_unknown", "451 4.7.0"),
        ("deferred", "store_unavailable", "451 4.3.0"),
    ],
)
def test_it_turns_a_decision_into_its_reply(outcome: str, code: str, start: str) -> None:
    async def deciding(_envelope: object) -> object:
        return decision(outcome, code)

    with OpenDoor() as door, door.talk() as talk:
        door.receiver.deciding = deciding  # type: ignore[assignment]
        talk.start_mail()
        assert talk.data().startswith(start)
        assert talk.ask("NOOP").startswith("250")


def test_it_advertises_what_is_true_and_nothing_else() -> None:
    with OpenDoor() as door, door.talk() as talk:
        assert talk.ask("EHLO x.example").splitlines() == [
            "250-mx.shop.example",
            f"250-SIZE {Limits().message_bytes}",
            "250-8BITMIME",
            "250-SMTPUTF8",
            "250-PIPELINING",
            "250 ENHANCEDSTATUSCODES",
        ]
        assert door.listener.connections == 1


@pytest.mark.parametrize(
    ("command", "start"),
    [
        ("VRFY help", "252 2.5.2"),
        ("VRFY", "501 5.5.4"),
        ("EXPN list", "502 5.5.1"),
        ("ETRN x", "502 5.5.1"),
        ("AUTH PLAIN AGEAYg==", "502 5.5.1"),
        ("BDAT 3 LAST", "502 5.5.1"),
        ("STARTTLS", "502 5.5.1"),
        ("XCLIENT ADDR=66.220.144.130", "550 5.7.0"),
        ("HELP", "214 2.0.0"),
        ("NOOP anything", "250 2.0.0"),
        ("RSET", "250 2.0.0"),
        ("RSET x", "501 5.5.4"),
        ("QUIT now", "501 5.5.4"),
        ("PROXY TCP4 66.220.144.130 127.0.0.1 1 25", "500 5.5.2"),
        ("GET / HTTP/1.1", "500 5.5.2"),
        ("", "500 5.5.2"),
        ("   ", "500 5.5.2"),
        ("mail from:<a@b.example>", "503 5.5.1"),
        ("RCPT TO:<help@shop.example>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("DATA now", "501 5.5.4"),
        ("EHLO", "501 5.5.4"),
    ],
)
def test_it_answers_every_verb_sanely(command: str, start: str) -> None:
    with OpenDoor() as door, door.talk() as talk:
        assert talk.ask(command).startswith(start)
        assert talk.ask("NOOP") == "250 2.0.0 Ok"


def test_it_refuses_a_second_mail_and_forgets_the_first_after_rset_and_ehlo() -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.start_mail()
        assert talk.ask("MAIL FROM:<c@d.example>").startswith("503 5.5.1")
        assert talk.ask("RSET").startswith("250")
        assert talk.ask("DATA").startswith("503")
        talk.start_mail()
        talk.ask("EHLO again.example")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("503")


def test_it_takes_pipelined_commands_and_pipelined_messages() -> None:
    group = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<help@shop.example>\r\nRCPT TO:<no@x.example>\r\nDATA\r\n"
    with OpenDoor() as door, door.talk() as talk:
        talk.send(b"EHLO x.example\r\n" + group)
        assert [talk.reply()[:3] for _ in range(5)] == ["250", "250", "250", "550", "354"]
        # RFC 2920 §3.1: the content may open the next group, which is a second message here.
        talk.send(MAIL + b".\r\n" + group + MAIL + b".\r\nQUIT\r\n")
        assert [talk.reply()[:3] for _ in range(7)] == ["250", "250", "250", "550", "354", "250", "221"]
        assert [envelope.raw for envelope in door.receiver.envelopes] == [MAIL, MAIL]


def test_it_takes_an_address_in_utf8_only_when_mail_asked_for_it() -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.ask("EHLO x.example")
        assert talk.ask("MAIL FROM:<jörg@müller.example>").startswith("553 5.6.7")
        assert talk.ask("MAIL FROM:<jörg@müller.example> SMTPUTF8").startswith("250")
        assert talk.ask("RCPT TO:<hälp@shop.example>").startswith("250")
        assert talk.data().startswith("250")
        assert door.receiver.envelopes[0].mail_from == "jörg@müller.example"
        assert door.receiver.envelopes[0].protocol == "UTF8SMTP"
        assert talk.ask("MAIL FROM:<a@b.example> BODY=8BITMIME").startswith("250")
        assert talk.ask("RCPT TO:<hälp@shop.example>").startswith("553 5.6.7")
        assert talk.ask(b"RCPT TO:<\xff@shop.example>").startswith("501")


def test_a_reload_counts_from_the_next_transaction_on() -> None:
    with OpenDoor() as door, door.talk() as talk:
        first = door.configuration.current
        talk.start_mail()
        door.configuration.swap(allowlist=parse_allowlist("networks: [192.0.2.1]"))
        assert talk.ask("RCPT TO:<sales@shop.example>").startswith("250")
        assert talk.data().startswith("250")
        assert door.receiver.configs == [first, first, first]
        assert door.receiver.envelopes[0].origin.role == "origin"
        talk.ask("MAIL FROM:<a@b.example>")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("550 5.7.1")
        assert door.receiver.configs[-1] is door.configuration.current


def test_a_transaction_that_ends_without_a_message_lets_go_of_its_snapshot() -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.start_mail()
        door.configuration.swap(allowlist=parse_allowlist("networks: [192.0.2.1]"))
        talk.ask("RSET")
        talk.ask("MAIL FROM:<a@b.example>")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("550 5.7.1")


def test_it_serves_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with OpenDoor(DIRECT, host="::1") as door, door.talk() as talk:
        talk.start_mail()
        talk.data()
        assert (door.receiver.envelopes[0].peer, door.receiver.envelopes[0].origin.role) == ("::1", "origin")


def test_it_writes_an_ipv4_peer_of_a_dual_stack_socket_as_ipv4() -> None:
    try:
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True).close()
    except (OSError, ValueError):
        pytest.skip("this machine has no dual-stack sockets")
    with OpenDoor(DIRECT, host="::") as door:
        with socket.create_connection(("127.0.0.1", door.port), timeout=10) as sock:
            talk = Talk(sock)
            talk.reply()
            talk.start_mail()
            talk.data()
        assert door.receiver.envelopes[0].peer == "127.0.0.1"
        assert door.receiver.envelopes[0].origin.ip == "127.0.0.1"
