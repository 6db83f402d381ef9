"""Files of the shop's own that are broken, endless or hostile: each command ends soon, with one sentence."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from relaydesk_testkit.serving import PATIENCE, SOURCE
from tests.support import commands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def run(place: Path, *words: str) -> tuple[int, str]:
    """A command in the shop's folder: its exit status and what it says on stderr."""
    with contextlib.chdir(place):
        done = commands.run(*words)
    return done.exit_code, done.stderr


def run_apart(place: Path, *words: str) -> tuple[int, str]:
    """The same in a process of its own, which may take so much memory and no more."""
    done = subprocess.run(
        [sys.executable, "-m", "relaydesk", *words],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        timeout=PATIENCE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        check=False,
    )
    return done.returncode, done.stderr.decode()


MEMORY = 1_500_000_000  # bytes of address space, of which the libraries take some hundred millions


def one_sentence(ended: tuple[int, str], *named: str) -> None:
    status, told = ended
    assert status in (1, 2), (status, told[-2000:])
    assert "Traceback" not in told
    assert len(told.strip().splitlines()) <= 3, told[-2000:]
    assert len(told) < 2000
    for word in named:
        assert word in told


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)
# What each of our YAML files may meet; all of it names the file and the line.
YAMLS = {
    "aliases": (BOMB, "line 1: anchors"),
    "a merge": ("x: 1\n<<: {a: b}\n", "line 2: merge keys"),
    "a tag": ("x: !!python/object/apply:os.system [id]\n", "line 1: tags"),
    "a key twice": ("x: 1\ny: 2\nx: 3\n", "line 3: key 'x' is there twice"),
    "no key": ("true: 1\n", "line 1: a key cannot be"),
    "an octal": ("x: 0755\n", "line 1: 0755 begins with a zero"),
    "documents": ("x: 1\n---\ny: 2\n", "line 2: a second document"),
    "a tab": ("x:\n\ty: 1\n", "line 2: a tab cannot indent"),
    "a NUL": ("x: 1\ny: \0\n", "line 2: the character U+0000"),
    "deep nesting": ("x: " + "[" * 100_000, "line 1: this is nested"),
    "deep blocks": ("- " * 50_000, "line 1: this is nested"),
    "a huge number": ("x: " + "9" * 5000, "line 1: 99"),
    "no number": ("x: .nan\n", "line 1: .nan is no number"),
    "a million lines": ("x:\n" + "  - 10.1.2.3\n" * 1_000_000, "larger than"),
}
READERS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "settings": lambda name: ("--config", name, "config", "show"),
    "allowlist": lambda name: ("allowlist", "check", name),
    "calendar": lambda name: ("due", "--received", "2026-11-24T12:00:00Z", "--calendar", name),
    "zone": lambda name: ("explain", "mail.eml", "--peer", "192.0.2.1", "--zone", name),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shop")
    (place / "mail.eml").write_bytes(b"From: a@b.example\r\n\r\nHello\r\n")
    return place


@pytest.mark.parametrize("yaml", YAMLS)
def test_no_yaml_is_more_than_a_sentence(place: Path, yaml: str) -> None:
    text, named = YAMLS[yaml]
    (place / "bad.yaml").write_text(text)
    reader = sorted(READERS)[
        sorted(YAMLS).index(yaml) % len(READERS)
    ]  # each kind by one, each reader by some
    one_sentence(run(place, *READERS[reader]("bad.yaml")), "bad.yaml", named)


