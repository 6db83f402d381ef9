"""The whole program: a case comes in by SMTP, is answered by a command, reaches the relay; bounces."""

from __future__ import annotations

import json
import os
import select
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from datetime import datetime
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dkim
import pytest
import trustme
from click.testing import CliRunner, Result

from relaydesk.cli import cli
from relaydesk.store.engine import Store
from relaydesk_testkit.arriving import candidate, open_ticket
from relaydesk_testkit.signing import MESSAGE, key_zone, signed
from relaydesk_testkit.smtp import Talk
from relaydesk_testkit.zones import dns_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
RELAY = "case++aazr5wey3juyyq@support.instagram.com"
ORDER = "64000841784004"
CASE = MESSAGE.replace(
    b"Where is my parcel?",
    b"Facebook order number: 64000841784004\r\nMerchant order number: A-1\r\n\r\nWhere is my parcel?",
).replace(b"Subject:", b"Message-ID: <case-1@instagram.example>\r\nSubject:")
ORDERS = f"order_id,merchant_ref,state\n{ORDER},A-1,CREATED\n"
BOUNCE = (
    "From: MAILER-DAEMON@hop.example\r\nSubject: Undelivered\r\nAuto-Submitted: auto-replied\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; hop.example\r\n\r\n"
    f"Final-Recipient: rfc822; {RELAY}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n%s\r\n\r\n--b--\r\n"
)
UNCLEAR = "From: MAILER-DAEMON@hop.example\r\nSubject: Notice\r\n\r\nThis is about your mail.\r\n"
AWAY = "From: someone@meta.example\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\nBack soon.\r\n"


def eventually(condition: Callable[[], Any], what: str) -> Any:
    until = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < until, f"{what} did not happen in {PATIENCE:.0f} s"
        time.sleep(0.05)
    return found


class Shop:
    """A shop's folder: its settings, and the commands typed in it."""

    def __init__(self, place: Path, **settings: object) -> None:
        self.place = place
        (place / "allowlist.yaml").write_text("networks: [127.0.0.1]\nsenders: [support.instagram.com]\n")
        self.settings = {
            "mailboxes": ["help@shop.example"],
            "support_contact": "Example Shop <help@shop.example>",
            "hostname": "mx.shop.example",
            "allowlist": str(place / "allowlist.yaml"),
            "database": f"sqlite:///{place / 'relaydesk.db'}",
            "log_format": "json",
            "sweep_seconds": 0.5,
            "undo_seconds": 1,
            **settings,
        }
        self.configure()
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("RELAYDESK_")}
        self.environment["PYTHONPATH"] = str(ROOT / "src")

    def configure(self, **settings: object) -> None:
        self.settings |= settings
        (self.place / "relaydesk.yaml").write_text(json.dumps(self.settings))  # JSON is YAML

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A process of its own; what it logs goes to a file."""
        with (self.place / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "relaydesk", *words],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.place,
                env=self.environment,
            )  # fmt: skip

    def run(self, *words: str, stdin: str = "", code: int = 0) -> Result:
        """A command in this process, which is much quicker."""
        typed = ["--config", str(self.place / "relaydesk.yaml"), *words]
        agent = self.environment.get("RELAYDESK_AGENT")
        done = CliRunner(env={"RELAYDESK_AGENT": agent}).invoke(
            cli, typed, input=stdin, catch_exceptions=False
        )
        assert done.exit_code == code, (words, done.output)
        return done

    def json(self, *words: str, stdin: str = "") -> Any:
        return json.loads(self.run(*words, "--json", stdin=stdin).stdout)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
    return process.stdout.readline().strip() if ready else ""


def end(process: subprocess.Popen[str]) -> int:
    process.terminate()
    process.communicate(timeout=PATIENCE)
    return process.returncode


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Meta's relay in a process of its own: its port, and where it writes what it took."""
    taken = tmp_path / "taken"
    taken.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "relaydesk_testkit.meta_relay", str(taken)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))},
    )  # fmt: skip
    yield int(said(process)), taken
    process.kill()
    process.wait(PATIENCE)
    if process.stdout is not None:
        process.stdout.close()


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop's folder with orders and agents; each test has a copy of it."""
    place = tmp_path_factory.mktemp("furnished")
    made = Shop(place)
    made.run("db", "upgrade")
    (place / "orders.csv").write_text(ORDERS)
    made.run("orders", "import", str(place / "orders.csv"))
    made.run("agents", "add", "alice", "--display-name", "Alice A.")
    made.run("agents", "add", "bob", "--role", "lead")
    return place


