"""``relaydesk explain``: by the orders and tickets there are, of any bytes, and nothing is changed."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from relaydesk.config.load import load_settings
from relaydesk.config.opening import open_store
from relaydesk.policy.decision import Placement
from relaydesk_testkit.signing import MESSAGE, key_zone, signed
from relaydesk_testkit.zones import dns_server
from tests.support.commands import SETTINGS, cells, data, deliver, make_shop, on_terminal, plain, run

ORDER = "64000841784004"
RELAY = "case++aazr5wey3juyyq@support.instagram.com"
LABELLED = f"Facebook order number: {ORDER}\r\n\r\nWhere is my parcel?\r\n\r\n> Your order\r\n> has shipped"
ZONE = {**key_zone(), "_dmarc.support.instagram.com": [{"TXT": "v=DMARC1; p=reject"}]}
PEER = ("--peer", "66.220.144.130", "--now", "2026-11-24T20:00:00Z")
CONTRACT = {
    *("outcome", "reply", "origin", "auth", "message", "attachments", "bounce", "kind", "queue"),
    *("relay_address", "case_token", "username", "order_ids", "merchant_refs", "candidates", "deadlines"),
    *("reasons", "placement"),
}


@pytest.fixture(scope="module")
def nameserver() -> Any:
    with dns_server(ZONE) as server:
        yield server.address


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nameserver: str) -> Path:
    """A shop with an order, an open ticket of the buyer's relay address, and DNS on this machine."""
    make_shop(tmp_path, monkeypatch)
    Path("relaydesk.yaml").write_text(f'{SETTINGS}nameservers: ["{nameserver}"]\n')
    Path("case.eml").write_bytes(signed(MESSAGE.replace(b"Where is my parcel?", LABELLED.encode())))
    Path("zone.yaml").write_text(json.dumps(ZONE))
    Path("orders.csv").write_text(f"order_id,relay_address\n{ORDER},{RELAY}\n")
    assert run("orders", "import", "orders.csv").exit_code == 0
    store = open_store(load_settings())
    deliver(store, b"\r\nBefore\r\n", Placement("open", thread_key=RELAY), relay_address=RELAY)
    store.close()
    return tmp_path


def explained(*options: str) -> Any:
    return data("explain", "case.eml", *PEER, *options)


def codes(answer: Any) -> set[str]:
    return {why["code"] for why in answer["reasons"]}


def test_it_knows_the_orders_and_tickets_there_are(shop: Path) -> None:
    answer = explained()
    assert answer["outcome"] == "accepted"
    assert (answer["placement"]["action"], answer["placement"]["ticket"]) == ("join", 1)
    assert answer["placement"]["binds"] == [ORDER]
    assert {"joins_relay_address", "order_confirmed"} <= codes(answer)


@pytest.mark.parametrize("options", [("--empty",), ("--zone", "zone.yaml")], ids=" ".join)
def test_it_leaves_the_database_alone_when_told_to(shop: Path, options: tuple[str, ...]) -> None:
    answer = explained(*options)
    assert (answer["placement"]["action"], answer["placement"]["ticket"]) == ("open", None)
    assert {"opens", "order_not_found"} <= codes(answer)


def test_a_ticket_that_was_closed_is_reopened(shop: Path) -> None:
    assert run("agents", "add", "alice").exit_code == 0
    assert run("ticket", "1", "--close", "--as", "alice").exit_code == 0
    answer = explained()
    assert (answer["placement"]["ticket"], answer["placement"]["reopens"]) == (1, True)
    assert "reopens" in codes(answer)


def state(directory: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.iterdir()
        if not path.name.endswith(("-wal", "-shm"))
    }


def test_it_changes_nothing(shop: Path) -> None:
    before = state(shop)
    explained()
    assert run("explain", "case.eml", *PEER).exit_code == 0
    assert state(shop) == before


