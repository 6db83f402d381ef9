"""The command line: commands and their output, no logic. ``main`` is the whole of it.

Commands are loaded when they are called, so that ``relaydesk --help`` does not wait for the database or
the mail libraries. Exit codes: 0 done, 1 the answer is no, 2 the call or the settings are wrong.
"""

from __future__ import annotations

import errno
import gc
import importlib
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from relaydesk import __version__
from relaydesk.characters import harmless
from relaydesk.cli.output import discard_output, open_output, say

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["main"]

LASTING = "running"  # the module of the commands that run for long
# What a command loads stays till its end; to look for garbage in it all the while takes a third of the time.
RARELY = 100_000  # allocations between two looks

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("running:serve", "Run the server: receive mail, track deadlines, send answers."),
    "demo": ("running:demo", "Show relaydesk at work on sample mail, on this machine only."),
    "explain": ("explain:explain", "Explain what would happen to a message."),
    "due": ("mail:due", "Say when an answer would be due, and why."),
    "queue": ("queues:queue", "Show the queues, or the tickets of one, by deadline."),
    "ticket": ("tickets:ticket", "Show a ticket, or work on it."),
    "search": ("queues:search", "Find tickets, open and closed."),
    "answer": ("answers:answer", "Answer a ticket through the buyer's relay address."),
    "outbox": ("answers:outbox_", "Show what waits to be sent, and what became of it."),
    "templates": ("reply_templates:templates", "List, check or preview the reply templates."),
    "rules": ("rules:rules", "Propose sorting rules from a mail."),
    "report": ("reports:report", "Report how well the shop answers."),
    "orders": ("administration:orders", "Import or find orders of the local directory."),
    "allowlist": ("mail:allowlist", "Check the allowlist, or compare it with DNS."),
    "refusals": ("reports:refusals", "Show what was refused or deferred, and why."),
    "send-test": ("installation:send", "Send a signed sample to a server and explain its reply."),
    "dkim": ("installation:dkim", "Make the key that signs the answers."),
    "agents": ("agents:agents", "Manage the agents, and let them in."),
    "gateway": ("administration:gateway", "Manage the help desks that submit their answers."),
    "webhooks": ("webhooks:webhooks", "Tell other programs of tickets, and see what they were told."),
    "config": ("configuring:config", "Show the effective settings, or store some in the desk."),
    "audit": ("configuring:audit", "Show the audit log."),
    "db": ("running:db", "Upgrade the database."),
    "doctor": ("installation:doctor", "Check this installation, and the shop's own mail domain."),
    "run-door": ("running:run_door", ""),
    "run-office": ("running:run_office", ""),
}

# Errors that carry a finished sentence, and the exit code each means. Looked up by class name along the
# exception's bases: importing the classes here would load the database for every `--help`.
_EXITS = {
    "SettingsError": 2,
    "AllowlistError": 2,
    "RulesError": 2,
    "CalendarError": 2,
    "ZoneError": 2,
    "FileError": 2,
    "ListenError": 2,
    "PrivilegeError": 2,
    "MissingDataError": 2,
    "CaseError": 2,
    "GatewayRulesError": 2,
    "UnknownQueue": 2,
    "AnswerRefused": 1,
    "DeskError": 1,
    "StoreError": 1,
    "StoreUnavailable": 1,
    "SendTestError": 1,
    "SetupError": 2,
    "UnusableFileError": 2,
    "YamlError": 2,
}


# Of a disk, a quota or a device that takes no more: what output meets, and what no file's name comes with.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def sentence_of(error: BaseException) -> tuple[str, int] | None:
    """The sentence to show and the exit code, or None when the error is a bug of ours."""
    for kind in type(error).__mro__:
        if kind.__name__ in _EXITS:
            return str(error), _EXITS[kind.__name__]
    if isinstance(error, OSError) and isinstance(error.filename, str | bytes) and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}.", 2
    return None


@contextmanager
def _harmless_usage_errors() -> Iterator[None]:
    """Click quotes what was typed, which may have been copied out of a mail."""
    try:
        yield
    except click.ClickException as error:
        vars(error)["message"] = harmless(error.message)
        raise


class Commands(click.Group):
    """A group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, (_, about) in COMMANDS.items() if about]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        if module != LASTING:
            gc.set_threshold(RARELY)
        command: click.Command = getattr(importlib.import_module(f"relaydesk.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def make_context(self, *arguments: Any, **named: Any) -> click.Context:
        with _harmless_usage_errors():
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _harmless_usage_errors():
                return super().invoke(ctx)
        except BrokenPipeError:  # the reader of our output went away, as with `| head`
            discard_output()
            ctx.exit(0)
        except Exception as error:
            report = sentence_of(error)
            if report is None:
                raise
            sentence, code = report
            say(f"relaydesk: {sentence}", err=True)
            ctx.exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relaydesk")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False),
    help="Settings file (default: $RELAYDESK_CONFIG, else ./relaydesk.yaml if it exists).",
)
@click.pass_context
def cli(ctx: click.Context, config_file: str | None) -> None:
    """Receive the buyers' mail that Facebook and Instagram relay, verify it and track its deadlines."""
    ctx.obj = config_file


def _unexpected(_: type[BaseException], error: BaseException, __: object) -> None:
    from relaydesk.logs import traceback_text  # needed by a bug only

    say(traceback_text(error), err=True)
    say("relaydesk: This is an error of relaydesk itself; please report it with the lines above.", err=True)


def main() -> None:
    """The entry point of the ``relaydesk`` command."""
    open_output()
    sys.excepthook = _unexpected
    try:
        cli(standalone_mode=True)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        discard_output()
        say(f"relaydesk: The output cannot be written: {error.strerror}.", err=True)
        sys.exit(1)
    finally:
        gc.freeze()  # nor is there anything to be found at the end
