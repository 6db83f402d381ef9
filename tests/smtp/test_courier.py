"""The courier against a real server: phases, kept connections, TLS, AUTH, mail hosts by DNS."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from relaydesk.dns.resolver import Resolver
from relaydesk.dns.zone import ZoneSource, parse_zone
from relaydesk.outbound.courier import Courier
from relaydesk.outbound.next_hop import NextHop, Timeouts
from relaydesk_testkit.nexthop import DROP, LOSE, SILENT, SLOW, NextHopServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.outbound.answer import HopReply

SHORT = Timeouts(connect=0.3, command=0.3, dot=0.3, total=5.0, idle=5.0)
RAW = b"From: help@shop.example\r\nMessage-ID: <1@shop.example>\r\n\r\n.one\r\n..two\r\n\xc3\xa4\r\n"
SENDER, ALICE = "bounces+1.1-x@shop.example", "case++alice@support.facebook.com"


def courier(hop: NextHop, timeouts: Timeouts = SHORT, **more: Any) -> Courier:
    resolver = more.pop("resolver", None) or Resolver(ZoneSource(parse_zone(more.pop("zone", {}))))
    return Courier(hop, helo="mail.shop.example", resolver=resolver, timeouts=timeouts, **more)


async def deliver(server: NextHopServer, hop: NextHop | None = None, **more: Any) -> HopReply:
    carrier = courier(hop or NextHop("127.0.0.1", server.port, "opportunistic"), **more)
    try:
        return await carrier.deliver(SENDER, more.pop("to", ALICE), RAW)
    finally:
        await carrier.close()


def at(where: str, act: str) -> Callable[[str, str], str]:
    return lambda phase, _: act if phase == where else ""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "mx.facebook.example").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_it_hands_over_every_byte_and_tells_the_250() -> None:
    async with NextHopServer() as server:
        reply = await deliver(server)
    assert (reply.code, reply.phase, reply.certain) == (250, "dot", True)
    (taken,) = server.taken
    assert (taken.mail_from, taken.rcpt, taken.raw) == (SENDER, ALICE, RAW)
    assert server.commands[:3] == [
        "EHLO mail.shop.example",
        f"MAIL FROM:<{SENDER}> SIZE={len(RAW)} BODY=8BITMIME",
        f"RCPT TO:<{ALICE}>",
    ]


@pytest.mark.parametrize("phase", ["connect", "hello", "mail", "rcpt", "data", "dot"])
async def test_a_reply_at_any_phase_comes_back_with_it(phase: str) -> None:
    async with NextHopServer(at(phase, "554 5.7.1 not here")) as server:
        reply = await deliver(server)
    assert (reply.code, reply.text, reply.phase, reply.certain) == (554, "5.7.1 not here", phase, True)
    assert server.taken == []


@pytest.mark.parametrize("act", [DROP, SILENT])
@pytest.mark.parametrize("phase", ["connect", "hello", "mail", "rcpt", "data", "dot"])
async def test_silence_at_any_phase_is_a_reply_too(phase: str, act: str) -> None:
    async with NextHopServer(at(phase, act)) as server:
        reply = await deliver(server)
    assert (reply.code, reply.phase, reply.certain) == (0, phase, phase != "dot")
    assert reply.text
    assert server.taken == []


@pytest.mark.parametrize(("phase", "act", "copies"), [("body", DROP, 0), ("dot", LOSE, 1)])
async def test_it_is_not_sure_once_the_message_was_on_its_way(phase: str, act: str, copies: int) -> None:
    async with NextHopServer(at(phase, act)) as server:
        reply = await deliver(server)
    assert (reply.code, reply.phase, reply.certain) == (0, "dot", False)
    assert len(server.taken) == copies


async def test_a_slow_hop_is_waited_for() -> None:
    async with NextHopServer(lambda *_: SLOW, late=0.1) as server:
        assert (await deliver(server)).code == 250


async def test_one_delivery_has_a_time_in_all() -> None:
    async with NextHopServer(at("rcpt", SILENT)) as server:
        patient = Timeouts(connect=5, command=5, dot=5, total=0.2)
        reply = await deliver(server, timeouts=patient)
    assert (reply.code, reply.phase, reply.certain) == (0, "rcpt", True)
    assert "time" in reply.text


async def test_nobody_there_is_a_reply_too() -> None:
    async with NextHopServer() as server:
        port = server.port
    reply = await courier(NextHop("127.0.0.1", port, "opportunistic")).deliver(SENDER, ALICE, RAW)
    assert (reply.code, reply.phase) == (0, "connect")


@pytest.mark.parametrize(
    "recipient", ["sm\N{LATIN SMALL LETTER O WITH DIAERESIS}r@x.example", "a\r\nDATA@x.example"]
)
async def test_an_address_that_is_none_is_not_sent(recipient: str) -> None:
    async with NextHopServer() as server:
        hop = NextHop("127.0.0.1", server.port, "opportunistic")
        reply = await courier(hop).deliver(SENDER, recipient, RAW)
    assert reply.phase == "rcpt" and reply.code in (0, 553)
    assert not [line for line in server.commands if line.startswith(("RCPT", "DATA"))]


# --- kept connections ---------------------------------------------------------------------------------


async def test_it_keeps_its_connection_for_the_next_message() -> None:
    async with NextHopServer() as server:
        carrier = courier(NextHop("127.0.0.1", server.port, "opportunistic"))
        for _ in range(5):
            assert (await carrier.deliver(SENDER, ALICE, RAW)).code == 250
        await carrier.close()
        assert (server.connections, len(server.taken), server.commands[-1]) == (1, 5, "QUIT")


async def test_it_hangs_up_when_there_is_no_work() -> None:
    async with NextHopServer() as server:
        idle = Timeouts(connect=1, command=1, dot=1, idle=0.05)
        carrier = courier(NextHop("127.0.0.1", server.port, "opportunistic"), idle)
        await carrier.deliver(SENDER, ALICE, RAW)
        await asyncio.sleep(0.3)
        assert server._open == set()
        assert (await carrier.deliver(SENDER, ALICE, RAW)).code == 250
        assert server.connections == 2
        await carrier.close()


async def test_it_begins_a_new_connection_after_many_messages() -> None:
    async with NextHopServer() as server:
        few = Timeouts(messages=2)
        carrier = courier(NextHop("127.0.0.1", server.port, "opportunistic"), few)
        for _ in range(5):
            await carrier.deliver(SENDER, ALICE, RAW)
        await carrier.close()
        assert (server.connections, len(server.taken)) == (3, 5)


@pytest.mark.parametrize("act", [DROP, "421 4.4.2 idle too long"])
async def test_a_kept_connection_that_died_costs_nothing(act: str) -> None:
    turns = iter(["", act, ""])
    async with NextHopServer(lambda phase, _: next(turns) if phase == "mail" else "") as server:
        carrier = courier(NextHop("127.0.0.1", server.port, "opportunistic"))
        for _ in range(2):
            assert (await carrier.deliver(SENDER, ALICE, RAW)).code == 250
        await carrier.close()
        assert (server.connections, len(server.taken)) == (2, 2)


async def test_it_drops_the_connection_after_a_refusal() -> None:
    async with NextHopServer(
        lambda phase, rcpt: "550 no" if (phase, rcpt[:1]) == ("rcpt", "b") else ""
    ) as server:
        carrier = courier(NextHop("127.0.0.1", server.port, "opportunistic"))
        assert (await carrier.deliver(SENDER, "bob@x.example", RAW)).code == 550
        assert (await carrier.deliver(SENDER, ALICE, RAW)).code == 250
        await carrier.close()
        assert [one.rcpt for one in server.taken] == [ALICE]


async def test_deliveries_at_the_same_time_do_not_wait_for_each_other() -> None:
    async with NextHopServer(lambda phase, rcpt: SILENT if rcpt.startswith("slow") else "") as server:
        carrier = courier(NextHop("127.0.0.1", server.port, "opportunistic"), Timeouts(command=5, total=3))
        stuck = asyncio.create_task(carrier.deliver(SENDER, "slow@x.example", RAW))
        await asyncio.sleep(0.05)
        assert (await carrier.deliver(SENDER, ALICE, RAW)).code == 250
        assert not stuck.done()
        stuck.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stuck
        await carrier.close()


# --- TLS and AUTH -------------------------------------------------------------------------------------


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("login_only", [True, False])
async def test_it_logs_in_under_tls(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, implicit: bool, login_only: bool
) -> None:
    server = NextHopServer(tls=server_tls, implicit=implicit, users={"shop": "secret"}, login_only=login_only)
    async with server:
        hop = NextHop("127.0.0.1", server.port, "implicit" if implicit else "required", "shop", "secret")
        reply = await deliver(server, hop, tls=client_tls)
    assert reply.code == 250
    assert server.taken[0].user == "shop"


async def test_a_wrong_password_is_told_with_its_phase(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with NextHopServer(tls=server_tls, users={"shop": "secret"}) as server:
        hop = NextHop("127.0.0.1", server.port, "required", "shop", "wrong")
        reply = await deliver(server, hop, tls=client_tls)
    assert (reply.code, reply.phase) == (535, "auth")


async def test_it_gives_no_password_in_the_clear() -> None:
    async with NextHopServer(users={"shop": "secret"}) as server:
        hop = NextHop("127.0.0.1", server.port, "opportunistic", "shop", "secret")
        reply = await deliver(server, hop)
    assert (reply.code, reply.phase) == (0, "auth")
    assert not [line for line in server.commands if line.startswith("AUTH")]


async def test_it_sends_nothing_where_tls_is_required_and_missing() -> None:
    async with NextHopServer() as server:
        reply = await deliver(server, NextHop("127.0.0.1", server.port, "required"))
    assert (reply.code, reply.phase) == (0, "starttls")
    assert server.taken == []


async def test_it_trusts_no_certificate_of_strangers(server_tls: ssl.SSLContext) -> None:
    async with NextHopServer(tls=server_tls) as server:
        reply = await deliver(server, NextHop("127.0.0.1", server.port, "required"))
    assert (reply.code, reply.phase) == (0, "starttls")
    assert server.taken == []


async def test_welcome_tls_that_fails_is_done_without(server_tls: ssl.SSLContext) -> None:
    async with NextHopServer(at("starttls", "454 4.7.0 not now"), tls=server_tls) as server:
        reply = await deliver(server)
    assert (reply.code, server.connections) == (250, 2)


async def test_a_password_never_goes_where_welcome_tls_failed(server_tls: ssl.SSLContext) -> None:
    server = NextHopServer(at("starttls", "454 4.7.0 not now"), tls=server_tls, users={"shop": "secret"})
    async with server:
        hop = NextHop("127.0.0.1", server.port, "opportunistic", "shop", "secret")
        reply = await deliver(server, hop)
    assert (reply.phase, server.connections) == ("starttls", 1)


# --- the recipient's own mail hosts -------------------------------------------------------------------

ZONE: dict[str, list[object]] = {
    "support.facebook.com": [{"MX": [10, "mx.facebook.example"]}],
    "mx.facebook.example": [{"A": "127.0.0.1"}],
    "two.example": [{"MX": [20, "mx.facebook.example"]}, {"MX": [10, "dead.example"]}],
    "dead.example": [{"A": "127.0.0.9"}],
    "plain.example": [{"A": "127.0.0.1"}],
    "none.example": [{"MX": [0, ""]}],
    "silent.example": ["TIMEOUT"],
    "broken.example": [{"MX": [10, "silent.example"]}],
    "nowhere.example": [{"MX": [10, "empty.example"]}],
    "empty.example": [{"TXT": "nothing else"}],
}


@pytest.mark.parametrize("domain", ["support.facebook.com", "two.example", "plain.example"])
async def test_it_finds_the_mail_hosts_of_the_domain(domain: str, server_tls: ssl.SSLContext) -> None:
    async with NextHopServer(tls=server_tls) as server:
        carrier = courier(NextHop("", server.port, "opportunistic"), zone=ZONE)
        reply = await carrier.deliver(SENDER, f"case++alice@{domain}", RAW)
        await carrier.close()
    assert reply.code == 250
    assert "STARTTLS" in server.commands


@pytest.mark.parametrize(
    ("domain", "code", "phase"),
    [
        ("none.example", 556, "rcpt"),
        ("absent.example", 550, "rcpt"),
        ("nowhere.example", 550, "rcpt"),
        ("silent.example", 0, "connect"),
        ("broken.example", 0, "connect"),
    ],
)
async def test_it_knows_no_from_unknown(domain: str, code: int, phase: str) -> None:
    reply = await courier(NextHop("", 1, "opportunistic"), zone=ZONE).deliver(SENDER, f"a@{domain}", RAW)
    assert (reply.code, reply.phase) == (code, phase)


async def test_a_refusal_of_the_recipient_is_not_asked_elsewhere() -> None:
    zone: dict[str, list[object]] = {
        "x.example": [{"MX": [1, "mx.facebook.example"]}],
        "mx.facebook.example": [{"A": "127.0.0.1"}, {"A": "127.0.0.1"}],
    }
    async with NextHopServer(at("rcpt", "550 5.1.1 no such user")) as server:
        carrier = courier(NextHop("", server.port, "opportunistic"), zone=zone)
        reply = await carrier.deliver(SENDER, "a@x.example", RAW)
    assert (reply.code, server.connections) == (550, 1)


def test_it_names_the_hop_for_the_record() -> None:
    assert courier(NextHop("mail.example", 587)).name("a@X.example") == "mail.example"
    assert courier(NextHop("", 25)).name("a@X.example") == "x.example"
