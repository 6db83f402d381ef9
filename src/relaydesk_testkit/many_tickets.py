"""A desk of very many tickets, filled by plain SQL: what a shop has after years, in a minute.

Of a thousand tickets nine hundred are open, of more one in a hundred, but at least a thousand. Open ones are
due around the desk's moment, one in five waits for its customer; one page's rows are unproven, as many are
escalated. Those that are open, or of the order that many name, have a mail.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, text

from relaydesk.config.opening import desk_config
from relaydesk.desk.desk import Desk
from relaydesk.desk.permissions import CONSOLE
from relaydesk.events import Event, TicketOpened
from relaydesk.message.words import index_words
from relaydesk.store.columns import Raw
from relaydesk_testkit.arriving import AUTH, candidate, decision, envelope
from relaydesk_testkit.full_desk import SETTINGS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from relaydesk.store.engine import Store

MOMENT = datetime(2026, 11, 25, 18, 42, tzinfo=UTC)
AGENTS = 10
OPEN_AT_LEAST = 1_000
NAMED = 200  # tickets that name one order
COMMON, RARE, MANY = "parcel", "zanzibar", "368509000000777"
_DAY = 86_400
_QUEUES = "CASE i % 20 WHEN 0 THEN 'claim' WHEN 1 THEN 'chargeback' WHEN 2 THEN 'unsorted' ELSE 'case' END"
_REASONS = (
    "CASE WHEN i % {rare} = 2 THEN 'cancellation_request' WHEN i % 3 = 0 THEN 'late_or_missing' "
    "WHEN i % 3 = 1 THEN 'return_request' ELSE 'other_question' END"
)


def fill(store: Store, tickets: int) -> Desk:
    """Fills an empty store and opens a desk over it, as it stands at :data:`MOMENT`."""
    desk = Desk(store, desk_config(SETTINGS, lambda: b"s" * 32), lambda: MOMENT)
    for number in range(AGENTS):
        desk.agents.add(f"agent.{number}", role="agent", by=CONSOLE)
    opened = max(tickets // 100, min(tickets * 9 // 10, OPEN_AT_LEAST))
    with store.transaction() as session:
        connection = session.connection()
        writing = _Writing(connection, tickets, opened)
        for statement in (writing.tickets(), writing.deadlines(), writing.events(), writing.orders()):
            connection.execute(text(statement))
        writing.messages()
        connection.execute(text(writing.words()))
        connection.execute(text(writing.snoozes()))
        writing.settle()
    if writing.postgres:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return desk


def agent_tickets(desk: Desk) -> int:
    """A ticket of the order that many name."""
    return desk.search.tickets(MANY, limit=1).tickets[0].id


class _Writing:
    """The statements of one engine. ``i`` numbers the tickets from 1 on; the newest are open."""

    def __init__(self, connection: Connection, tickets: int, opened: int) -> None:
        self.connection, self.count, self.opened = connection, tickets, opened
        self.postgres = connection.dialect.name == "postgresql"
        self.is_open = f"i > {tickets - opened}"
        self.waits = f"({self.is_open} AND i % 5 = 0)"
        self.rare = opened // 45 | 1  # one page of them, however many are open
        self.has_mail = f"({self.is_open} OR i % {max(1, tickets // NAMED)} = 0 OR i = 500)"

    def numbers(self, where: str = "1 = 1") -> str:
        if self.postgres:
            return f"FROM generate_series(CAST(1 AS bigint), {self.count}) AS n(i) WHERE {where}"
        series = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {self.count})"
        return f"FROM ({series} SELECT i FROM n) WHERE {where}"

    def moment(self, seconds: str) -> str:
        """So many seconds after the desk's moment."""
        at = f"{int(MOMENT.timestamp())} + {seconds}"
        if self.postgres:
            return f"to_timestamp({at})"
        return f"strftime('%Y-%m-%d %H:%M:%f', {at}, 'unixepoch') || '000'"

    @property
    def due(self) -> str:
        place = f"(i - {self.count - self.opened})"
        return f"({place} * {5 * _DAY} / {self.opened} - {_DAY // 50})"

    def tickets(self) -> str:
        no, yes = ("false", "true") if self.postgres else ("0", "1")
        timed = f"{self.is_open} AND NOT {self.waits}"
        columns = {
            "id": "i",
            "kind": _QUEUES,
            "queue": _QUEUES,
            "state": f"CASE WHEN {self.is_open} THEN 'open' ELSE 'closed' END",
            "thread_key": "'case++' || i || '@support.facebook.com'",
            "relay_address": "'case++' || i || '@support.facebook.com'",
            "case_token": "''",
            "case_number": "''",
            "username": "'buyer.' || i",
            "sender": "'case++' || i || '@support.facebook.com'",
            "subject": "'Message from buyer.' || i",
            "contact_reason": _REASONS.format(rare=self.rare),
            "assignee": f"CASE WHEN i % 2 = 0 THEN 'agent.' || (i / 2 % {AGENTS}) END",
            "escalated": f"CASE WHEN i % {self.rare} = 0 THEN {yes} ELSE {no} END",
            "verified": f"CASE WHEN i % {self.rare} = 1 THEN {no} ELSE {yes} END",
            "opened_at": self.moment(f"(i - {self.count}) * 60"),
            "last_message_at": self.moment(f"(i - {self.count}) * 60"),
            "closed_at": f"CASE WHEN NOT {self.is_open} THEN {self.moment(f'(i - {self.count}) * 60')} END",
            "next_due": f"CASE WHEN {timed} THEN {self.moment(self.due)} END",
            "next_warn": f"CASE WHEN {timed} THEN {self.moment(f'{self.due} - 14400')} END",
            "answered_at": f"CASE WHEN {self.waits} THEN {self.moment(f'(i - {self.count}) * 30')} END",
            "waiting_since": f"CASE WHEN {self.waits} THEN {self.moment(f'(i - {self.count}) * 30')} END",
            "message_count": "1",
            "needs_look": f"CASE WHEN {self.is_open} AND i % 300 = 0 THEN 'not_sent' END",
            "needs_look_since": f"CASE WHEN {self.is_open} AND i % 300 = 0 THEN {self.moment('0')} END",
            "excerpt": "'The parcel of buyer.' || i || ' has not come, and nobody answers since Monday.'",
        }
        return self.insert("ticket", columns)

    def insert(self, table: str, columns: dict[str, str]) -> str:
        names, values = ", ".join(columns), ", ".join(columns.values())
        return f"INSERT INTO {table} ({names}) SELECT {values} {self.numbers()}"

    def deadlines(self) -> str:
        stopped = f"NOT {self.is_open} OR {self.waits}"
        columns = {
            "ticket_id": "i",
            "queue": _QUEUES,
            "clock": "'response'",
            "round": "1",
            "started_at": self.moment(f"{self.due} - 172800"),
            "due_at": self.moment(self.due),
            "warn_at": self.moment(f"{self.due} - 14400"),
            "reading": "'elapsed'",
            "target": "'2 business days'",
            "explanation": "'[]'",
            "stopped_at": f"CASE WHEN {stopped} THEN {self.moment(f'{self.due} - 7200')} END",
            "stopped_how": f"CASE WHEN {stopped} THEN 'answered' ELSE '' END",
        }
        return self.insert("deadline", columns)

    def events(self) -> str:
        data = json.dumps(Event(1, MOMENT, TicketOpened(1, (), "case", "case")).data)
        at = self.moment(f"(i - {self.count}) * 60")
        chosen = f"SELECT i, {at}, {at}, 'opened', 'mail', '{data}' {self.numbers()}"
        return f"INSERT INTO event (ticket_id, at, noted_at, what, actor, data) {chosen}"

    def orders(self) -> str:
        every = max(1, self.count // NAMED)
        many = f"CASE WHEN i % {every} = 0 THEN '{MANY}' ELSE '3685' || (100000000000 + i) END"
        chosen = f"SELECT i, 'order', {many}, 'bound', 'Order', 'text' {self.numbers()}"
        return f"INSERT INTO ticket_order (ticket_id, what, value, how, label, place) {chosen}"

    def messages(self) -> None:
        mail, decided = envelope(), decision(None, candidates=(candidate(MANY),))  # type: ignore[arg-type]
        columns = {
            "id": "i",
            "delivery_key": "'d' || i",
            "ticket_id": "i",
            "kind": "'case'",
            "vouched": "true" if self.postgres else "1",
            "received_at": self.moment(f"(i - {self.count}) * 60"),
            "mail_from": "'b@support.facebook.com'",
            "rcpt_to": "'[\"help@shop.example\"]'",
            "peer": "'66.220.144.130'",
            "helo": "'mx.example'",
            "tls": "true" if self.postgres else "1",
            "size": str(len(mail.raw)),
            "from_addr": "'case++' || i || '@support.facebook.com'",
            "subject": "'Hello'",
            "message_id": "'<' || i || '@facebook.com>'",
            "trace": "''",
        }
        values = {
            "origin": json.dumps(asdict(mail.origin)),
            "auth": json.dumps(asdict(AUTH)),
            "reasons": "[]",
            "findings": json.dumps(asdict(decided.findings)),
            "raw": mail.raw,
        }
        names = ", ".join((*columns, *values))
        cast = "CAST(:{0} AS json)" if self.postgres else ":{0}"
        given = ", ".join(":raw" if name == "raw" else cast.format(name) for name in values)
        chosen = f"SELECT {', '.join(columns.values())}, {given} {self.numbers(self.has_mail)}"
        statement = text(f"INSERT INTO message ({names}) {chosen}")
        self.connection.execute(statement.bindparams(bindparam("raw", type_=Raw())), values)

    def words(self) -> str:
        common, rare = index_words((COMMON,))[0], index_words((RARE,))[0]
        every = max(1, self.count // 5)
        if self.postgres:
            odd = f"CASE WHEN i % {every} = 0 THEN '{rare}' ELSE 'x' || i END"
            words = f"ARRAY['{common}', 'buyer', 'w' || (i % 1000), {odd}]"
            return (
                "INSERT INTO search_index (ticket_id, words) "
                f"SELECT i, array_to_tsvector({words}) {self.numbers()}"
            )
        words = (
            f"'{common} buyer w' || (i % 1000) || CASE WHEN i % {every} = 0 THEN ' {rare}' ELSE ' x' || i END"
        )
        return f"INSERT INTO search_index (rowid, words) SELECT i, {words} {self.numbers()}"

    def snoozes(self) -> str:
        chosen = f"SELECT 'agent.1', i, {self.moment('7200')} {self.numbers(f'i > {self.count - 20}')}"
        return f"INSERT INTO snooze (agent, ticket_id, until) {chosen}"

    def settle(self) -> None:
        """Numbers go on after the last one."""
        if self.postgres:
            for table in ("ticket", "message"):
                setting = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {self.count})"
                self.connection.execute(text(setting))
