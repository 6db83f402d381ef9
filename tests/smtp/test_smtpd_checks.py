"""What aiosmtpd does by itself and must not do here, point by point."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING

import pytest
from aiosmtpd.smtp import SMTP

from relaydesk.policy.decision import Decision
from relaydesk.smtpd.limits import Limits
from relaydesk_testkit.smtp import MAIL, OpenDoor, Snapshot, decision

if TYPE_CHECKING:
    from relaydesk.message.envelope import Envelope

BARE = "554 5.6.0 The message holds a bare CR or LF; every line must end in CR LF"


def slow_store(door: OpenDoor, seconds: float = 0.2) -> None:
    async def deciding(_envelope: Envelope) -> Decision:
        await asyncio.sleep(seconds)
        return decision("accepted")

    door.receiver.deciding = deciding


def eventually(condition: object, seconds: float = 5.0) -> bool:
    ends = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > ends:
            return False
        time.sleep(0.01)
    return True


# Hanging up must not cancel the commit
def test_it_finishes_the_work_when_the_client_hangs_up_after_the_dot() -> None:
    with OpenDoor() as door:
        slow_store(door)
        with door.talk() as talk:
            talk.start_mail()
            talk.ask("DATA")
            talk.send(MAIL + b".\r\n")
            time.sleep(0.05)
        assert eventually(lambda: len(door.receiver.envelopes) == 1)


def test_it_still_answers_a_client_that_half_closes_after_the_dot() -> None:
    with OpenDoor() as door, door.talk() as talk:
        slow_store(door)
        talk.start_mail()
        talk.ask("DATA")
        talk.send(MAIL + b".\r\n")
        talk.sock.shutdown(1)
        assert talk.reply() == "250 2.0.0 Ok: stored"


def test_it_takes_nothing_of_a_message_without_its_dot() -> None:
    with OpenDoor() as door:
        with door.talk() as talk:
            talk.start_mail()
            talk.ask("DATA")
            talk.send(MAIL + b".")
        assert eventually(lambda: door.listener.connections == 0)
        assert door.receiver.envelopes == []


# An own deadline for the work, answered with 451 while the work goes on
def test_it_answers_451_when_the_work_takes_too_long_and_lets_it_go_on() -> None:
    with OpenDoor(limits=Limits(handler_seconds=0.1)) as door, door.talk() as talk:
        slow_store(door, 0.4)
        talk.start_mail()
        assert talk.data().startswith("451 4.3.0")
        assert talk.ask("NOOP").startswith("250")
        assert eventually(lambda: len(door.receiver.envelopes) == 1)


# No exception reaches the client
@pytest.mark.parametrize("error", [ValueError("secret\r\n250 ok"), TimeoutError("dns"), KeyError("x")])
def test_it_answers_an_exception_with_451_and_no_detail(error: Exception) -> None:
    async def deciding(_envelope: Envelope) -> Decision:
        raise error

    with OpenDoor() as door, door.talk() as talk:
        door.receiver.deciding = deciding
        talk.start_mail()
        assert talk.data() == "451 4.3.0 The message could not be accepted now, please try again later"
        talk.start_mail()


def test_it_answers_an_exception_at_rcpt_with_451_too() -> None:
    def admitting(*_: object) -> None:
        raise RuntimeError("inner detail")

    with OpenDoor() as door, door.talk() as talk:
        door.receiver.admitting = admitting  # type: ignore[assignment]
        talk.ask("EHLO x.example")
        talk.ask("MAIL FROM:<>")
        assert talk.ask("RCPT TO:<help@shop.example>").startswith("451 4.3.0")


# What a reason says never gets into a reply
def test_it_never_lets_a_reason_write_replies() -> None:
    async def deciding(_envelope: Envelope) -> Decision:
        made = decision("refused", "forged")
        return Decision(made.outcome, (type(made.reasons[0])("forged", "x\r\n250 injected"),), made.findings)

    with OpenDoor() as door, door.talk() as talk:
        door.receiver.deciding = deciding
        talk.start_mail()
        assert "injected" not in talk.data()
        assert talk.ask("NOOP") == "250 2.0.0 Ok"


# Caps
def test_it_caps_recipients_and_takes_the_message_for_those_it_has() -> None:
    with OpenDoor(limits=Limits(recipients=3)) as door, door.talk() as talk:
        talk.start_mail(*(f"box{n}@shop.example" for n in range(3)))
        assert talk.ask("RCPT TO:<box4@shop.example>").startswith("452 4.5.3")
        assert talk.ask("RCPT TO:<box1@shop.example>").startswith("250")
        assert talk.ask("RCPT TO:<box5@shop.example>").startswith("452 4.5.3")
        assert talk.data().startswith("250")
        assert len(door.receiver.envelopes[0].rcpt_to) == 3
        assert [why.code for *_, why in door.receiver.turned] == ["too_many_recipients"]


def test_it_ends_a_session_of_too_many_commands() -> None:
    with OpenDoor(limits=Limits(commands=5)) as door, door.talk() as talk:
        for _ in range(5):
            assert talk.ask("NOOP").startswith("250")
        assert talk.reply().startswith("421 4.7.0")
        assert talk.closed()


def test_it_ends_a_session_of_too_many_errors() -> None:
    with OpenDoor(limits=Limits(errors=3)) as door, door.talk() as talk:
        for _ in range(4):
            assert talk.ask("NONSENSE").startswith("500")
        assert talk.reply().startswith("421 4.7.0 Too many errors")
        assert talk.closed()


def test_it_ends_a_session_that_noop_would_keep_for_ever() -> None:
    with OpenDoor(limits=Limits(session_seconds=0.3)) as door, door.talk() as talk:
        heard = ""
        while not heard.startswith("421"):
            heard = talk.ask("NOOP")
            time.sleep(0.02)
        assert heard.startswith("421 4.4.2 The session lasted too long")
        assert talk.closed()


def test_it_caps_connections_in_all() -> None:
    with OpenDoor(limits=Limits(connections=2)) as door:
        with (
            door.talk(),
            door.talk(source="127.0.0.2"),
            door.talk(greeting=False, source="127.0.0.3") as talk,
        ):
            assert talk.reply().startswith("421 4.7.0 Too many connections in all")
            assert talk.closed()
        assert eventually(lambda: door.listener.connections == 0)
        with door.talk() as talk:
            assert talk.ask("NOOP").startswith("250")


def test_it_caps_connections_of_one_peer_only() -> None:
    with OpenDoor(limits=Limits(connections_per_known_peer=1)) as door:
        with door.talk() as first:
            with door.talk(greeting=False) as second:
                assert second.reply().startswith("421 4.7.0 Too many connections of this host")
            with door.talk(source="127.0.0.2") as other:
                assert other.ask("NOOP").startswith("250")
            assert first.ask("NOOP").startswith("250")
        assert eventually(lambda: door.listener.connections == 0)
        with door.talk() as again:
            assert again.ask("NOOP").startswith("250")


def test_it_keeps_the_number_of_messages_under_way_within_its_cap() -> None:
    with (
        OpenDoor(limits=Limits(concurrent_data=1, slot_seconds=0.1)) as door,
        door.talk() as first,
        door.talk() as second,
    ):
        first.start_mail()
        second.start_mail()
        assert first.ask("DATA").startswith("354")
        assert second.ask("DATA").startswith("451 4.3.2")
        first.send(MAIL + b".\r\n")
        assert first.reply().startswith("250")
        assert second.data().startswith("250")


# Every time-out says 421 before it closes
def test_it_says_421_to_a_client_that_says_nothing() -> None:
    with OpenDoor(limits=Limits(idle_seconds=0.15)) as door, door.talk() as talk:
        assert talk.reply().startswith("421 4.4.2 Too slow")
        assert talk.closed()


def test_it_says_421_to_a_client_that_trickles_a_command() -> None:
    with OpenDoor(limits=Limits(idle_seconds=0.3)) as door, door.talk() as talk:
        talk.sock.settimeout(0.05)
        heard = b""
        for byte in b"NOOP " * 20:
            talk.send(bytes([byte]))
            try:
                heard = talk.sock.recv(200)
                break
            except TimeoutError:
                continue
        assert heard.startswith(b"421 4.4.2")


@pytest.mark.parametrize("limits", [Limits(idle_seconds=0.15), Limits(data_seconds=0.3)])
def test_it_says_421_to_a_client_that_is_slow_with_data(limits: Limits) -> None:
    with OpenDoor(limits=limits) as door, door.talk() as talk:
        talk.start_mail()
        talk.ask("DATA")
        talk.sock.settimeout(0.05 if limits.data_seconds < 1 else 5)
        heard = b""
        for byte in MAIL * 4:
            talk.send(bytes([byte]))
            try:
                heard = talk.sock.recv(200)
                break
            except TimeoutError:
                continue
        assert heard.startswith(b"421 4.4.2")
        assert eventually(lambda: [why.code for *_, why in door.receiver.turned] == ["too_slow"])
        assert door.receiver.envelopes == []


def test_it_cuts_a_client_that_does_not_read_its_replies() -> None:
    limits = Limits(write_seconds=0.2, errors=10**9, commands=10**9)
    with OpenDoor(limits=limits) as door, door.talk() as talk:
        talk.sock.settimeout(5)
        with pytest.raises(OSError):
            while True:
                talk.send(b"HELP\r\n" * 5000)
        assert eventually(lambda: door.listener.connections == 0)


# Long lines are mail, very long ones are refused in step
def test_it_takes_a_line_of_64_kib_and_refuses_one_beyond_the_cap_in_step() -> None:
    with OpenDoor(limits=Limits(line_bytes=70_000)) as door, door.talk() as talk:
        talk.start_mail()
        assert talk.data(b"Subject: x\r\n\r\n" + b"y" * 65_536 + b"\r\n").startswith("250")
        for tail in (b"\r\n", b"\r\n.y\r\n", b"\r\nand more\r\n" * 9000):
            talk.start_mail()
            assert talk.data(b"Subject: x\r\n\r\n" + b"y" * 200_000 + tail).startswith("554 5.6.0")
        talk.start_mail()
        assert talk.data().startswith("250")
        assert len(door.receiver.envelopes) == 2


# The null sender is the empty address
def test_it_hands_on_the_null_sender_as_empty() -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.start_mail(sender="")
        talk.data()
        assert door.receiver.envelopes[0].mail_from == ""


# Addresses are checked strictly
@pytest.mark.parametrize(
    "path",
    [
        "<a@b.example", "a@b.example>", "a@b.example", "<<a@b.example>>", "<a@b.example>>",
        "<a@b@c.example>",
        "<@hop.example:a@b.example>", "<@hop.example,@x.example:a@b.example>", "<a b@c.example>", "<a@>",
        "<@b.example>", "<a@b.example.>", "<a@b..example>", "<a..b@c.example>", "<.a@b.example>",
        "<a@-b.example>", "<a@b.example>x", "<a@[1.2.3]>", "<a@[IPv6:xyz]>", "< a@b.example>",
        '<"a@b.example>',
        '<"a"b@c.example>', "<a(comment)@b.example>", "<a@b.example,c@d.example>",
        "<" + "a" * 255 + "@b.example>",
    ],
)  # fmt: skip
def test_it_refuses_a_malformed_address(path: str) -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.ask("EHLO x.example")
        assert talk.ask(f"MAIL FROM:{path}").startswith("501 5.1.7")
        assert talk.ask("MAIL FROM:<a@b.example>").startswith("250")
        assert talk.ask(f"RCPT TO:{path}").startswith("501 5.1.3")
        assert door.receiver.admitted == []


@pytest.mark.parametrize(
    "address",
    [
        "case++aazr5wey3juyyq@support.instagram.com", '"odd name"@b.example', '"a\\"@b"@c.example',
        "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "prvs=0123=a/b@c.example", "x" * 90 + "@y.example",
        "a@under_score.example", "a@localhost",
    ],
)  # fmt: skip
def test_it_takes_a_well_formed_address(address: str) -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.start_mail(sender=address)
        talk.data()
        assert door.receiver.envelopes[0].mail_from == address


@pytest.mark.parametrize(
    "command",
    [
        "EHLO a\x1bb", "EHLO a\rb", "EHLO a b", "EHLO <a>", "EHLO a;b", "HELO \x00", "EHLO -",
        "EHLO " + "a." * 200 + "b",
    ],
)  # fmt: skip
def test_it_refuses_a_malformed_greeting(command: str) -> None:
    with OpenDoor() as door, door.talk() as talk:
        assert talk.ask(command)[:3] in ("500", "501")
        assert talk.ask("MAIL FROM:<a@b.example>").startswith("503")


@pytest.mark.parametrize(
    ("parameters", "start"),
    [
        ("SIZE=99999999999", "552 5.3.4"),
        ("SIZE=abc", "501 5.5.4"),
        ("SIZE=1 SIZE=2", "501 5.5.4"),
        ("BODY=BINARYMIME", "501 5.5.4"),
        ("SMTPUTF8=yes", "501 5.5.4"),
        ("RET=FULL", "555 5.5.4"),
        ("AUTH=<>", "555 5.5.4"),
        ("SIZE=1000 BODY=8BITMIME SMTPUTF8", "250 2.1.0"),
        ("size=1000 body=7bit", "250 2.1.0"),
    ],
)
def test_it_checks_the_parameters_of_mail(parameters: str, start: str) -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.ask("EHLO x.example")
        assert talk.ask(f"MAIL FROM:<a@b.example> {parameters}").startswith(start)


# Bare CR and LF are refused, and the session stays in step
@pytest.mark.parametrize(
    "content",
    [
        b"Subject: x\r\n\r\none\ntwo\r\n",
        b"Subject: x\r\n\r\none\rtwo\r\n",
        b"Subject: x\r\n\r\none\n.\nMAIL FROM:<evil@x.example>\r\n",
        b"Subject: x\r\n\r\none\n.\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<help@shop.example>\r\nDATA\r\n",
        b"Subject: x\r\n\r\none\r\n.\nMAIL FROM:<evil@x.example>\r\n",
        b"Subject: x\r\n\r\none\r\n.\rMAIL FROM:<evil@x.example>\r\n",
        b"Subject: x\r\n\r\none\r.\r\nMAIL FROM:<evil@x.example>\r\n",
        b"Subject: x\r\n\r\none\r.\rMAIL FROM:<evil@x.example>\r\n",
        b"Subject: x\r\n\r\none\r\r\n.\r\r\nMAIL FROM:<evil@x.example>\r\n",
        b"Subject: x\r\n\r\none\r\r\n.\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<help@shop.example>\r\n",
        b"Subject: x\r\n\r\none\r\r\n",
        b"\n",
    ],
)
def test_it_refuses_bare_newlines_once_and_stays_in_step(content: bytes) -> None:
    with OpenDoor(limits=Limits(quiet_seconds=0.3)) as door, door.talk() as talk:
        talk.start_mail()
        assert talk.data(content + (b"" if content.endswith(b"\r\r\n") else b"\r\n")) == BARE
        talk.start_mail()
        assert talk.data().startswith("250")
        assert [envelope.raw for envelope in door.receiver.envelopes] == [MAIL]
        assert [why.code for *_, why in door.receiver.turned] == ["bare_newline"]


def test_it_refuses_a_command_that_ends_in_a_bare_newline() -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.send(b"NOOP\nNOOP\r\n")
        assert talk.reply().startswith("500 5.5.2")
        assert talk.reply().startswith("250")


# PROXY and XCLIENT: test_smtpd_peers.py; TLS: test_smtpd_tls.py


# Large content in good time, and no line of it in a log
def test_it_reads_a_large_message_in_any_pieces(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = b"Subject: secret-subject\r\n\r\n" + b"..x secret-line " * 4 + b"\r\n"
    big = body * 60_000
    with OpenDoor() as door, door.talk() as talk:
        talk.start_mail()
        talk.ask("DATA")
        for start in range(0, len(big), 99_991):
            talk.send(big[start : start + 99_991])
        talk.send(b".\r\n")
        assert talk.reply().startswith("250")
        assert door.receiver.envelopes[0].raw == big.replace(b"\r\n.", b"\r\n")
    assert "secret" not in caplog.text
    assert "support.facebook.com" not in caplog.text


# Limits belong to the instance
def test_it_shares_no_limits_between_two_listeners() -> None:
    with (
        OpenDoor(limits=Limits(command_bytes=100)) as small,
        OpenDoor() as large,
        small.talk() as one,
        large.talk() as other,
    ):
        for talk in (one, other):
            talk.ask("EHLO x.example")
        long = f"MAIL FROM:<{'a' * 200}@b.example>"
        assert one.ask(long).startswith("500 5.5.6")
        assert other.ask(long).startswith("250")
        assert one.ask("MAIL FROM:<a@b.example>").startswith("250")
    assert dict(SMTP.command_size_limits) == {}


def test_it_drops_an_endless_command_line_without_keeping_it() -> None:
    with OpenDoor() as door, door.talk() as talk:
        talk.send(b"NOOP " + b"x" * 3_000_000 + b"\r\nNOOP\r\n")
        assert talk.reply().startswith("500 5.5.6")
        assert talk.reply().startswith("250")


# Loops
def test_it_refuses_a_message_with_more_than_fifty_received() -> None:
    hop = b"Received: from a by b; Mon, 23 Nov 2026 04:00:00 +0000\r\n"
    with OpenDoor() as door, door.talk() as talk:
        talk.start_mail()
        assert talk.data(hop * 50 + MAIL).startswith("250")
        talk.start_mail()
        assert talk.data(hop * 51 + MAIL).startswith("554 5.4.6")
        assert eventually(lambda: [why.code for *_, why in door.receiver.turned] == ["mail_loop"])


def test_it_refuses_too_much_header_and_too_large_a_message_in_step() -> None:
    limits = Limits(header_bytes=5_000, message_bytes=20_000)
    with OpenDoor(limits=limits) as door, door.talk() as talk:
        talk.start_mail()
        assert talk.data(b"X: y\r\n" * 1000 + b"\r\nbody\r\n").startswith("554 5.6.0")
        talk.start_mail()
        assert talk.data(MAIL + b"z" * 78 + b"\r\n" * 20_000).startswith("552 5.3.4")
        talk.start_mail()
        assert talk.data(MAIL + b"z" * 10_000 + b"\r\n").startswith("250")
        codes = [why.code for *_, why in door.receiver.turned]
        assert codes == ["headers_too_large", "too_large"]


# Work in an executor does not hold up other sessions
def test_it_serves_others_while_one_message_is_being_worked_on() -> None:
    release = threading.Event()

    async def deciding(_envelope: Envelope) -> Decision:
        await asyncio.to_thread(release.wait, 10)
        return decision("accepted")

    with OpenDoor() as door, door.talk() as busy, door.talk() as other:
        door.receiver.deciding = deciding
        busy.start_mail()
        busy.ask("DATA")
        busy.send(MAIL + b".\r\n")
        other.start_mail()
        assert other.ask("NOOP").startswith("250")
        release.set()
        assert busy.reply().startswith("250")


def test_it_gives_others_a_turn_while_one_client_floods_it_with_commands() -> None:
    answered = 0
    longest = 0

    class Counting:
        """A configuration that counts how often it is asked: once a command outside of a transaction."""

        def __init__(self, snapshot: Snapshot) -> None:
            self.snapshot = snapshot

        @property
        def current(self) -> Snapshot:
            nonlocal answered
            answered += 1
            return self.snapshot

    async def ticking() -> None:
        nonlocal longest
        before = 0
        while answered < 400:
            longest, before = max(longest, answered - before), answered
            await asyncio.sleep(0)

    with OpenDoor() as door, door.talk() as flood:
        object.__setattr__(door.endpoint, "configuration", Counting(door.configuration.current))
        ticker = asyncio.run_coroutine_threadsafe(ticking(), door.loop)
        flood.send(b"EHLO x.example\r\n" * 400)
        for _ in range(400):
            assert flood.reply().startswith("250-")
        ticker.result(10)
    assert 0 < longest <= 32


# closing
def test_it_finishes_the_message_in_hand_and_sends_idle_clients_away_when_it_closes() -> None:
    with OpenDoor() as door, door.talk() as busy, door.talk() as idle:
        slow_store(door)
        busy.start_mail()
        busy.ask("DATA")
        busy.send(MAIL + b".\r\n")
        time.sleep(0.05)
        closing = asyncio.run_coroutine_threadsafe(door.listener.close(5), door.loop)
        assert idle.reply().startswith("421 4.3.2")
        assert busy.reply().startswith("250")
        assert busy.reply().startswith("421 4.3.2")
        idle.sock.close()
        busy.sock.close()
        closing.result(10)
        with pytest.raises(OSError):
            door.talk().__enter__()


def test_it_cuts_what_is_left_when_the_time_to_close_is_over() -> None:
    with OpenDoor() as door, door.talk() as stuck:
        stuck.start_mail()
        stuck.ask("DATA")
        door.run(door.listener.close(0.1))
        assert stuck.closed()
        assert door.listener.connections == 0
