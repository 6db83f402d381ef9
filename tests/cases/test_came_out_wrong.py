"""Inputs that once came out wrong, where the shared folder holds them: each must come out right.

Mail is read through ``relaydesk explain``, as an admin would; what only a live server or a database shows has
its tests in ``tests/store`` and ``tests/smtp``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from relaydesk.bounces import read_bounce
from relaydesk.cli import cli
from relaydesk.data import data_path
from relaydesk.message import parse_message
from tests.support.shared import SHARED, shared

if TYPE_CHECKING:
    from pathlib import Path

FIXTURES = data_path("fixtures")
ORDER, OLD_ORDER = "368508827392800", "64000841784004"
ORIGIN = ("--peer", "66.220.144.130", "--mail-from", "notification@facebookmail.com")
SIGNED_BY_US = (
    *ORIGIN,
    *("--zone", str(FIXTURES / "zone.yaml")),
    *("--allowlist", str(FIXTURES / "allowlist.yaml")),
)


def names(folder: str, pattern: str) -> list[str]:
    """The cases of a folder; where it is absent one row stands for them, which skips."""
    return sorted(path.name.removesuffix(pattern[1:]) for path in (SHARED / folder).glob(pattern)) or ["none"]


def explained(mail: Path, *options: str) -> dict[str, Any]:
    arguments = ("--config", str(FIXTURES / "relaydesk.yaml"), "explain", str(mail), *options, "--json")
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def sure(answer: dict[str, Any], number: str) -> str | None:
    return next((c["sure"] for c in answer["candidates"] if c["value"] == number), None)


# --- reading a message, its files, and returned mail


@pytest.mark.parametrize("name", names("cases/mail", "*.json"))
def test_a_message_is_read_right(name: str) -> None:
    right = json.loads(shared(f"cases/mail/{name}.json").read_text())["right"]
    mail = shared(f"cases/mail/{name}.eml")
    answer = explained(mail, *ORIGIN[:2], "--mail-from", "", "--zone", str(FIXTURES / "zone.yaml"))
    shown = answer["message"]
    for key, value in right.items():
        match key:
            case "dsn":
                assert_returned(answer["bounce"], mail.read_bytes(), value)
            case "text":
                assert shown["text"].strip() == value
            case "subject":
                assert shown["subject"] == value.removesuffix(" (charset of the body)")
            case "from":
                assert [f"{shown['from_name']} <{shown['from_address']}>"] == value
            case "attachments":
                assert [[part["name"], part["size"]] for part in answer["attachments"]] == value
            case "orders":
                assert sure(answer, "222222222222222") != "labelled"
                assert "111111111111111" in answer["order_ids"]
            case _:
                pytest.fail(f"Nothing checks {key!r}.")


def assert_returned(bounce: dict[str, Any] | None, raw: bytes, right: dict[str, bool]) -> None:
    dsn = read_bounce(parse_message(raw))
    assert right.get("of_bounce", dsn.of_bounce) == dsn.of_bounce
    if right.get("auto"):
        assert dsn.about == "auto_reply"
    if right.get("undelivered"):
        assert dsn.undelivered
        assert bounce is not None
        assert (bounce["about"], bounce["hard"]) == ("undelivered", True)


# --- authentication


@pytest.mark.parametrize("name", names("cases/auth", "*.why.md"))
def test_authentication_says_what_the_standard_says(name: str) -> None:
    why = shared(f"cases/auth/{name}.why.md").read_text()
    options = [word for pair in re.findall(r"(--(?:mail-from|helo)) ([^\s`]+)", why) for word in pair]
    zone = str(shared(f"cases/auth/{name}.zone.yaml"))
    answer = explained(shared(f"cases/auth/{name}.eml"), "--peer", "192.0.2.1", "--zone", zone, *options)
    method, result = re.findall(r"^Right: (spf|dkim|dmarc)=(\w+)", why, re.MULTILINE)[0]
    auth = answer["auth"]
    assert (auth["dkim"][0] if method == "dkim" else auth[method])["result"] == result


# --- sorting, order numbers, text


def reading(folder: str, mail: str) -> dict[str, Any]:
    return explained(shared(f"cases/reading/{folder}/{mail}"), *SIGNED_BY_US)


@pytest.mark.parametrize("number", [1, 2, 5, 7])
def test_problem_mail_is_no_notice(number: int) -> None:
    answer = reading("01-problem-mail-becomes-notice", f"message-{number}.eml")
    assert answer["kind"] in ("unsorted", "claim", "chargeback")
    assert answer["deadlines"] != []


@pytest.mark.parametrize(
    "mail", ["claim-subject-nbsp", "nbsp-before-colon", "soft-hyphen-inside", "zwsp-before"]
)
def test_invisible_characters_change_nothing(mail: str) -> None:
    answer = reading("03-invisible-characters-round-the-order-number", f"message-{mail}.eml")
    assert sure(answer, ORDER) == "labelled"


@pytest.mark.parametrize("number", [1, 2])
def test_a_return_request_is_seen(number: int) -> None:
    answer = reading("04-return-request-not-seen", f"message-{number}.eml")
    assert answer["contact_reason"] == "return_request"
    assert [clock["target"] for clock in answer["deadlines"]] == ["48 hours"]


@pytest.mark.parametrize("language", ["de", "fr"])
def test_the_form_is_read_in_another_language(language: str) -> None:
    answer = reading("05-form-in-another-language", f"message-{language}.eml")
    assert answer["kind"] == "case"
    assert [c["sure"] for c in answer["candidates"] if c["what"] == "order"] == ["labelled"]
    assert answer["contact_reason"] == "return_request"
    assert answer["username"]


@pytest.mark.parametrize(
    ("mail", "text"),
    [
        ("latin1-cp1252", "It\u2019s"),
        ("shiftjis-cp932", "注文①が届かない"),
        ("unpadded-base64", "Grüße"),
    ],
)
def test_a_superset_of_the_charset_is_read(mail: str, text: str) -> None:
    shown = reading("06-charset-supersets-inbound", f"message-{mail}.eml")["message"]["text"]
    assert text in shown
    assert "\ufffd" not in shown


def test_a_named_text_part_is_the_text() -> None:
    answer = reading("07-text-part-with-a-name", "message.eml")
    assert "labelled" in [c["sure"] for c in answer["candidates"]]


def test_a_quoted_number_is_not_sure() -> None:
    answer = reading("08-quoted-html-thread", "message-html-blockquote.eml")
    assert sure(answer, ORDER) == "labelled"
    assert sure(answer, OLD_ORDER) in (None, "mentioned")


def test_controls_of_a_name_reach_nobody() -> None:
    answer = reading("09-control-and-bidi-characters-in-the-name", "message.eml")
    named = f"{answer['username']}{answer['message']['subject']}{answer['message']['from_name']}"
    assert re.search("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", named) is None
