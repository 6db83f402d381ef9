"""``relaydesk explain``: what would happen to a saved message, and why."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relaydesk import intake
from relaydesk.cli.folding import say_folded
from relaydesk.cli.opening import address, moment, settings, standard_input, stored_over
from relaydesk.cli.output import Faint, Heading, json_option, print_json, say
from relaydesk.cli.times import local
from relaydesk.config import existing_store, kept_secret, parts, utc_now
from relaydesk.data import UnusableFileError
from relaydesk.dns import Resolver, ZoneSource, parse_zone
from relaydesk.smtpd import read_flaw, reply_for
from relaydesk.store import StoreError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from relaydesk.config import Settings
    from relaydesk.store import Store

SHOWN_LINES, SHOWN_FILES = 12, 10
PLACED = {
    "open": "opens a new ticket",
    "join": "joins ticket {ticket}",
    "duplicate": "came before: noted on ticket {ticket}",
    "bounce": "noted on ticket {ticket}, whose answer came back",
    "stored": "is stored already, on ticket {ticket}",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command is asked about; None and () leave it to the settings or the message."""

    peer: str
    helo: str | None
    mail_from: str | None
    rcpt: tuple[str, ...]
    zone: Path | None
    at: datetime | None
    list_file: Path | None


@click.command()
@click.argument("message", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--peer", required=True, callback=address, help="Address of the client host.")
@click.option("--helo", help="HELO name of the client (default: its address literal).")
@click.option("--mail-from", help="Reverse-path, '' for the null sender (default: Return-Path, else From).")
@click.option(
    "--rcpt", multiple=True, help="Recipient, may be repeated (default: the first mailbox of the settings)."
)
@click.option(
    "--zone",
    type=click.Path(path_type=Path),
    help="Answer DNS queries from this zone file instead of the network; implies --empty.",
)
@click.option("--now", "at", callback=moment, help="Time of receipt, ISO 8601 (default: now).")
@click.option("--allowlist", "list_file", type=click.Path(path_type=Path), help="Allowlist file to use.")
@click.option("--empty", is_flag=True, help="Know no orders and no tickets of the database.")
@json_option
@click.pass_obj
def explain(
    config: str | None, /, message: Path, *, list_file: Path | None, empty: bool, as_json: bool, **asked: Any
) -> None:
    """Explain what would happen to MESSAGE (a file, or - for standard input).

    Authentication and sorting run by the orders and tickets of the database, where there is one; nothing is
    stored and nothing changed.
    """
    conf = settings(config)
    raw = _read(message, conf.limits.message_bytes)
    about = Asked(**asked, list_file=list_file)
    try:
        conf = stored_over(conf)
        answer = _answer(conf, raw, about, empty=empty or about.zone is not None)
    except StoreError as error:
        say(f"relaydesk: {error} It is explained without orders and tickets.", err=True)
        answer = _answer(conf, raw, about, empty=True)
    if as_json:
        print_json(answer)
    else:
        _print(answer, parts.calendar(conf).zone)


def _read(message: Path, limit: int) -> bytes:
    """The message's bytes; of one that is too large, no more than shows it."""
    if str(message) != "-":
        if message.is_fifo() and not message.is_relative_to("/dev/fd"):  # there a shell writes to it
            raise UnusableFileError(f"{message} is a pipe; give a file, or - for standard input.")
        with message.open("rb") as file:
            return file.read(limit + 1)
    return standard_input().read(limit + 1)


def _answer(conf: Settings, raw: bytes, asked: Asked, *, empty: bool) -> dict[str, Any]:
    """By the database there is, else by an empty one. StoreError when it cannot be read."""
    if asked.list_file is not None:
        conf = conf.model_copy(update={"allowlist": asked.list_file})
    store = None if empty else existing_store(conf)
    if store is None:
        return asyncio.run(_explained(conf, raw, asked, None))
    with closing(store):
        return asyncio.run(_explained(conf, raw, asked, store))


async def _explained(conf: Settings, raw: bytes, asked: Asked, store: Store | None) -> dict[str, Any]:
    # Without any mailbox in the settings, what is asked about is taken for one.
    mailboxes = conf.mailboxes or tuple(address.lower() for address in asked.rcpt) or ("help@shop.example",)
    secret = kept_secret(store) if store is not None else b""
    policy = parts.policy(conf, parts.allowlist(conf), mailboxes=mailboxes, secret=secret)
    resolver = parts.resolver(conf)
    if asked.zone is not None:
        resolver = Resolver(ZoneSource(parse_zone(parts.read_yaml(asked.zone) or {})))
    envelope = intake.envelope_of_file(
        raw,
        peer=asked.peer,
        helo=asked.helo,
        mail_from=asked.mail_from,
        rcpt=asked.rcpt or mailboxes[:1],
        policy=policy,
        now=asked.at or utc_now(),
    )
    flaw = read_flaw(envelope.raw, conf.limits)
    rules = parts.rules(conf)
    gathered, decision = await intake.explain(envelope, resolver, policy, rules, flaw, store=store)
    return intake.explanation(envelope, gathered, decision, reply_for(decision).line())


def _print(answer: dict[str, Any], zone: ZoneInfo) -> None:
    _fact("outcome", Heading(answer["outcome"]))
    _fact("reply", answer["reply"])
    if answer["kind"]:
        _fact("kind", f"{answer['kind']}, in queue {answer['queue']}")
    _print_placement(answer["placement"])
    _print_message(answer)
    _fact("relay address", answer["relay_address"])
    _fact("customer", answer["username"])
    _fact("contact reason", (answer["contact_reason"] or "").replace("_", " "))
    for number in answer["candidates"]:
        label = f" after {number['label']!r}" if number["label"] else ""
        what = "order" if number["what"] == "order" else "seller's reference"
        _fact(what, f"{number['value']} ({number['sure']}, in the {number['where']}{label})")
    if answer["bounce"]:
        _print_bounce(answer["bounce"])
    for clock in answer["deadlines"]:
        due = local(datetime.fromisoformat(clock["due"]), zone)
        _fact(f"{clock['clock']} due", f"{due} ({clock['target']}, {clock['reading']})")
        for line in clock["explanation"]:
            _fact("", Faint(f"  {line}"))
    _print_proof(answer)
    for near in answer["rule"]["near"]:
        _fact("nearly", f"rule {near['rule']}: {near['lacked']}")
    for why in answer["reasons"]:
        _fact(why["code"], why["text"])


def _fact(name: str, value: str | None) -> None:
    if value:
        say_folded(f"{name:>20}  ", value)


def _print_placement(placement: dict[str, Any] | None) -> None:
    if placement is None:
        return
    reopened = ", which is reopened" if placement["reopens"] else ""
    _fact("ticket", PLACED[placement["action"]].format(ticket=placement["ticket"]) + reopened)
    _fact("orders bound", ", ".join(placement["binds"]))
    _fact("escalates", ", ".join(map(str, placement["escalates"])))
    _fact("linked with", ", ".join(map(str, placement["links"])))


def _print_message(answer: dict[str, Any]) -> None:
    message = answer["message"]
    _fact("from", " ".join(filter(None, (message["from_name"], f"<{message['from_address'] or ''}>"))))
    _fact("subject", message["subject"])
    lines = [line for line in message["text"].splitlines() if line.strip()]
    for place, line in enumerate(lines[:SHOWN_LINES]):
        _fact("" if place else "text", line)
    if len(lines) > SHOWN_LINES:
        _fact("", Faint(f"[… {len(lines) - SHOWN_LINES} more lines; --json shows them]"))
    if message["quoted"]:
        _fact("", Faint(f"[… {len(message['quoted'].splitlines())} quoted lines; --json shows them]"))
    for file in answer["attachments"][:SHOWN_FILES]:
        _fact("file", f"{file['name']}, {file['type']}, {file['size']:,} bytes")
    if len(answer["attachments"]) > SHOWN_FILES:
        _fact("", Faint(f"[… {len(answer['attachments']) - SHOWN_FILES} more files; --json lists them]"))
    for defect in message["defects"]:
        _fact("defect", defect)


def _print_bounce(bounce: dict[str, Any]) -> None:
    lasting = {True: ", permanent", False: ", for now"}.get(bounce["hard"], "")
    status = f" (status {bounce['status']})" if bounce["status"] else ""
    _fact("bounce", f"{bounce['about'].replace('_', ' ')}{lasting}{status}")


def _print_proof(answer: dict[str, Any]) -> None:
    origin, auth = answer["origin"], answer["auth"]
    _fact("origin", f"{origin['ip'] or 'unknown'} ({origin['role']}, by {origin['how']})")
    signatures = [("DKIM", signature) for signature in auth["dkim"]]
    for name, result in (("SPF", auth["spf"]), *signatures, ("DMARC", auth["dmarc"])):
        _fact(name, " ".join(filter(None, (result["result"], result["domain"], result["reason"]))))
