"""Gateway and forward against a real Postfix, which stands for the help desk's own mail server."""

from __future__ import annotations

import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING

import dkim
import pytest
import trustme

from relaydesk.bounces.seals import sealed_by_us
from relaydesk.intake.forward import Forwarding
from relaydesk.mailauth.dkim import verify_dkim
from relaydesk.outbound.courier import Courier
from relaydesk.outbound.dispatcher import Dispatcher
from relaydesk.outbound.next_hop import NextHop
from relaydesk.policy.decision import Placement
from relaydesk.store import messages
from relaydesk_testkit.arriving import AUTH, NOON, candidate, decision, parsed_message, planned
from relaydesk_testkit.arriving import envelope as arrived
from relaydesk_testkit.sending import SendingFacts
from relaydesk_testkit.signing import MESSAGE, SELECTOR, key_zone, over, signed
from relaydesk_testkit.smtp import Holder
from tests.support import postfix
from tests.support.gateway import (
    ALICE,
    HEAD,
    ORDER,
    PASSWORD,
    OpenGateway,
    add_zendesk,
    answer_mail,
    asked,
    made,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.store.engine import Store

US = "mx.shop.example"
TRACE = f"Received: from a.example by {US} with ESMTPS; x\r\nAuthentication-Results: {US}; dkim=pass\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def gateway(sqlite_store: Store, authority: trustme.CA) -> Iterator[OpenGateway]:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    add_zendesk(sqlite_store)
    with OpenGateway(sqlite_store, server) as opened:
        yield opened


def smarthost(
    gateway: OpenGateway, authority: trustme.CA, folder: Path, password: str = PASSWORD
) -> dict[str, str]:
    """Postfix's settings by which it hands all mail to the gateway."""
    trusted = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    return {
        "relayhost": f"[127.0.0.1]:{gateway.port}",
        "smtp_sasl_auth_enable": "yes",
        "smtp_sasl_password_maps": f"static:zendesk:{password}",
        "smtp_tls_security_level": "verify",
        "smtp_tls_verify_cert_match": "hostname",
        "smtp_tls_CAfile": str(trusted),
    }


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Postfix can read, unlike those of the test runner."""
    import shutil
    import tempfile

    made_here = Path(tempfile.mkdtemp(prefix="relaydesk-ca-", dir="/tmp"))
    made_here.chmod(0o755)
    yield made_here
    shutil.rmtree(made_here, ignore_errors=True)


async def test_the_signature_of_a_forwarded_message_still_passes_behind_postfix(sqlite_store: Store) -> None:
    domain = "support.facebook.com"
    forged = b"Authentication-Results: mx.shop.example; dkim=pass header.d=evil.example\r\n"
    raw = forged + signed(b"Message-ID: <q1@facebook.com>\r\n" + MESSAGE, domain=domain)
    message = replace(arrived(b""), raw=raw)
    decided = decision(
        Placement("open", thread_key=ALICE, bind_orders=(ORDER,)),
        clocks=(planned(),),
        candidates=(candidate(),),
    )
    forwarding = Forwarding({decided.queue: "cases@desk.example"}, HEAD, US)
    below = forwarding.below(message, decided)
    assert below is not None
    with sqlite_store.transaction() as session:
        kept = messages.record(session, message, parsed_message(), AUTH, decided, trace=TRACE, now=NOON)
        number = forwarding.lay(
            session, message, decided, kept, below=below, trace=TRACE, subject="Hello", now=NOON
        )
    assert number is not None
    with postfix.running() as server:
        await dispatch(sqlite_store, server.port)
        [mail] = server.mails()
    [row] = rows(sqlite_store)
    assert row.state == "sent", row
    [found] = [one for one in await verify_dkim(mail, over(key_zone(domain)), NOON) if one.domain == domain]
    assert found.result == "pass", found
    record = key_zone(domain)[f"{SELECTOR}._domainkey.{domain}"][0]
    assert isinstance(record, dict)
    assert dkim.verify(mail, dnsfunc=lambda *_, **__: record["TXT"].encode())
    assert mail.endswith(raw.removeprefix(forged))
    seen = BytesParser(policy=policy.compat32).parsebytes(mail)
    assert seen["X-Relaydesk-Queue"] == "case"
    assert seen["X-Relaydesk-Order"] == ORDER
    assert seen["X-Relaydesk-Ticket"] == str(kept.ticket_id)
    assert seen["X-Relaydesk-Due"] == "2026-11-26T12:00:00+00:00"
    assert seen.get_all("Authentication-Results") == [f"{US}; dkim=pass"]
    sender = seen["Return-Path"].strip("<>")
    assert sealed_by_us(HEAD.secret, sender) == (kept.ticket_id, row.id)


async def dispatch(store: Store, port: int) -> None:
    """Send what is due to a hop on this port."""
    hop = Courier(NextHop("127.0.0.1", port, "opportunistic"), helo=US, resolver=over({}))
    dispatcher = Dispatcher(
        store=store,
        configuration=Holder(SendingFacts(sender=HEAD, forward_to=frozenset({"cases@desk.example"}))),
        courier=hop,
        who="test",
        clock=lambda: NOON,
        chance=lambda: 0.5,
        workers=ThreadPoolExecutor(1),
    )
    assert await dispatcher.once() == 1
    await hop.close()


def test_the_desks_answer_arrives_repaired_through_postfix(
    gateway: OpenGateway, authority: trustme.CA, folder: Path, sqlite_store: Store
) -> None:
    kept = asked(sqlite_store)
    pixel = (
        '<p>On its way</p><img src="https://desk.example/o.gif" width="1" height="1"><p>Powered by Zammad</p>'
    )
    raw = answer_mail(
        "On its way",
        subject="[Ticket#4711] Re: Hello",
        Cc="boss@desk.example",
        In_Reply_To="<1@facebook.com>",
        X_Mailer="Zammad Mail Service",
    )
    raw = raw.replace(b"<p>On its way</p>", pixel.encode())
    with postfix.running(**smarthost(gateway, authority, folder)) as server:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as desk:
            desk.sendmail("agent@desk.example", [ALICE], raw)
        server.until(lambda: bool(rows(sqlite_store)))
        server.until(lambda: "status=sent" in server.log())
        told = server.log()
    assert "250 2.0.0 Ok: stored" in told
    [row] = rows(sqlite_store)
    assert (row.author, row.recipient, row.message_id, row.order_id) == (
        "gateway:zendesk", ALICE, kept.message_id, ORDER,
    )  # fmt: skip
    message = made(sqlite_store, row.id)
    assert (message["To"], message["Cc"], message["Received"]) == (ALICE, None, None)
    assert message["Subject"] == f"Re: Hello (order {ORDER})"
    html = message.get_body(("html",))
    assert html is not None
    shown = html.get_content()
    assert "<img" not in shown and "Zammad" not in shown
    assert ORDER in shown and "On its way" in shown


def test_postfix_sends_a_refused_answer_back_with_the_reason(
    gateway: OpenGateway, authority: trustme.CA, folder: Path, sqlite_store: Store
) -> None:
    asked(sqlite_store, bind=())
    with postfix.running(**smarthost(gateway, authority, folder)) as server:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as desk:
            desk.sendmail("agent@desk.example", [ALICE], answer_mail("Hello"))
        [bounce] = server.mails()
    assert b"No order is bound to ticket 1" in bounce.replace(b"\r\n    ", b" ")
    assert rows(sqlite_store) == []


STRANGERS = [
    "victim@example.com",
    "case++bbbb@support.facebook.com",
    "help@shop.example",
    "case++aaaa@support.facebook.com.evil.example",
    '"case++aaaa@support.facebook.com"@evil.example',
    "case++aaaa%support.facebook.com@shop.example",
    "postmaster@support.facebook.com",
]


def test_postfix_cannot_use_the_gateway_as_an_open_relay(
    gateway: OpenGateway, authority: trustme.CA, folder: Path, sqlite_store: Store
) -> None:
    asked(sqlite_store)
    with postfix.running(**smarthost(gateway, authority, folder)) as server:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as desk:
            refused = desk.sendmail("agent@desk.example", [*STRANGERS, ALICE], answer_mail())
        taken = len(STRANGERS) - len(refused)
        server.until(lambda: server.log().count("status=bounced") >= taken)
        server.until(lambda: "status=sent" in server.log())
        told = server.log()
    assert taken >= 5
    bounced = [line for line in told.splitlines() if "status=bounced" in line]
    assert all("550 5.7.1 Relaying denied" in line for line in bounced), bounced
    assert [row.recipient for row in rows(sqlite_store)] == [ALICE]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"smtp_sasl_password_maps": "static:zendesk:wrong"}, "535 5.7.8"),
        ({"smtp_sasl_auth_enable": "no"}, "530 5.7.0 Authentication required"),
        (
            {"smtp_tls_security_level": "none"},
            "no mechanism available|did not offer SASL|530 5.7.0 Must issue",
        ),
        (
            {"smtp_tls_security_level": "none", "smtp_sasl_auth_enable": "no"},
            "530 5.7.0 Must issue a STARTTLS",
        ),
    ],
)
def test_postfix_gets_nothing_through_without_login_and_tls(
    gateway: OpenGateway, authority: trustme.CA, folder: Path, settings: dict[str, str], told: str
) -> None:
    store = gateway.gateway.store
    asked(store)
    with postfix.running(**(smarthost(gateway, authority, folder) | settings)) as server:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as desk:
            desk.sendmail("agent@desk.example", [ALICE], answer_mail())
        server.until(lambda: "status=deferred" in server.log() or "status=bounced" in server.log())
        log = server.log()
    assert any(one in log for one in told.split("|")), log[-2000:]
    assert "status=sent (250" not in log
    assert rows(store) == []