def test_a_process_of_its_own_needs_little_memory_for_it(place: Path) -> None:
    (place / "bomb.yaml").write_text(BOMB)
    one_sentence(run_apart(place, "--config", "bomb.yaml", "config", "show"), "bomb.yaml, line 1: anchors")
    one_sentence(run_apart(place, "orders", "import", "/dev/zero"), "/dev/zero")
    (place / "long.csv").write_bytes(b"order_id," + b"x" * 20_000_000)
    one_sentence(run_apart(place, "orders", "import", "long.csv"), "long.csv, line 1")


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_is_not_waited_for(place: Path, reader: str) -> None:
    pipe, latin = place / "pipe", place / "latin.yaml"
    if not pipe.exists():
        os.mkfifo(pipe)
    latin.write_bytes("# first\nx: M\xfcller\n".encode("latin-1"))
    one_sentence(run(place, *READERS[reader]("pipe")), "pipe")
    one_sentence(run(place, *READERS[reader]("/dev/zero")), "/dev/zero")
    one_sentence(run(place, *READERS[reader]("latin.yaml")), "latin.yaml, line 2", "UTF-8")


SETTINGS = {
    "sweep_seconds": ".inf",
    "outage_hours": "1e308",
    "give_up_hours": "1e300",
    "drain_seconds": "-1",
    "old_signature_days": "999999999999",
    "listen": "['127.0.0.1:70000']",
    "processes": "1e9",
    "limits": "{idle_seconds: 1e400}",
    "mailboxes": "[[a]]",
    "calendar": "{business_day: 1}",
    "queues": "{case: {answer: '99999999999999999999 business days'}}",
    "tls_certificate": "pipe",
    "allowlist": "/dev/zero",
    "rules": "pipe",
    "gateway_rules": "mail.eml",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_is_more_than_a_sentence(
    place: Path, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong is said before a port is bound."""
    monkeypatch.setattr("relaydesk.server.parent_process.bind", lambda *_: pytest.fail("it would serve"))
    if not (place / "pipe").exists():
        os.mkfifo(place / "pipe")
    more = {"mailboxes": "[help@shop.example]", "listen": "['127.0.0.1:0']", setting: SETTINGS[setting]}
    if setting == "tls_certificate":
        more["tls_key"] = "/dev/zero"
    if setting == "gateway_rules":
        more |= {"gateway_listen": "['127.0.0.1:0']", "tls_certificate": "mail.eml", "tls_key": "mail.eml"}
    (place / "relaydesk.yaml").write_text("".join(f"{name}: {value}\n" for name, value in more.items()))
    try:
        one_sentence(run(place, "serve"))
    finally:
        (place / "relaydesk.yaml").unlink()


ROW = "order_id,amount\n"
ORDERS: dict[str, bytes] = {
    "a NUL.csv": ROW.encode() + b"64000841784004,\0\n",
    "one line.csv": b"order_id," + b"x" * 3_000_000,
    "an endless record.csv": ROW.encode() + b'"a\n' + b'b","c\n' * 800_000,
    "deep.json": b"[" * 200_000,
    "deep.jsonl": b'{"a":' * 200_000,
    "digits.json": b'[{"order_id": ' + b"9" * 5000 + b"}]",
    "one value.json": b'"' + b"x" * 3_000_000,
    "latin.json": '[{"order_id": "\xfc"}]'.encode("latin-1"),
}


@pytest.mark.parametrize("name", ORDERS)
def test_no_order_file_is_more_than_a_sentence(place: Path, name: str) -> None:
    (place / name).write_bytes(ORDERS[name])
    one_sentence(run(place, "orders", "import", name))


def test_numbers_of_orders_that_overflow_are_left_out(place: Path) -> None:
    digits = "9" * 5000
    (place / "numbers.json").write_text(
        f'[{{"order_id": "64000841784004", "amount": 1e308, "created_at": {digits}, "items": '
        f'[{{"id": "1", "quantity": {digits}, "price": "{digits}"}}]}}]'
    )
    status, told = run(place, "orders", "import", "numbers.json")
    assert status == 0, told
    assert "Row 1 without its amount" in told


def test_an_order_pipe_is_not_waited_for(place: Path) -> None:
    if not (place / "pipe").exists():
        os.mkfifo(place / "pipe")
    one_sentence(run(place, "orders", "import", "pipe"), "pipe")
    one_sentence(run(place, "explain", "pipe", "--peer", "192.0.2.1"), "pipe")
