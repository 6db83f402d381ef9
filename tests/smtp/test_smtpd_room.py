"""Room for messages: small ones by places, large ones by bytes, shared fairly between peers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from relaydesk.smtpd import content, receive_buffer
from relaydesk.smtpd.data_reader import DataReader
from relaydesk.smtpd.limits import Limits
from relaydesk.smtpd.receive_buffer import ReceiveBuffer
from relaydesk_testkit.serving import eventually
from relaydesk_testkit.smtp import MAIL, OpenDoor, Talk, decision

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from relaydesk.message.envelope import Envelope
    from relaydesk.policy.decision import Decision

SMALL, LARGEST = 10_000, 100_000
ROOM = Limits(
    message_bytes=LARGEST,
    small_message_bytes=SMALL,
    bytes_in_flight=3 * LARGEST,
    concurrent_data=4,
    slot_seconds=30.0,
)
BIG = MAIL + (b"x" * 70 + b"\r\n") * 1_000
NO_ROOM = "452 4.3.1 Not enough memory now, please try again later"
#: 127.0.0.1 and 127.0.0.2 are listed networks, 127.0.1.0/24 is a relay.
RELAYED = "networks: [127.0.0.0/24]\nrelays: [127.0.1.0/24]\nsenders: [support.facebook.com]\n"


def held(door: OpenDoor) -> threading.Event:
    """Lets the work on messages begin and not end until the event is set."""
    free = threading.Event()

    async def deciding(_envelope: Envelope) -> Decision:
        await asyncio.to_thread(free.wait, 30)
        return decision("accepted")

    door.receiver.deciding = deciding
    return free


def silent(talk: Talk, seconds: float = 0.3) -> bool:
    """Whether the server says nothing for a while."""
    talk.sock.settimeout(seconds)
    try:
        data = talk.sock.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        talk.sock.settimeout(15)
    return not data


@contextlib.contextmanager
def clients(door: OpenDoor, count: int, source: str = "127.0.0.1") -> Iterator[list[Talk]]:
    """So many clients that have said all up to DATA."""
    with ExitStack() as stack:
        talks = [stack.enter_context(door.talk(source=source)) for _ in range(count)]
        for talk in talks:
            talk.start_mail()
        yield talks


def test_it_receives_the_next_message_while_the_last_is_in_work() -> None:
    with OpenDoor(limits=Limits(concurrent_data=1)) as door, clients(door, 3) as talks:
        free = held(door)
        for talk in talks:
            assert talk.ask("DATA").startswith("354")
            talk.send(MAIL + b".\r\n")
        free.set()
        assert [talk.reply()[:3] for talk in talks] == ["250"] * 3


def test_it_keeps_places_for_others_beside_one_peer_that_trickles() -> None:
    with (
        OpenDoor(limits=ROOM) as door,
        clients(door, 4, "127.0.0.2") as slow,
        clients(door, 1) as [good],
    ):
        for talk in slow:
            talk.send(b"DATA\r\n")
        assert [silent(talk) for talk in slow].count(True) == 1
        assert good.data().startswith("250")


def test_it_keeps_places_for_listed_networks_beside_relays() -> None:
    with ExitStack() as stack:
        door = stack.enter_context(OpenDoor(RELAYED, limits=ROOM))
        for last in range(1, 5):
            [talk] = stack.enter_context(clients(door, 1, f"127.0.1.{last}"))
            talk.send(b"DATA\r\n")
        [good] = stack.enter_context(clients(door, 1))
        assert good.data().startswith("250")


def test_it_keeps_bytes_for_listed_networks_beside_relays() -> None:
    with ExitStack() as stack:
        door = stack.enter_context(OpenDoor(RELAYED, limits=ROOM))
        for last in range(1, 5):
            [talk] = stack.enter_context(clients(door, 1, f"127.0.1.{last}"))
            talk.ask("DATA")
            talk.send(BIG)
        [good] = stack.enter_context(clients(door, 1))
        assert good.data(BIG).startswith("250")


def test_it_passes_small_messages_while_large_ones_wait() -> None:
    with OpenDoor(limits=ROOM) as door, clients(door, 8) as large, clients(door, 1) as [small]:
        for talk in large:
            assert talk.ask("DATA").startswith("354")
            talk.send(BIG)
        assert small.data().startswith("250")
        for talk in large:
            talk.send(b".\r\n")
        assert [talk.reply()[:3] for talk in large] == ["250"] * 8


def test_it_lets_half_received_messages_come_to_their_end_in_any_order() -> None:
    with OpenDoor(limits=ROOM) as door, clients(door, 8) as talks:
        for talk in talks:
            talk.ask("DATA")
            talk.send(BIG[: len(BIG) // 2])
        for talk in reversed(talks):
            talk.send(BIG[len(BIG) // 2 :] + b".\r\n")
        assert [talk.reply()[:3] for talk in talks] == ["250"] * 8
        assert {len(envelope.raw) for envelope in door.receiver.envelopes} == {len(BIG)}


def test_it_says_452_when_no_room_comes_and_stays_in_step() -> None:
    limits = Limits(
        message_bytes=LARGEST, small_message_bytes=SMALL, bytes_in_flight=LARGEST, slot_seconds=0.1
    )
    with OpenDoor(limits=limits) as door, clients(door, 3) as [first, second, third]:
        free = held(door)
        first.ask("DATA")
        first.send(BIG + b".\r\n")
        second.ask("RSET")
        second.ask(f"MAIL FROM:<a@support.facebook.com> SIZE={LARGEST}")
        second.ask("RCPT TO:<help@shop.example>")
        assert second.ask("DATA") == NO_ROOM
        assert third.data(BIG * 3) == NO_ROOM
        door.run(asyncio.sleep(0))  # refusals are counted after their reply
        assert [why.code for *_, why in door.receiver.turned] == ["insufficient_storage"] * 2
        free.set()
        assert first.reply().startswith("250")
        for talk in (second, third):
            talk.ask("RSET")
            talk.start_mail()
            assert talk.data(BIG).startswith("250")


def test_it_takes_a_declared_size_for_a_hint_only() -> None:
    with OpenDoor(limits=ROOM) as door, door.talk() as talk:
        for declared in (0, 1, SMALL + 1, len(BIG), LARGEST):
            talk.ask("EHLO x.example")
            talk.ask(f"MAIL FROM:<a@support.facebook.com> SIZE={declared}")
            talk.ask("RCPT TO:<help@shop.example>")
            # One that declared itself large, and less than it is, is asked to come again.
            assert talk.data(BIG)[:3] == ("452" if declared == SMALL + 1 else "250")


def test_it_waits_for_room_before_it_lets_a_declared_large_message_come() -> None:
    with OpenDoor(limits=ROOM) as door, clients(door, 2) as talks, door.talk() as waiting:
        for talk in talks:
            talk.ask("DATA")
            talk.send(BIG)
        waiting.ask("EHLO x.example")
        waiting.ask(f"MAIL FROM:<a@support.facebook.com> SIZE={len(BIG)}")
        waiting.ask("RCPT TO:<help@shop.example>")
        waiting.send(b"DATA\r\n")
        assert silent(waiting)
        talks[0].send(b".\r\n")
        assert talks[0].reply().startswith("250")
        assert waiting.reply().startswith("354")


def test_it_gives_all_room_back_however_a_message_ends() -> None:
    limits = Limits(
        message_bytes=LARGEST, small_message_bytes=SMALL, bytes_in_flight=LARGEST, concurrent_data=1
    )
    with OpenDoor(limits=limits) as door:
        for sent in (b"", MAIL, BIG, BIG * 2, b"x" * 200_000, MAIL + b"a\nb\r\n", BIG + b"a\nb\r\n.\r\n"):
            with clients(door, 1) as [talk]:
                talk.ask("DATA")
                talk.send(sent)
            with clients(door, 1) as [talk]:
                assert talk.data(BIG).startswith("250")
                talk.start_mail()
                assert talk.data().startswith("250")


def test_nothing_is_left_of_clients_that_reset_their_connection_anywhere() -> None:
    commands = b"EHLO x\r\nMAIL FROM:<a@support.facebook.com>\r\nRCPT TO:<help@shop.example>\r\nDATA\r\n"
    with OpenDoor(RELAYED, replace(ROOM, bytes_in_flight=2 * LARGEST, slot_seconds=0.3)) as door:
        for number in range(60):
            with door.talk(greeting=number % 3 > 0, source=f"127.0.{number % 2}.{number % 5 + 1}") as talk:
                with contextlib.suppress(OSError):
                    talk.send(commands[: len(commands) * number // 30])
                    if number >= 30:  # somewhere in the content, or at its end
                        eventually(lambda talk=talk: talk.reply().startswith("354"), "DATA")  # type: ignore[misc]
                        talk.send(BIG[: len(BIG) * (number - 30) // 28])
                        talk.send(b".\r\n" if number > 57 else b"")
                    time.sleep(0.005)
                talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        eventually(lambda: door.listener.connections == 0, "the end of all of them")
        # All room is there again: four places, and the bytes of two large messages.
        with clients(door, 3) as three, clients(door, 1, "127.0.0.2") as [fourth]:
            assert {talk.ask("DATA")[:3] for talk in (*three, fourth)} == {"354"}
            for talk in (three[0], fourth):
                talk.send(BIG)
            for talk in (three[0], fourth):
                talk.send(b".\r\n")
                assert talk.reply().startswith("250")


def test_it_says_421_to_a_client_that_sends_too_slowly_however_steadily() -> None:
    with OpenDoor(limits=Limits(idle_seconds=0.4)) as door, clients(door, 1) as [talk]:
        talk.ask("DATA")
        talk.sock.settimeout(0.05)
        heard = b""
        for byte in MAIL * 4:
            talk.send(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                heard = talk.sock.recv(200)
                break
        assert heard.startswith(b"421 4.4.2")


def test_it_does_not_hold_the_time_against_a_client_that_it_lets_wait() -> None:
    limits = Limits(
        message_bytes=LARGEST,
        small_message_bytes=SMALL,
        bytes_in_flight=LARGEST,
        idle_seconds=0.5,
        data_seconds=0.6,
    )
    with OpenDoor(limits=limits) as door, clients(door, 2) as [first, second]:
        free = held(door)
        first.ask("DATA")
        first.send(BIG + b".\r\n")
        second.ask("DATA")
        second.send(BIG + b".\r\n")
        assert silent(second, 1.0)
        free.set()
        assert [talk.reply()[:3] for talk in (first, second)] == ["250", "250"]


def test_it_is_not_woken_for_every_tiny_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks: list[int] = []
    feed = DataReader.feed

    def counted(reader: DataReader, chunk: bytes) -> bool:
        chunks.append(len(chunk))
        return feed(reader, chunk)

    monkeypatch.setattr(DataReader, "feed", counted)
    body = MAIL + b"..\r\n" * 500
    with OpenDoor() as door, clients(door, 1) as [talk]:
        talk.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk.ask("DATA")
        began = time.monotonic()
        for byte in body + b".\r\n":
            talk.send(bytes([byte]))
            time.sleep(0)
        assert talk.reply().startswith("250")
        took = time.monotonic() - began
        assert door.receiver.envelopes[0].raw == body.replace(b"\r\n..", b"\r\n.")
    assert len(chunks) <= content.FREE_TINY + took / receive_buffer.COLLECT + 2


def test_it_is_not_woken_for_every_piece_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[int] = []
    feed = ReceiveBuffer.feed

    def counted(buffer: ReceiveBuffer, data: bytes) -> None:
        pieces.append(len(data))
        feed(buffer, data)

    monkeypatch.setattr(ReceiveBuffer, "feed", counted)
    with OpenDoor() as door, door.talk() as talk:
        talk.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.monotonic()
        for byte in b"NOOP" + b" " * 2_000 + b"\r\n":
            talk.send(bytes([byte]))
            time.sleep(0)
        assert talk.reply().startswith("250")
        took = time.monotonic() - began
        assert talk.ask("NOOP").startswith("250")
    assert len(pieces) <= receive_buffer.FREE_PIECES + took / receive_buffer.COLLECT + 4
