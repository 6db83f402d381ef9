"""The configuration of a process: one snapshot, replaced as a whole or not at all."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING

import pytest
import trustme

from relaydesk.config import snapshot as module
from relaydesk.config.parts import SetupError
from relaydesk.config.settings import Settings
from relaydesk.config.snapshot import Configuration, GatewayConfiguration, read_snapshot

if TYPE_CHECKING:
    from pathlib import Path

LISTS = "networks: [192.0.2.0/24]\nsenders: [support.facebook.com]\n"
OTHER_LISTS = "networks: [198.51.100.0/24]\nsenders: [support.instagram.com]\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "lists.yaml").write_text(LISTS, encoding="utf-8")
    (tmp_path / "gateway.yaml").write_text("lines: [Sent by Desk]\n", encoding="utf-8")
    return Settings(
        hostname="mx.shop.example",
        mailboxes=("help@shop.example",),
        allowlist=tmp_path / "lists.yaml",
        gateway_rules=tmp_path / "gateway.yaml",
        forward={"claim": "Claims@desk.example"},
    )


def test_a_snapshot_holds_what_every_room_reads(settings: Settings) -> None:
    snapshot = Configuration(settings, b"s" * 32).current
    assert (snapshot.hostname, snapshot.authserv_id) == ("mx.shop.example", "mx.shop.example")
    assert snapshot.policy.allowlist is snapshot.allowlist
    assert snapshot.policy.secret == b"s" * 32
    assert snapshot.sender is not None
    assert snapshot.sender.secret == snapshot.policy.secret
    assert snapshot.sender.sender_domains == {"support.facebook.com"}
    assert snapshot.forwarding is not None
    assert snapshot.forwarding.sender is snapshot.sender
    assert snapshot.forward_to == {"claims@desk.example"}
    with pytest.raises(FrozenInstanceError):
        snapshot.hostname = "other.example"  # type: ignore[misc]


def test_a_reload_replaces_the_snapshot_and_leaves_the_old_one_as_it_was(
    settings: Settings, tmp_path: Path
) -> None:
    configuration = Configuration(settings, b"")
    before = configuration.current
    (tmp_path / "lists.yaml").write_text(OTHER_LISTS, encoding="utf-8")
    configuration.reload()
    after = configuration.current
    assert set(before.allowlist.senders) == {"support.facebook.com"}
    assert set(after.allowlist.senders) == {"support.instagram.com"}
    assert after.policy.allowlist is after.allowlist
    assert after.sender is not None
    assert after.sender.sender_domains == {"support.instagram.com"}


@pytest.mark.parametrize("broken", ["networks: [192.0.2.0/40]\n", "networks: [", None])
def test_a_broken_file_keeps_all_of_the_old_snapshot_and_the_log_says_so(
    settings: Settings, tmp_path: Path, broken: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = []
    monkeypatch.setattr(module, "log", lambda event, **facts: logged.append((event, facts)))
    configuration = Configuration(settings, b"")
    before = configuration.current
    (tmp_path / "gateway.yaml").write_text("lines: [Sent by another desk]\n", encoding="utf-8")
    if broken is None:
        (tmp_path / "lists.yaml").unlink()
    else:
        (tmp_path / "lists.yaml").write_text(broken, encoding="utf-8")
    configuration.reload()
    assert configuration.current is before
    [(event, facts)] = logged
    assert (event, facts["level"]) == ("reload_failed", "error")
    assert "lists.yaml" in facts["problem"]


def test_the_gateways_part_is_swapped_with_the_whole(settings: Settings, tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("mx.shop.example")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(chain)
    issued.private_key_pem.write_to_path(key)
    with_gateway = settings.model_copy(
        update={"gateway_listen": ("127.0.0.1:0",), "gateway_certificate": chain, "gateway_key": key}
    )
    whole = Configuration(with_gateway, b"")
    configuration = GatewayConfiguration(whole)
    before = configuration.current
    assert before is whole.current.gateway
    assert before.sender is whole.current.sender
    (tmp_path / "gateway.yaml").write_text("lines: [Sent by another desk]\n", encoding="utf-8")
    whole.reload()
    assert configuration.current is whole.current.gateway
    assert configuration.current.rules != before.rules


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"forward": {"claim": "a@desk.example"}}, "need a sender; set support_contact"),
        ({"gateway_listen": ("127.0.0.1:0",)}, "need a sender; set support_contact"),
    ],
)
def test_what_needs_a_sender_says_so_at_the_start(
    settings: Settings, changed: dict[str, object], sentence: str
) -> None:
    nameless = settings.model_copy(update={"mailboxes": (), "support_contact": "", "forward": {}, **changed})
    with pytest.raises(SetupError, match=sentence):
        read_snapshot(nameless, secret=b"", hostname="mx.shop.example")