@pytest.fixture
def shop(furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    place = shutil.copytree(furnished, tmp_path / "shop")
    monkeypatch.chdir(place)
    return Shop(place)


def hand_in(port: int, raw: bytes, rcpt: str, mail_from: str, source: str = "127.0.0.1") -> str:
    """The reply to one mail, handed in from a loopback address."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=(source, 0)) as sock:
        talk = Talk(sock)
        talk.reply()
        for command in ("EHLO mx-out.facebook.com", f"MAIL FROM:<{mail_from}>", f"RCPT TO:<{rcpt}>"):
            reply = talk.ask(command)
            if not reply.startswith("250"):
                return reply
        return talk.data(raw)


def taken(where: Path, number: int) -> tuple[dict[str, str], bytes]:
    envelope = where / f"{number:04}.json"
    eventually(envelope.exists, f"message {number} at the relay")
    return json.loads(envelope.read_text()), envelope.with_suffix(".eml").read_bytes()


def parsed(raw: bytes) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(raw)  # type: ignore[arg-type,return-value]


def clock(shop: Shop) -> dict[str, Any]:
    return dict(shop.json("ticket", "1")["clocks"][0])


def test_it_answers_a_case_and_hears_of_its_bounce(shop: Shop, relay: tuple[int, Path]) -> None:
    port, where = relay
    record = shop.json("dkim", "new", "--selector", "s1", "--out", "s1.pem")
    with dns_server({**key_zone(), "_dmarc.support.instagram.com": [{"TXT": "v=DMARC1; p=reject"}]}) as dns:
        shop.configure(
            listen=["127.0.0.1:0"],
            processes=1,
            nameservers=[dns.address],
            next_hop=f"smtp://127.0.0.1:{port}",
            next_hop_starttls=False,
            answer_dkim={"domain": "shop.example", "selector": "s1", "key": str(shop.place / "s1.pem")},
        )
        serve = shop.start("serve")
        try:
            door = int(said(serve).rpartition(":")[2])
            _demo(shop, door, where, record)
        finally:
            assert end(serve) == 0


def _demo(shop: Shop, door: int, where: Path, record: dict[str, str]) -> None:
    # a case comes in
    assert hand_in(door, signed(CASE), "help@shop.example", RELAY).startswith("250 2.0.0")
    started = clock(shop)
    assert (started["clock"], started["stopped_at"]) == ("response", None)
    # and is answered
    typed = shop.start("answer", "1", "--text", "-", "--as", "alice", "--json")
    queued = json.loads(typed.communicate("It left on Monday. — Alice\n", PATIENCE)[0])
    assert (queued["recipient"], queued["order_id"]) == (RELAY, ORDER)
    envelope, raw = taken(where, 1)
    _is_right(envelope, raw, record)
    # the clock stops at the hop's 250
    stopped = eventually(lambda: (c := clock(shop))["stopped_at"] and c, "the stop of the clock")
    sent = shop.json("outbox", "--all")[0]
    assert (sent["state"], stopped["stopped_how"]) == ("sent", "answered")
    assert sent["sent_at"] == stopped["stopped_at"]
    assert datetime.fromisoformat(sent["sent_at"]) >= datetime.fromisoformat(queued["leaves_at"])
    assert "sent" in shop.run("ticket", "1").stdout
    assert _met(shop) == 1
    # what starts nothing
    assert hand_in(door, AWAY.encode(), envelope["mail_from"], "", "127.0.0.2").startswith("250")
    twice = BOUNCE % "From: MAILER-DAEMON@hop.example\r\nMessage-ID: <9@hop.example>"
    assert hand_in(door, twice.encode(), envelope["mail_from"], "", "127.0.0.2").startswith("250")
    assert clock(shop)["stopped_at"] == stopped["stopped_at"]
    # a stranger may bounce and do nothing else
    assert hand_in(door, AWAY.encode(), "help@shop.example", "", "127.0.0.2").startswith("550 5.7.1")
    # what does not say whether it arrived is for a person to look at, although all was done and closed
    _is_shown(shop, door, envelope["mail_from"])
    # a hard bounce gives the clock back
    original = f"Message-ID: {parsed(raw)['message-id']}"
    assert hand_in(door, (BOUNCE % original).encode(), envelope["mail_from"], "", "127.0.0.2")[:3] == "250"
    assert clock(shop) == started
    assert _met(shop) == 0
    ticket = shop.json("ticket", "1")
    assert [answer["state"] for answer in ticket["answers"]] == ["bounced"]
    assert [message["kind"] for message in ticket["messages"]] == [
        "case",
        "bounce",
        "bounce",
        "bounce",
        "bounce",
    ]
    assert shop.run("ticket", "2", code=1).stderr == "relaydesk: There is no ticket 2.\n"
    assert len(list(where.glob("*.json"))) == 1  # nothing was sent in reply to any of it


def _is_shown(shop: Shop, door: int, bounces: str) -> None:
    shop.run("ticket", "1", "--close", "--as", "bob")
    assert shop.run("queue", "--needs-look").stdout == "No open ticket matches.\n"
    assert hand_in(door, UNCLEAR.encode(), bounces, "", "127.0.0.2").startswith("250")
    (row,) = shop.json("queue", "--needs-look")
    assert (row["id"], row["state"], row["needs_look"]) == (1, "open", "bounce_unclear")
    assert {count["queue"]: count["needs_look"] for count in shop.json("queue")}["case"] == 1
    assert "bounce unclear" in shop.run("queue", "case").stdout
    assert "bounce unclear" in shop.run("ticket", "1").stdout
    assert "sent, unclear bounce" in shop.run("outbox").stdout
    assert clock(shop)["stopped_how"] == "answered"
    shop.run("ticket", "1", "--looked-at", "--as", "alice")
    assert shop.json("queue", "--needs-look") == []
    assert shop.json("outbox") == []


def _is_right(envelope: dict[str, str], raw: bytes, record: dict[str, str]) -> None:
    assert envelope["rcpt"] == RELAY
    assert envelope["mail_from"].startswith("bounces+1.1-")
    message = parsed(raw)
    assert (message["to"], message["from"]) == (RELAY, "Example Shop <help@shop.example>")
    assert message["cc"] is message["bcc"] is None
    assert message["subject"].startswith("Re: Message from alice")
    assert ORDER in message["subject"]
    assert message["in-reply-to"] == "<case-1@instagram.example>"
    for kind in ("plain", "html"):
        text = message.get_body((kind,)).get_content()  # type: ignore[union-attr]
        assert "It left on Monday. — Alice" in text
        assert ORDER in text
        assert "A-1" in text
    names: list[str] = []

    def dnsfunc(name: bytes, **_: object) -> bytes:
        names.append(name.decode().rstrip("."))
        return record["record"].encode()

    assert dkim.verify(raw, dnsfunc=dnsfunc)
    assert names == [record["name"]] == ["s1._domainkey.shop.example"]
    assert not dkim.verify(raw.replace(b"Monday", b"Sunday"), dnsfunc=dnsfunc)


def _met(shop: Shop) -> int:
    report = json.loads(shop.run("report", "sla", "--format", "json").stdout)
    return int(report["overall"]["met"]["count"])


# --- the commands, with nobody sending ----------------------------------------------------------------


@pytest.fixture
def asked(shop: Shop) -> Shop:
    """A shop with one case in its store, about an order that is not in the directory yet."""
    store = Store.open(str(shop.settings["database"]))
    open_ticket(store, candidates=(candidate("368509000000001"),), name="alice")
    store.close()
    (shop.place / "allowlist.yaml").write_text("networks: []\nsenders: [support.facebook.com]\n")
    return shop


def test_it_keeps_a_refused_text_and_sends_it_later(asked: Shop) -> None:
    refused = asked.run("answer", "1", "--text", "-", "--as", "alice", stdin="My words", code=1).stderr
    assert "(368509000000001 not found): choose one with --order" in refused
    assert "kept as a draft" in refused
    assert asked.json("ticket", "1")["drafts"] == [{"author": "agent:alice", "text": "My words"}]
    shown = asked.run("answer", "1", "--draft", "--order", "368509000000001", "--as", "alice", "--dry-run")
    assert "To: case++alice@support.facebook.com" in shown.stdout
    assert "My words" in shown.stdout
    assert asked.json("outbox") == []
    done = asked.run("answer", "1", "--draft", "--order", "368509000000001", "--as", "alice")
    assert "about order 368509000000001, will be sent " in done.stdout
    assert asked.json("ticket", "1")["drafts"] == []
    late = asked.run(
        "answer", "1", "--text", "-", "--no-order", "--seen", "1", "--as", "bob", stdin="Mine", code=1
    ).stderr
    assert "has changed since you looked at it: alice wrote answer 1" in late


def test_it_ties_an_order_that_comes_later(asked: Shop) -> None:
    (asked.place / "late.csv").write_text("order_id\n368509000000001\n368509000000002\n")
    assert asked.run("orders", "import", "late.csv").stdout == (
        "2 added, 0 updated, 0 unchanged, 0 skipped, 1 ticket tied.\n"
    )
    assert [number["how"] for number in asked.json("ticket", "1")["numbers"]] == ["bound"]
    assert asked.json("orders", "import", "late.csv")["tied"] == 0


def test_a_case_that_was_a_chargeback_by_mistake_keeps_no_evidence_clock(asked: Shop) -> None:
    def running() -> dict[str, str]:
        clocks = asked.json("ticket", "1")["clocks"]
        return {clock["clock"]: clock["due_at"] for clock in clocks if clock["stopped_at"] is None}

    asked.run("ticket", "1", "--move", "chargeback", "--as", "bob")
    chargeback = running()
    assert set(chargeback) == {"response", "evidence"}
    asked.run("ticket", "1", "--move", "case", "--as", "bob")
    assert set(running()) == {"response"}
    asked.run("ticket", "1", "--move", "chargeback", "--as", "bob")
    assert running() == chargeback


def test_it_takes_an_answer_back(asked: Shop) -> None:
    asked.configure(undo_seconds=600)
    made = asked.json("answer", "1", "--text", "-", "--no-order", "--as", "bob", stdin="Hello")
    assert [row["state"] for row in asked.json("outbox")] == ["queued"]
    assert "has been cancelled" in asked.run("outbox", "cancel", str(made["answer"]), "--as", "bob").stdout
    assert "Nothing waits" in asked.run("outbox").stdout
    assert "cancelled" in asked.run("outbox", "--all").stdout
    assert "is cancelled" in asked.run("outbox", "retry", str(made["answer"]), "--as", "bob", code=1).stderr
    assert "no answer 7" in asked.run("outbox", "cancel", "7", "--as", "bob", code=1).stderr
    events = [event["what"] for event in asked.json("ticket", "1")["events"]]
    assert events[-3:] == ["answer_queued", "no_order_confirmed", "answer_cancelled"]


def test_it_fills_templates_and_encloses_labels(asked: Shop) -> None:
    (asked.place / "label.pdf").write_bytes(b"%PDF-1.7\n%EOF\n")
    words = (
        "answer",
        "1",
        "--as",
        "alice",
        "--template",
        "shipped-with-tracking",
        "--order",
        "368509000000001",
        "--dry-run",
    )
    assert "is needed" in asked.run(*words, code=1).stderr
    needs = {one["name"]: one["needs"] for one in asked.json("templates", "list")}["shipped-with-tracking"]
    given = [word for need in needs for word in ("--set", f"{need}=ABC 123")]
    message = parsed(asked.run(*words, *given, "--attach", "label.pdf").stdout.encode())
    assert "ABC 123" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert [part.get_content_type() for part in message.iter_attachments()] == ["application/pdf"]
    (asked.place / "virus.pdf").write_bytes(b"MZ\x90\x00" + b"\0" * 60)
    refused = asked.run(*words, *given, "--attach", "virus.pdf", code=1).stderr
    assert "virus.pdf is" in refused


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("answer", "1"), "Choose one of --template NAME, --text FILE and --draft"),
        (("answer", "1", "--text", "-", "--set", "a.b=c"), "--set goes with --template"),
        (("answer", "1", "--text", "gone.txt"), "gone.txt"),
        (("answer", "1", "--draft", "--text", "-"), "Choose one of"),
        (("dkim", "new", "--domain", "no domain"), "is not a domain name"),
        (("dkim", "new", "--out", "relaydesk.yaml"), "already exists"),
    ],
)
def test_it_says_how_to_mend_a_wrong_call(asked: Shop, words: tuple[str, ...], told: str) -> None:
    assert told in asked.run(*words, code=2).stderr


def test_it_makes_a_key_only_its_owner_reads(shop: Shop) -> None:
    told = shop.run("dkim", "new").stdout
    assert 'relaydesk._domainkey.shop.example. IN TXT "v=DKIM1; k=rsa;' in told
    assert "answer_dkim: {domain: shop.example, selector: relaydesk" in told
    assert (shop.place / "relaydesk.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"support_contact": "help@elsewhere.example"}, "elsewhere.example is not a domain of the mailboxes"),
        ({"answer_dkim": {"domain": "shop.example", "selector": "s", "key": "gone.pem"}}, "gone.pem"),
        (
            {"answer_dkim": {"domain": "shop.example", "selector": "s", "key": "orders.csv"}},
            "not hold a private key",
        ),
        (
            {"answer_dkim": {"domain": "other.example", "selector": "s", "key": "orders.csv"}},
            "does not vouch",
        ),
        ({"gateway_listen": ["127.0.0.1:0"]}, "needs a certificate"),
        ({"forward": {"parcels": "a@b.example"}}, "unknown queue parcels"),
        ({"forward": {"claim": "Help@shop.example"}}, "is one of our own mailboxes"),
        ({"forward": {"claim": "nowhere"}}, "'nowhere' is not an email address"),
        ({"forward": {"claim": "a@b.example, c@d.example"}}, "is not an email address"),
        ({"forward": {"claim": "a@b.example\r\nRCPT TO:<c@d.example>"}}, "is not an email address"),
        ({"next_hop": "host:25"}, "is not a next hop"),
    ],
)
def test_it_does_not_start_with_settings_that_cannot_work(
    shop: Shop, settings: dict[str, object], told: str
) -> None:
    shop.configure(listen=["127.0.0.1:0"], **settings)
    assert told in shop.run("serve", code=2).stderr


def test_it_shows_no_password(shop: Shop) -> None:
    shop.configure(next_hop_user="shop", next_hop_password="hush-hush")
    assert "hush-hush" not in shop.run("config", "show").stdout
    assert shop.json("config", "show")["next_hop_password"] == "(set)"


# --- with another help desk ---------------------------------------------------------------------------


def test_it_hands_mail_to_another_desk_and_takes_its_answer(shop: Shop, relay: tuple[int, Path]) -> None:
    port, where = relay
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(shop.place / "gateway.pem"))
    password = shop.json("gateway", "add", "zendesk")["password"]
    with dns_server(key_zone()) as dns:
        shop.configure(
            listen=["127.0.0.1:0"],
            gateway_listen=["127.0.0.1:0"],
            gateway_certificate="gateway.pem",
            processes=1,
            nameservers=[dns.address],
            next_hop=f"smtp://127.0.0.1:{port}",
            next_hop_starttls=False,
            forward={"case": "desk@help.example"},
        )
        serve = shop.start("serve")
        try:
            doors, _, gateway = said(serve).partition("; the gateway on ")
            case = signed(CASE)
            assert hand_in(int(doors.rpartition(":")[2]), case, "help@shop.example", RELAY)[:3] == "250"
            envelope, raw = taken(where, 1)
            assert envelope["rcpt"] == "desk@help.example"
            assert raw.endswith(case)  # not a byte of it is changed
            assert parsed(raw)["x-relaydesk-order"] == ORDER
            trusted = ssl.create_default_context()
            authority.configure_trust(trusted)
            with smtplib.SMTP("localhost", int(gateway.rpartition(":")[2]), timeout=PATIENCE) as desk:
                desk.starttls(context=trusted)
                desk.login("zendesk", password)
                answer = f"From: x@zendesk.example\r\nTo: {RELAY}\r\nSubject: Re: Hi\r\n\r\nOn its way.\r\n"
                desk.sendmail("x@zendesk.example", [RELAY], answer)
            envelope, raw = taken(where, 2)
            assert (envelope["rcpt"], parsed(raw)["from"]) == (RELAY, "Example Shop <help@shop.example>")
            assert ORDER in parsed(raw)["subject"]
            eventually(lambda: clock(shop)["stopped_how"] == "answered", "the stop of the clock")
        finally:
            assert end(serve) == 0
