"""Commands for reply templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from relaydesk.cli.options import ROW_ID, person
from relaydesk.cli.output import json_option, print_json, print_table
from relaydesk.config import parts, store_secret
from relaydesk.data import data_path
from relaydesk.desk import DeskError
from relaydesk.outbound import SAMPLE_CONTEXTS, Templates, template_context, template_variables
from relaydesk.server import open_store

if TYPE_CHECKING:
    from relaydesk.config import Settings
    from relaydesk.outbound import TemplateContext


@click.group()
def templates() -> None:
    """The reply templates: the shipped ones, with the shop's own (setting reply_templates) over them."""


def load(conf: Settings) -> Templates:
    """All reply templates of the settings."""
    own = [conf.reply_templates] if conf.reply_templates is not None else []
    return Templates.load([data_path("templates") / "replies", *own])


def given(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """``--set tracking.number=…`` as a mapping."""
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} sets nothing; write it as tracking.number=1Z999")
    return {name.strip(): value for name, _, value in (pair.partition("=") for pair in pairs)}


@templates.command("list")
@json_option
@click.pass_obj
def list_templates(config: str | None, as_json: bool) -> None:
    """List the templates and what each needs."""
    found = load(parts.settings(config))
    if as_json:
        rows = [
            {"name": one.name, "title": one.title, "description": one.description,
             "needs": list(one.needs), "path": one.path}
            for one in found
        ]  # fmt: skip
        print_json(rows)
        return
    columns = ("name", "description", "needs")
    print_table(
        "Reply templates",
        columns,
        [(one.name, one.description, ", ".join(one.needs) or "-") for one in found],
        "There are no reply templates.",
    )


@templates.command()
@json_option
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Check every template against sample tickets; exit code 1 when one has a problem."""
    found = load(parts.settings(ctx.obj))
    problems = found.check()
    if as_json:
        print_json({"templates": [one.name for one in found], "problems": problems})
    else:
        click.echo("\n".join(problems) or f"All {len(list(found))} templates are right.")
    ctx.exit(1 if problems else 0)


@templates.command()
@click.argument("name")
@click.option("--ticket", "ticket_id", type=ROW_ID, metavar="ID", help="Use this ticket (default: a sample).")
@click.option("--order", metavar="ORDER", help="Use this order (default: the one that is bound).")
@click.option("--set", "values", multiple=True, callback=given, metavar="NAME=VALUE", help="Give a variable.")
@click.option("--as", "agent", metavar="AGENT", help="Who answers (default: the login name).")
@click.pass_obj
def preview(
    config: str | None,
    name: str,
    ticket_id: int | None,
    order: str | None,
    values: dict[str, str],
    agent: str | None,
) -> None:
    """Print template NAME as it would read; for the sample, what is not given stands in brackets."""
    conf = parts.settings(config)
    found = load(conf)
    if ticket_id is None:
        about = SAMPLE_CONTEXTS[0]
        values = {need: f"[{need}]" for need in found.get(name).needs} | values
    else:
        about = _about(conf, ticket_id, order, agent or person())
    click.echo(found.render(name, template_variables(about, values)), nl=False)


def _about(conf: Settings, ticket_id: int, order: str | None, agent: str) -> TemplateContext:
    store = open_store(conf)
    shop = parts.sender(conf, parts.allowlist(conf), secret=store_secret(store)).shop
    with store.reading() as session:
        about = template_context(session, ticket_id, agent=agent, shop=shop, order_id=order)
    if about is None:
        raise DeskError(f"There is no ticket {ticket_id}.")
    return about