def test_it_makes_no_database(shop: Path) -> None:
    for path in shop.glob("relaydesk.db*"):
        path.unlink()
    done = run("explain", "case.eml", *PEER, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["placement"]["action"] == "open"
    assert list(shop.glob("relaydesk.db*")) == []


def old_schema(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num='0001'")


def new_schema(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num='9999'")


def no_tables(path: Path) -> None:
    path.unlink()
    sqlite3.connect(path).close()
    path.touch()


def no_database(path: Path) -> None:
    path.write_bytes(b"this is no database at all, whatever its name says" * 100)


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [old_schema, new_schema, no_tables, no_database, a_directory])
def test_of_a_database_that_cannot_be_read_it_says_so_and_goes_on(shop: Path, spoil: Any) -> None:
    for path in shop.glob("relaydesk.db-*"):
        path.unlink()
    spoil(shop / "relaydesk.db")
    done = run("explain", "case.eml", *PEER, "--json")
    assert done.exit_code == 0
    assert done.stderr.startswith("relaydesk: ")
    assert done.stderr.endswith(" It is explained without orders and tickets.\n")
    assert done.stderr.count("\n") == 1
    assert json.loads(done.stdout)["placement"]["action"] == "open"


def test_it_reads_a_database_that_a_server_is_writing(shop: Path) -> None:
    store = open_store(load_settings())
    with store.transaction():
        assert explained()["placement"]["ticket"] == 1
    store.close()


@pytest.mark.parametrize("name", ["100% b#1.db", "ünï cödé.db", "a&mode=rwc.db", "why?.db"])
def test_the_database_may_have_an_odd_name(shop: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with sqlite3.connect("relaydesk.db") as source, sqlite3.connect(name) as copy:
        source.backup(copy)
    monkeypatch.setenv("RELAYDESK_DATABASE", f"sqlite:///{quote(name)}")
    assert explained()["placement"]["ticket"] == 1


# --- the message


def test_every_key_is_there_for_any_bytes(shop: Path) -> None:
    for raw in (b"", b"\0", b"\xff" * 2000, b"From: a@b\n\nx", Path("case.eml").read_bytes()):
        Path("any.eml").write_bytes(raw)
        for options in (("--mail-from", ""), ()):
            answer = data("explain", "any.eml", *PEER, "--empty", *options)
            assert CONTRACT - set(answer) == set()
            assert {"subject", "from_name", "from_address", "text", "quoted", "defects"} == set(
                answer["message"]
            )


def test_what_a_person_reads_is_told_from_what_is_quoted(shop: Path) -> None:
    message = explained()["message"]
    assert "Where is my parcel?" in message["text"]
    assert "has shipped" in message["quoted"]
    assert "has shipped" not in message["text"]


def test_it_reads_well(shop: Path) -> None:
    text = run("explain", "case.eml", *PEER).output
    for line in (
        "outcome  accepted",
        "kind  case, in queue case",
        "ticket  joins ticket 1",
        f"orders bound  {ORDER}",
        "text  ",
        "[… 2 quoted lines; --json shows them]",
        f"order  {ORDER} (labelled, in the text after 'Facebook order number')",
        "DKIM  pass support.instagram.com",
    ):
        assert line in text
    opened = run("explain", "case.eml", *PEER, "--empty").output
    assert "ticket  opens a new ticket" in opened
    assert "response due  Thu 26 Nov 12:00 PST (2 business days, elapsed)" in opened


@pytest.mark.parametrize("columns", [60, 80])
def test_it_fits_the_terminal(shop: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    lines = on_terminal(monkeypatch, columns, "explain", "case.eml", *PEER)
    assert {line for line in lines if cells(line) > columns} == set()
    text = " ".join(" ".join(map(plain, lines)).split())
    assert f"order {ORDER} (labelled, in the text after 'Facebook order number')" in text


def test_nothing_in_it_steers_the_terminal(shop: Path) -> None:
    subject = b"Subject: =?utf-8?q?=1B[31m=C2=9B31m=E2=80=AEx?=\r\n"
    Path("odd.eml").write_bytes(b"From: a@b.example\r\n" + subject + b"\r\n\x1b]0;owned\x07\xc2\x9b2J\r\n")
    for output in (
        run("explain", "odd.eml", *PEER, "--empty").output,
        run("explain", "odd.eml", *PEER, "--empty", "--json").output,
    ):
        assert not {"\x1b", "\x9b", "\x07", "\u202e"} & set(output)


def test_a_file_that_is_too_large_is_not_read_whole(shop: Path) -> None:
    Path("relaydesk.yaml").write_text(f"{SETTINGS}limits: {{message_bytes: 5000}}\n")
    with Path("huge.eml").open("wb") as file:
        file.write(b"Subject: huge\r\n\r\n")
        file.truncate(8 * 1024**3)  # a sparse file: reading it whole would take eight gigabytes
    answer = data("explain", "huge.eml", *PEER, "--empty")
    assert (answer["outcome"], answer["reasons"][0]["code"]) == ("refused", "too_large")
    assert data("explain", "/dev/zero", *PEER, "--empty")["reasons"][0]["code"] == "too_large"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("gone.eml", "relaydesk: gone.eml: No such file or directory.\n"),
        (".", "relaydesk: .: Is a directory.\n"),
        ("case.eml/x", "relaydesk: case.eml/x: Not a directory.\n"),
        ("x" * 300, f"relaydesk: {'x' * 300}: File name too long.\n"),
        ("gone\x1b[31m.eml", "relaydesk: gone\ufffd[31m.eml: No such file or directory.\n"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(shop: Path, path: str, sentence: str) -> None:
    done = run("explain", path, *PEER, "--empty")
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", sentence)


def test_closed_standard_input_is_a_sentence(shop: Path) -> None:
    command = f"{sys.executable} -m relaydesk explain - --peer 192.0.2.1 --empty <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "Standard input is closed" in done.stderr
