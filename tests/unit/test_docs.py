"""The documentation is complete: what a person can set, meet or call stands in docs/operations.md."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from relaydesk.door import limits, replies
from relaydesk.events import WHAT
from relaydesk.reasons import SENTENCES
from relaydesk.settings import PREFIX, Queue, Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@cache
def named() -> frozenset[str]:
    """Everything that docs/operations.md puts in backticks, outside of code blocks."""
    page = DOCS / "operations.md"
    if not page.exists() and not (ROOT / "src" / "relaydesk" / "app.py").exists():
        pytest.skip("neither the composition nor docs/operations.md is written yet")
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return frozenset(re.findall(r"`([^`\n]+)`", text))


def test_it_documents_every_setting():
    assert set(Settings.model_fields) - named() == set()


def test_it_documents_the_fields_of_a_queue():
    assert issubclass(Queue, BaseModel)
    assert set(Queue.model_fields) - named() == set()


def test_it_documents_every_limit():
    assert set(limits.Limits.__dataclass_fields__) - named() == set()


def test_it_documents_every_reply():
    table = {**replies.BY_REASON, **replies.BY_NAME}
    lines = {reply.line() for reply in table.values()} | {replies.ACCEPTED.line(), replies.REFUSED.line()}
    assert lines - named() == set()


def test_it_documents_every_reason_code():
    assert set(SENTENCES) - named() == set()


def test_it_documents_every_event():
    assert set(WHAT) - named() == set()


def commands(group: click.Group, path: tuple[str, ...] = ()) -> set[str]:
    """``report sla`` and the like: every command that is not hidden, by the words one types."""
    found: set[str] = set()
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            found |= commands(command, (*path, name))
        else:
            found.add(" ".join((*path, name)))
    return found


def test_it_documents_every_command():
    from relaydesk import cli

    rooms = {where.partition(":")[0] for where, _ in cli.COMMANDS.values()}
    if missing := {room for room in rooms if importlib.util.find_spec(f"relaydesk.cli.{room}") is None}:
        pytest.skip(f"not written yet: relaydesk.cli {', '.join(sorted(missing))}")
    assert isinstance(cli.main, click.Group)
    typed = commands(cli.main)
    assert "report sla" in typed
    assert {
        name for name in typed if not any(one == name or one.startswith(f"{name} ") for one in named())
    } == set()


def test_it_documents_no_setting_that_does_not_exist():
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {f"{PREFIX}CONFIG"}
    mentioned = {one for name in named() for one in re.findall(rf"{PREFIX}[A-Z_]+", name)}
    assert {one for one in mentioned if one.split("__")[0].removesuffix("_") not in known} == set()


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_its_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target
