"""The admin's side against a real DNS server and a real SMTP port on loopback."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.doctor.published import audit_networks, check_domain
from relaydesk_testkit.zones import dns_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.doctor.published import Finding

GOOD: dict[str, list[Any]] = {
    "shop.example": [{"TXT": "v=spf1 mx -all"}, {"MX": [10, "mx.shop.example"]}],
    "_dmarc.shop.example": [{"TXT": "v=DMARC1; p=reject"}],
    "mx.shop.example": [{"A": "127.0.0.1"}],
}


@contextmanager
def smtp(extension: bytes) -> Iterator[int]:
    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mx.shop.example\r\n")
            while line := self.rfile.readline():
                quitting = line.upper().startswith(b"QUIT")
                self.wfile.write(b"221 bye\r\n" if quitting else b"250-mx\r\n250 " + extension + b"\r\n")
                if quitting:
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def findings(zone: dict[str, list[Any]], port: int | None = None) -> dict[str, Finding]:
    with dns_server(zone) as server:
        found = check_domain("Shop.Example.", [server.address], 0.5, smtp_port=port or closed_port())
    return {one.check: one for one in found}


def test_it_finds_a_good_domain_good() -> None:
    with smtp(b"STARTTLS") as port:
        found = findings(GOOD, port)
    assert {check: one.level for check, one in found.items()} == dict.fromkeys(
        ("spf", "dmarc", "mx", "starttls"), "ok"
    )


def test_it_misses_starttls() -> None:
    with smtp(b"SIZE") as port:
        assert findings(GOOD, port)["starttls"].level == "warn"


def test_a_port_that_cannot_be_reached_is_unchecked() -> None:
    assert findings(GOOD)["starttls"].level == "unchecked"


@pytest.mark.parametrize(
    ("name", "records", "check", "level", "words"),
    [
        ("shop.example", [{"MX": [10, "mx.shop.example"]}], "spf", "fail", "publish a TXT"),
        ("shop.example", [{"TXT": "v=spf1 bogus -all"}], "spf", "fail", "is broken"),
        ("shop.example", [{"TXT": "v=spf1 mx ?all"}], "spf", "warn", "end it in ~all or -all"),
        ("shop.example", [{"TXT": "v=spf1 -all"}, {"TXT": "v=spf1 ~all"}], "spf", "fail", "multiple"),
        ("shop.example", [{"TXT": "v=spf1 include:gone.example -all"}], "spf", "fail", "gone.example"),
        ("shop.example", ["TIMEOUT"], "spf", "unchecked", "could not be checked"),
        ("shop.example", ["SERVFAIL"], "mx", "unchecked", "could not be checked"),
        ("shop.example", [{"TXT": "v=spf1 -all"}], "mx", "fail", "publish an MX"),
        ("shop.example", [{"MX": [0, ""]}], "mx", "fail", "publish an MX"),
        ("mx.shop.example", [{"TXT": "x"}], "starttls", "fail", "has no address"),
        ("mx.shop.example", ["SERVFAIL"], "starttls", "unchecked", "has no address"),
        ("_dmarc.shop.example", [{"TXT": "x"}], "dmarc", "fail", "publish a TXT at _dmarc.shop.example"),
        ("_dmarc.shop.example", [{"TXT": "v=DMARC1; p=none"}], "dmarc", "warn", "raise it"),
        ("_dmarc.shop.example", [{"TXT": "v=DMARC1; p=bogus"}], "dmarc", "fail", "is broken"),
        ("_dmarc.shop.example", ["SERVFAIL"], "dmarc", "unchecked", "could not be checked"),
        ("_dmarc.shop.example", ["TIMEOUT"], "dmarc", "unchecked", "could not be checked"),
    ],
)
def test_it_tells_what_is_wrong(name: str, records: list[Any], check: str, level: str, words: str) -> None:
    found = findings({**GOOD, name: records})[check]
    assert (found.level, words in found.text) == (level, True), found


def test_the_policy_of_a_parent_counts() -> None:
    zone = {name: records for name, records in GOOD.items() if name != "_dmarc.shop.example"}
    assert findings(zone | {"_dmarc.example": [{"TXT": "v=DMARC1; p=reject"}]})["dmarc"].level == "ok"


@pytest.mark.parametrize("domain", ["", "localhost", "a b.example", "x\ny.example"])
def test_it_names_what_is_no_domain(domain: str) -> None:
    with pytest.raises(ValueError, match="is not a domain name"):
        check_domain(domain)


SENDERS: dict[str, list[Any]] = {
    "one.example": [
        {"TXT": "v=spf1 ip4:192.0.2.0/25 include:in.example a mx -ip4:10.0.0.0/8 redirect=to.example"},
        {"A": "198.51.100.1"},
        {"MX": [5, "m.example"]},
    ],
    "in.example": [{"TXT": "v=spf1 ip6:2001:db8::/32 ip4:192.0.2.0/25 ?all"}],
    "to.example": [{"TXT": "v=spf1 ip4:203.0.113.0/24 -all"}],
    "m.example": [{"A": "198.51.100.2"}],
    "two.example": [{"TXT": "v=spf1 ip4:192.0.2.0/25 exists:%{i}.x.example -all"}],
    "none.example": [{"A": "192.0.2.1"}],
    "slow.example": ["SERVFAIL"],
    "half.example": [{"TXT": "v=spf1 include:slow.example -all"}],
}


def _audit(senders: list[str], networks: list[str]) -> Any:
    with dns_server(SENDERS) as server:
        return audit_networks(senders, networks, [server.address], 0.5)


def test_it_finds_published_networks_that_the_list_lacks() -> None:
    found = _audit(["one.example", "two.example"], ["203.0.113.0/25"])
    assert [(str(network), senders) for network, senders in found.lacking] == [
        ("192.0.2.0/25", ("one.example", "two.example")),
        ("198.51.100.1/32", ("one.example",)),
        ("198.51.100.2/32", ("one.example",)),
        ("203.0.113.0/24", ("one.example",)),
        ("2001:db8::/32", ("one.example",)),
    ]
    assert found.remarks == ("two.example also permits by exists:%{i}.x.example, which names no networks.",)


def test_it_finds_listed_networks_that_nobody_publishes() -> None:
    found = _audit(["two.example"], ["192.0.2.0/26", "192.0.2.64/26", "192.0.2.128/25", "2001:db8::/32"])
    assert found.lacking == (), "two halves are a whole"
    assert [str(network) for network in found.unpublished] == ["192.0.2.128/25", "2001:db8::/32"]


def test_it_says_what_it_could_not_tell() -> None:
    found = _audit(["none.example", "slow.example", "half.example"], [])
    assert found.lacking == ()
    assert "An SPF record does not exist" in found.remarks[0]
    assert found.remarks[1].startswith("slow.example could not be checked")
    assert found.remarks[2].startswith("half.example could not be checked: no answer for slow.example")


def test_it_names_a_network_that_is_none() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        audit_networks([], ["nonsense"])
