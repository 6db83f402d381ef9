"""What the demo runs on: a name server, keys, a settings file, the real server and Meta's relay."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from relaydesk.config import parts
from relaydesk.dns import ZoneServer
from relaydesk.mailauth import dkim_key_record, new_dkim_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from relaydesk.dns import Zone

HOST = "127.0.0.1"
READY_SECONDS = 60.0
STOP_SECONDS = 40.0
LISTENS = " listens on "
SERVER_LOG, RELAY_LOG = "relaydesk.log", "relay.log"
DOMAIN, SELECTOR = "shop.example", "demo"  # of the demo shop's signature


@contextlib.contextmanager
def answering(zone: Zone) -> Iterator[str]:
    """A name server for ``zone`` in a thread of its own; its address."""
    loop, server = asyncio.new_event_loop(), ZoneServer(zone, HOST)
    thread = threading.Thread(target=loop.run_forever, name="dns", daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(READY_SECONDS)
    try:
        yield server.address
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(READY_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(READY_SECONDS)
        loop.close()


def signing_key(place: Path) -> dict[str, list[dict[str, str]]]:
    """Makes the key that signs the demo shop's answers; the zone that publishes it."""
    pem = new_dkim_key()
    (place / "dkim.pem").write_bytes(pem)
    (place / "dkim.pem").chmod(0o600)
    return {f"{SELECTOR}._domainkey.{DOMAIN}": [{"TXT": dkim_key_record(pem)}]}


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the name server is, and on which ports of loopback Meta's relay, SMTP and the pages are."""

    names: str
    relay: int
    smtp: int
    web: int


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the server says it listens: its SMTP port, and the address of its pages."""

    port: int
    web: str = ""


def prepared(place: Path, fixtures: Path, ports: Ports, *, undo_seconds: int) -> Path:
    """The settings file: the demo shop's, and where things are."""
    _certify(place)
    where = {
        "listen": [f"{HOST}:{ports.smtp}"],
        "web": [f"{HOST}:{ports.web}"],
        "undo_seconds": undo_seconds,
        "database": f"sqlite:///{place / 'relaydesk.db'}",
        "allowlist": str(fixtures / "allowlist.yaml"),
        "nameservers": [ports.names],
        "tls_certificate": str(place / "certificate.pem"),
        "tls_key": str(place / "key.pem"),
        "answer_dkim": {"domain": DOMAIN, "selector": SELECTOR, "key": str(place / "dkim.pem")},
        "next_hop": f"smtp://{HOST}:{ports.relay}",
    }
    config = place / "relaydesk.yaml"
    lines = [f"{name}: {json.dumps(value)}\n" for name, value in where.items()]
    config.write_text(
        (fixtures / "relaydesk.yaml").read_text(encoding="utf-8") + "".join(lines), encoding="utf-8"
    )
    return config


def _certify(place: Path) -> None:
    """A self-signed certificate for STARTTLS, good for a month."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.shop.example")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    names = x509.SubjectAlternativeName([x509.DNSName("mx.shop.example")])
    certificate = builder.add_extension(names, critical=False).sign(key, SHA256())
    (place / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (place / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (place / "key.pem").chmod(0o600)


@contextlib.contextmanager
def serving(place: Path, config: Path) -> Iterator[subprocess.Popen[str]]:
    """``relaydesk serve``."""
    with _running(command(config, "serve"), place / SERVER_LOG) as process:
        yield process


@contextlib.contextmanager
def relaying(place: Path, directory: Path) -> Iterator[int]:
    """The process that stands for Meta's relay and takes messages into ``directory``; its port."""
    directory.mkdir()
    meta = [sys.executable, "-m", "relaydesk.demo.meta", str(directory)]
    with _running(meta, place / RELAY_LOG) as process:
        yield announced(process, place / RELAY_LOG).port


@contextlib.contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """A process in a session of its own, so that a Ctrl-C reaches it once, by us."""
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(),
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def announced(process: subprocess.Popen[str], log: Path) -> Listening:
    """Where the server says that it listens. SetupError with its last log lines when it never does."""
    late = threading.Timer(READY_SECONDS, process.kill)
    late.start()
    try:
        for line in process.stdout or ():
            if LISTENS in line:
                smtp, _, web = line.strip().partition("; the desk on ")
                return Listening(int(smtp.rpartition(":")[2]), web)
    finally:
        late.cancel()
    process.wait()
    raise parts.SetupError(f"The server did not start. {last_lines(log)}")


def last_lines(log: Path) -> str:
    lines = log.read_text(encoding="utf-8").splitlines()
    return "Its last log lines: " + (" ".join(lines[-3:]) or "none.")


def command(config: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "relaydesk", "--config", str(config), *arguments]


def environment() -> dict[str, str]:
    """Ours without settings: the demo shop's are all in its file."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RELAYDESK_")}
