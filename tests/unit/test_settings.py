"""Settings: file and environment, and a clear sentence for every bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from relaydesk.config import parts
from relaydesk.config.load import SettingsError, load_settings
from relaydesk.config.settings import Settings
from relaydesk.config.shown import hide_password, public_settings
from relaydesk.config.snapshot import read_snapshot


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELAYDESK_CONFIG", raising=False)


def settings_from(monkeypatch: pytest.MonkeyPatch, text: str = "", **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    Path("relaydesk.yaml").write_text(text, encoding="utf-8")
    return load_settings()


def test_it_reads_mailboxes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings_from(monkeypatch, RELAYDESK_MAILBOXES='["Help@shop.example"]')
    assert found.mailboxes == ("help@shop.example",)


def test_it_lets_the_environment_win_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "on_drift: defer\nprocesses: 2\nqueues: {case: {answer: 1 business day}}\n"
    found = settings_from(
        monkeypatch, text, RELAYDESK_PROCESSES="3", RELAYDESK_QUEUES__CASE__READING="end_of_day"
    )
    assert (found.on_drift, found.processes) == ("defer", 3)
    case = found.all_queues["case"]
    assert (case.answer, case.reading, case.tighter) == (
        "1 business day",
        "end_of_day",
        {"return_request": "48 hours"},
    )


@pytest.mark.parametrize(
    ("text", "environment", "told"),
    [
        ("mailboxs: [a@b.example]", {}, "mailboxs is not a setting. Did you mean mailboxes?"),
        ("", {"RELAYDESK_MAILBOXS": "[]"}, "Did you mean mailboxes?"),
        ("processes: many", {}, "Setting processes (RELAYDESK_PROCESSES)"),
        ("mailboxes: [help]", {}, "'help' is not an email address"),
        ("limits: {recipient: 3}", {}, "recipient is not a limit; use one of message_bytes"),
        ("limits: {recipients: -3}", {}, "must be a positive number"),
        ("on_drift: ignore", {}, "on_drift"),
        ("on_drift: defer\non_drift: refuse", {}, "line 2: key 'on_drift' is there twice, first in line 1"),
        ("- a", {}, "is not a mapping"),
        ("", {"RELAYDESK_MAILBOXES": "help@shop.example"}, "RELAYDESK_MAILBOXES cannot be read; lists are"),
        ("mailboxes: help@shop.example", {}, "must be a list"),
        ("queues: {case: {nosuch: 1}}", {}, "there is no such field"),
        ("limits: {recipients: 0.5}", {}, "at least 1"),
        ("", {"RELAYDESK_LIMITS__ERRORS": "many"}, "must be a positive number"),
        ("calendar: {special: {2026-02-30: []}}", {}, "relaydesk.yaml, line 1: there is no date 2026-02-30"),
        ("calendar: " + "[" * 1000, {}, "relaydesk.yaml, line 1: this is nested"),
    ],
)
def test_it_names_the_bad_setting_and_the_mend(
    monkeypatch: pytest.MonkeyPatch, text: str, environment: dict[str, str], told: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from(monkeypatch, text, **environment)
    assert told in str(caught.value)
    assert ("JSON" in str(caught.value)) == ("JSON" in told or "cannot be read; lists" in told)


def test_it_reads_a_limit_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings_from(monkeypatch, RELAYDESK_LIMITS__ERRORS="7", RELAYDESK_LIMITS__IDLE_SECONDS="1.5")
    assert (found.limits.errors, found.limits.idle_seconds) == (7, 1.5)


@pytest.mark.parametrize("listen", ["[]", '["127.0.0.1"]', '["127.0.0.1:99999"]', '["desk.example:25"]'])
def test_it_names_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch, listen: str) -> None:
    with pytest.raises(ValueError, match=r"Setting listen.*: .*; use "):
        parts.listen(settings_from(monkeypatch, RELAYDESK_LISTEN=listen))


@pytest.mark.parametrize("text", ["special: {2026-02-30: []}", "x: " + "[" * 1000])
def test_it_says_which_file_is_no_yaml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(parts.SetupError, match=r"calendar\.yaml, line 1: "):
        parts.calendar_file(path)


def test_it_leaves_other_programs_variables_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_from(monkeypatch, RELAYDESK_SERVICE_HOST="10.0.0.1").processes == 0


def test_it_reports_a_missing_file() -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(Path("elsewhere.yaml"))


def test_it_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings_from(
        monkeypatch, "secret: hush-hush\ndatabase: postgresql://desk:pass-word@db.example/desk\n"
    )
    shown = str(public_settings(found))
    assert "hush-hush" not in shown
    assert "pass-word" not in shown
    assert "db.example" in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////var/lib/relaydesk.db", "sqlite:////var/lib/relaydesk.db"),
        ("sqlite:///x.db?mode=ro&key=hunter2", "sqlite:///x.db?mode=ro&key=***"),
        ("postgresql://desk@/shop?host=/run/postgresql", "postgresql://desk@/shop?host=/run/postgresql"),
        ("postgresql://desk:hunter2@db/shop", "postgresql://desk:***@db/shop"),
        ("postgresql+psycopg://desk:hunter2@db:5432/shop", "postgresql+psycopg://desk:***@db:5432/shop"),
        ("postgresql://desk:hunter2/a?b#c@db/shop", "postgresql://desk:***@db/shop"),
        ("postgresql://desk:hun@ter2@db/shop", "postgresql://desk:***@db/shop"),
        ("postgresql://db/shop?password=hunter2", "postgresql://db/shop?password=***"),
        ("postgresql://db/shop?password=hun@ter2", "postgresql://db/shop?password=***"),
        (
            "postgresql://desk:x@db/shop?PassWord=hunter2&user=u",
            "postgresql://desk:***@db/shop?PassWord=***&user=u",
        ),
        (
            "postgresql://db/shop?sslpassword=hunter2&sslmode=require",
            "postgresql://db/shop?sslpassword=***&sslmode=require",
        ),
        ("postgresql://db/shop?options=-c%20x.y%3Dhunter2", "postgresql://db/shop?options=***"),
        ("postgresql://db/shop?p%61ssword=hunter2", "postgresql://db/shop?p%61ssword=***"),
        ("postgresql://db/shop?hunter2", "postgresql://db/shop?***"),
        ("postgresql://desk:a@hunter2?b@db/shop", "postgresql://desk:***@***?***"),
        ("postgresql:/desk:hunter2@db/shop", "(not an address)"),
        ("postgresql//desk:hunter2@db/shop", "(not an address)"),
        ("host=db password=hunter2", "(not an address)"),
        ("", "(not an address)"),
    ],
)
def test_it_shows_no_password_of_a_database(url: str, shown: str) -> None:
    assert hide_password(url) == shown
    assert public_settings(Settings(database=url))["database"] == shown


SECRET_FILES = [
    "database: 'postgresql://desk:hunter2@db\n",
    "database: postgresql://desk:hunter2@db\ndatabase: postgresql://desk:hunter2@elsewhere\n",
    "secret: !hunter2 {x\n",
    "secret: [hunter2\nmailboxes: x",
    'next_hop_password: "hunter2\\q"\n',
    "next_hop_password: {hunter2: 1}\n",
    "secret: [hunter2]\n",
    "next_hop: smtp://desk:hunter2@relay.example\n",
    "next_hop: desk:hunter2@relay.example\n",
    "database: [hunter2]\n",
    "limits: hunter2\n",
    "tls_key: |\n  -----BEGIN PRIVATE KEY-----\n  hunter2\n  -----END PRIVATE KEY-----\n",
    f"tls_certificate: MIIhunter2{'A/b+' * 200}==\n",
    f"answer_dkim: {{domain: shop.example, selector: s, key: MC4CAQAwBQYDK2VwBCIEIhunter2{'A' * 30}=}}\n",
]


@pytest.mark.parametrize("text", SECRET_FILES)
def test_no_error_of_the_settings_quotes_a_secret(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from(monkeypatch, text)
    assert "hunter2" not in str(caught.value).replace("tag '!hunter2'", "")


def test_it_names_a_target_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings_from(monkeypatch, "queues: {claim: {answer: two days}}\n")
    with pytest.raises(parts.SetupError, match=r"queues\.claim\.answer: 'two days' is not a target"):
        parts.policy(found, parts.allowlist(found))


def test_it_names_a_list_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings_from(monkeypatch, "allowlist: gone.yaml\n")
    with pytest.raises(parts.SetupError, match=r"gone\.yaml cannot be read"):
        parts.allowlist(found)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"web_tls": True}, "set web_certificate and web_key"),
        ({"web_certificate": "chain.pem"}, "without web_tls"),
        ({"oidc_issuer": "https://login.shop.example"}, "needs oidc_client_id too"),
        (
            {
                "oidc_issuer": "http://login.shop.example",
                "oidc_client_id": "desk",
                "oidc_client_secret": "x",
                "web_address": "https://desk.shop.example",
            },
            "use https",
        ),
    ],
)
def test_what_the_desk_in_a_browser_lacks_is_said_at_the_start(
    settings: dict[str, object], told: str
) -> None:
    conf = Settings.model_validate(settings)
    with pytest.raises(parts.SetupError, match=told):
        parts.demand_company(conf)
        read_snapshot(conf, secret=b"", hostname="mx.shop.example")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"web_address": "desk.shop.example"}, "not an address of the web"),
        ({"web_address": "ftp://desk.shop.example"}, "not an address of the web"),
        ({"web_address": "https://user@desk.shop.example"}, "not an address of the web"),
        ({"web_proxies": ["proxy.example"]}, "not an address or network"),
    ],
)
def test_an_address_that_no_browser_opens_is_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Settings.model_validate(settings)
    assert Settings(web_address="https://desk.shop.example/").web_address == "https://desk.shop.example"
