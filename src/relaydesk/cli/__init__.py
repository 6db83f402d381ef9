"""The command line: commands and their output, no logic. ``main`` is the whole of it.

Commands are loaded when they are called, so that ``relaydesk --help`` does not wait for the database or
the mail libraries. Exit codes: 0 done, 1 the answer is no, 2 the call or the settings are wrong.
"""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

import click

from relaydesk import __version__
from relaydesk.cli.errors import sentence_of

__all__ = ["main"]

LASTING = "running"  # the module of the commands that run for long
# What a command loads stays till its end; to look for garbage in it all the while takes a third of the time.
RARELY = 100_000  # allocations between two looks

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("running:serve", "Receive mail and keep the clock: the whole of relaydesk."),
    "demo": ("running:demo", "Show it all on sample mail, on this machine alone."),
    "explain": ("mail:explain", "Say what would happen to a message, and why."),
    "due": ("clock:due", "Say when an answer would be due, and why then."),
    "queue": ("queues:queue", "Show the queues, or the tickets of one, by deadline."),
    "ticket": ("tickets:ticket", "Show a ticket, or work on it."),
    "answer": ("answers:answer", "Answer a ticket through the buyer's relay address."),
    "outbox": ("answers:outbox_", "What waits to be sent, and what became of it."),
    "templates": ("templates:templates", "The reply templates: list, check, preview."),
    "report": ("reports:report", "How well the shop answers."),
    "orders": ("orders:orders", "The local order directory."),
    "allowlist": ("mail:allowlist", "Check the lists of networks, or audit them against DNS."),
    "refusals": ("reports:refusals", "What was turned away at the door, and why."),
    "send-test": ("sendtest:send", "Send a signed sample through a door and explain the outcome."),
    "dkim": ("dkim:dkim", "Make the key that signs our answers."),
    "agents": ("people:agents", "Who works in the queues."),
    "gateway": ("people:gateway", "Which help desks may hand in their answers."),
    "config": ("running:config", "The effective settings."),
    "db": ("running:db", "The database."),
    "doctor": ("mail:doctor", "Check this installation, and the shop's own mail domain."),
    "run-door": ("running:run_door", ""),
    "run-office": ("running:run_office", ""),
}


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

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            report = sentence_of(error)
            if report is None:
                raise
            sentence, code = report
            click.echo(f"relaydesk: {sentence}", err=True)
            ctx.exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relaydesk")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False),
    help="Settings file (default: $RELAYDESK_CONFIG, else ./relaydesk.yaml if it is there).",
)
@click.pass_context
def cli(ctx: click.Context, config_file: str | None) -> None:
    """Receive the buyers' mail that Facebook and Instagram relay, prove it genuine, keep its clock."""
    ctx.obj = config_file


def main() -> None:
    """The entry point of the ``relaydesk`` command."""
    try:
        cli(standalone_mode=True)
    except BrokenPipeError:  # the reader of our output went away, as with `| head`
        sys.stderr.close()
        sys.exit(0)
    finally:
        gc.freeze()  # nor is there anything to be found at the end
