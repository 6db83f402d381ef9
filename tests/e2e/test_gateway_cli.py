"""`relaydesk gateway`: a client is made, listed and revoked; its password is shown once and kept nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relaydesk.cli import cli
from relaydesk.gateway.clients import matches
from relaydesk.store import gateway_clients
from relaydesk.store.engine import Store


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("relaydesk.yaml").write_text(f"mailboxes: [help@shop.example]\ndatabase: {sqlite_url}\n")


def run(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(cli, ["gateway", *arguments], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def secret_of(url: str, name: str) -> str | None:
    store = Store.open(url)
    try:
        with store.reading() as session:
            return gateway_clients.secret_of(session, name)
    finally:
        store.close()


def test_a_client_is_added_listed_and_revoked(sqlite_url: str) -> None:
    assert "gateway add NAME" in run("list").stdout
    password = json.loads(run("add", "zendesk", "--json").stdout)["password"]
    assert len(password) >= 32
    stored = secret_of(sqlite_url, "zendesk")
    assert stored is not None and matches(password, stored)
    assert password.encode() not in Path(sqlite_url.removeprefix("sqlite:///")).read_bytes()
    listed = run("list").stdout
    assert "zendesk" in listed and password not in listed
    assert "refused from now on" in run("revoke", "zendesk").stdout
    assert secret_of(sqlite_url, "zendesk") is None
    [row] = json.loads(run("list", "--json").stdout)
    assert row["name"] == "zendesk" and row["revoked_at"] and row["last_used_at"] is None


def test_each_client_gets_a_password_of_its_own() -> None:
    made = {json.loads(run("add", name, "--json").stdout)["password"] for name in ("a", "b", "c")}
    assert len(made) == 3
    told = run("add", "d")
    assert "User name: d" in told.stdout and "shown only once" in told.stderr


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("add", "zendesk"), "choose another"),
        (("revoke", "nobody"), "gateway list"),
        (("add", "a\nb"), "not a client name"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_mend(call: tuple[str, ...], told: str) -> None:
    run("add", "zendesk")
    assert told in run(*call, code=1).stderr
