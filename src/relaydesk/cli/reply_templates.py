"""Commands for the reply templates."""

from __future__ import annotations

import click

from relaydesk.cli.opening import (
    ROW_ID,
    agent_of,
    as_option,
    desk_of,
    set_option,
    settings,
    settings_in_force,
)
from relaydesk.cli.output import json_option, print_json, say
from relaydesk.cli.tables import Column, print_table


@click.group()
def templates() -> None:
    """List, check or preview the reply templates: the shipped ones and those of setting reply_templates."""


@templates.command("list")
@json_option
@click.pass_obj
def list_templates(config: str | None, as_json: bool) -> None:
    """List the templates and the variables that each needs."""
    from relaydesk.config import open_templates

    replies = open_templates(settings_in_force(config)).everything()
    if as_json:
        rows = [
            {"name": template.name, "title": template.title, "description": template.description,
             "needs": list(template.needs), "path": template.path}
            for template in replies
        ]  # fmt: skip
        print_json(rows)
        return
    print_table(
        "Reply templates",
        (Column("name"), Column("description", least=20), Column("needs", least=16, rank=1)),
        [(template.name, template.description, ", ".join(template.needs) or "-") for template in replies],
        "There are no reply templates.",
    )


@templates.command("check")
@json_option
@click.pass_context
def check_templates(ctx: click.Context, as_json: bool) -> None:
    """Check every template against sample tickets; exit code 1 when one has a problem."""
    from relaydesk.config import open_templates

    replies = open_templates(settings_in_force(ctx.obj))
    names, problems = [template.name for template in replies.everything()], replies.problems()
    if as_json:
        print_json({"templates": names, "problems": problems})
    else:
        say("\n".join(problems) or f"All {len(names)} templates are valid.")
    ctx.exit(1 if problems else 0)


@templates.command()
@click.argument("template")
@click.option("--ticket", "ticket_id", type=ROW_ID, metavar="ID", help="Use this ticket (default: a sample).")
@click.option("--order", metavar="ORDER", help="Use this order (default: the one bound to the ticket).")
@set_option
@as_option
@click.pass_obj
def preview(
    config: str | None,
    template: str,
    ticket_id: int | None,
    order: str | None,
    values: dict[str, str],
    name: str | None,
) -> None:
    """Print TEMPLATE as it would read; in the sample, variables that are not set appear in brackets."""
    from relaydesk.config import open_templates

    conf = settings(config)
    if ticket_id is None:
        text = open_templates(settings_in_force(config)).sample(template, values)
    else:
        by = agent_of(conf, name)
        text = desk_of(conf).answers.filled(ticket_id, template, values, by=by, order=order)
    say(text.removesuffix("\n"))
