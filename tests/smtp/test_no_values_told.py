"""Whatever goes wrong with a mail, an answer or an order, no error and no line of the log quotes them.

Every field that a stranger, a buyer or an agent fills holds a word that begins with ``zq``, or one of the
numbers below; then everything that can be broken is, on both engines.
"""

from __future__ import annotations

import dataclasses
import io
import logging
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text
from sqlmodel import SQLModel

from relaydesk import logs
from relaydesk.desk.answers import Written
from relaydesk.logs import error_text, traceback_text
from relaydesk.orders.directory import import_file
from relaydesk.outbound import AnswerRefused
from relaydesk.samples.compose import composed_mail
from relaydesk.samples.delivery import send_composed
from relaydesk.store import StoreError, messages
from relaydesk.store.engine import Store
from relaydesk_testkit import postgres
from tests.smtp.test_our_bugs import STAGES
from tests.support import cases
from tests.support.desk import ALICE, desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection
    from sqlmodel import Session

    from relaydesk_testkit.postgres import Server

# Apart from the calls: a traceback shows the source of its lines.
NOTE, ANSWER, SEARCH = "zqNote", "zqAnswer", "zqSearch"
ORDER, LISTED_ORDER = "77665544332211", "77665544332299"
MARKED = re.compile(rf"zq\w*|{ORDER}|{LISTED_ORDER}", re.IGNORECASE)
MESSAGE = f"""Date: {{date}}
To: help@shop.example
Subject: zqSubject of \xfc
From: zqName <case++zqtoken1234567@support.facebook.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="zqboundary"
Message-ID: <zqMessageId@mx-out.facebook.com>
X-Zqheader: zqValue

--zqboundary
Content-Type: text/plain; charset="UTF-8"
Content-Transfer-Encoding: 8bit

Hi Demo Shop,

zqBuyer has a question about an order in your shop.

Reason for contact: Another question
Facebook order number: {ORDER}
Merchant order number: zqRef-1002

zqBuyer wrote:

zqQuestion zqQuestion?

Reply to this email to answer. Please answer within 2 business days.
The Facebook team

--zqboundary
Content-Type: image/jpeg; name="zqFile.jpg"
Content-Disposition: attachment; filename="zqFile.jpg"
Content-Transfer-Encoding: base64

/9j/4AAQSkZJRgABAQEAYABgAAD/enFDb250ZW50
--zqboundary--
""".encode()
TABLES = sorted(table.name for table in SQLModel.metadata.sorted_tables)


def marked_case() -> cases.Case:
    case = cases.golden("102-facebook-case")
    step = dataclasses.replace(case.last, message=MESSAGE, helo="zqhelo.example")
    return dataclasses.replace(case, steps=(step,))


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("debug", "json", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


async def hand_in(room: cases.Room, number: int = 0) -> str:
    """The reply to a message of that number, which has a case of its own."""
    message = MESSAGE.replace(b"1234567", str(1_234_567 + number).encode())
    step = dataclasses.replace(room.case.last, message=message)
    room.intake.seen, room.intake.turned = [], []
    mail = composed_mail(step, room.case.received_at, cases.KEYS, secret=cases.settings().secret)
    return await send_composed(mail, "127.0.0.1", room.port, seconds=20)


def told_by(work: Callable[[], object]) -> str:
    """What a command, a page or the log would tell of the error of some work."""
    try:
        work()
    except (StoreError, AnswerRefused) as error:
        return f"{error} {error_text(error)} {traceback_text(error)}"
    except Exception as error:
        return f"{error_text(error)} {traceback_text(error)}"
    return ""


def break_table(store: Store, name: str, how: str) -> None:
    """From now on the database refuses rows of a table, or lacks it."""
    engine = store.engine.dialect.name
    with store.transaction() as session:
        connection = session.connection()
        if how == "gone":
            connection.execute(text(f'ALTER TABLE "{name}" RENAME TO "was_{name}"'))
        elif engine == "sqlite":
            for act in ("INSERT", "UPDATE"):
                refusal = "BEGIN SELECT RAISE(ABORT, 'never'); END"
                connection.execute(text(f'CREATE TRIGGER never_{act} BEFORE {act} ON "{name}" {refusal}'))
        else:
            connection.execute(text(f'ALTER TABLE "{name}" ADD CONSTRAINT never CHECK (false) NOT VALID'))


def mend_table(store: Store, name: str, how: str) -> None:
    with store.transaction() as session:
        connection = session.connection()
        if how == "gone":
            connection.execute(text(f'ALTER TABLE "was_{name}" RENAME TO "{name}"'))
        elif store.engine.dialect.name == "sqlite":
            for act in ("INSERT", "UPDATE"):
                connection.execute(text(f"DROP TRIGGER never_{act}"))
        else:
            connection.execute(text(f'ALTER TABLE "{name}" DROP CONSTRAINT never'))


def orders_file() -> io.BytesIO:
    rows = (
        f"order_id,merchant_reference,buyer_name,buyer_email\n{LISTED_ORDER},zqRef,zqBuyer,zq@buyer.example\n"
    )
    return io.BytesIO(rows.encode())


@pytest.mark.parametrize("how", ["refuses", "gone"])
async def test_no_failing_table_tells_what_was_to_be_written(
    how: str, store: Store, log_lines: io.StringIO
) -> None:
    async with cases.opened(marked_case(), store) as room:
        failed = 0
        for number, name in enumerate(TABLES):
            logs.configure("debug", "json", log_lines)  # each kind of error is told anew
            break_table(store, name, how)
            failed += (await hand_in(room, number)).startswith("451 ")
            log_lines.write(told_by(lambda: import_file(store, orders_file(), now=room.now)))
            mend_table(store, name, how)
        assert failed > 2
        assert (await hand_in(room)).startswith("250 ")
        ticket = room.latest()
        at_desk = desk(store, room.now)
        for name in TABLES:
            break_table(store, name, how)
            log_lines.write(told_by(lambda: at_desk.tickets.note(ticket, NOTE, by=ALICE)))
            log_lines.write(
                told_by(lambda: at_desk.answers.write(ticket, Written(ANSWER), seen=10_000, by=ALICE))
            )
            log_lines.write(told_by(lambda: at_desk.search.tickets(SEARCH)))
            mend_table(store, name, how)
    told = log_lines.getvalue()
    assert told.count("unexpected_error") > 2
    assert set(MARKED.findall(told)) == set()


def stopped(server: Server) -> None:
    server.stop()


def thrown_out(server: Server) -> None:
    """Every connection ends, as when an administrator restarts the server."""
    others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    postgres.execute(server.url(), f"{others} AND backend_type = 'client backend'")


@pytest.mark.parametrize("lose", [stopped, thrown_out])
async def test_no_lost_server_tells_what_was_to_be_written(
    lose: Callable[[Server], None],
    own_postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
    log_lines: io.StringIO,
) -> None:
    store = Store.open(own_postgres.url())
    record = messages.record

    def lost_then_recorded(session: Session, *arguments: Any, **named: Any) -> Any:
        session.connection()  # a lost one that is not in use yet is replaced
        lose(own_postgres)
        return record(session, *arguments, **named)

    async with cases.opened(marked_case(), store) as room:
        monkeypatch.setattr(messages, "record", lost_then_recorded)
        assert (await hand_in(room)).startswith("451 4.3.0 ")
        log_lines.write(told_by(lambda: desk(store, room.now).search.tickets(SEARCH)))
        log_lines.write(told_by(lambda: import_file(store, orders_file(), now=room.now)))
    store.close()
    told = log_lines.getvalue()
    assert "store_unavailable" in told
    assert set(MARKED.findall(told)) == set()


async def test_no_full_disk_tells_what_was_to_be_written(sqlite_store: Store, log_lines: io.StringIO) -> None:
    async with cases.opened(marked_case(), sqlite_store) as room:
        assert (await hand_in(room)).startswith("250 ")
        ticket, at_desk = room.latest(), desk(sqlite_store, room.now)

        @event.listens_for(sqlite_store.engine, "begin")
        def _(connection: Connection) -> None:
            connection.exec_driver_sql("PRAGMA max_page_count=1")  # never less than there are now

        for number in range(1, 100):
            reply = await hand_in(room, number)
            if not reply.startswith("250 "):
                break
        assert reply.startswith("451 4.3.0 ")
        for _ in range(40):
            log_lines.write(told_by(lambda: at_desk.tickets.note(ticket, NOTE * 1000, by=ALICE)))
    told = log_lines.getvalue()
    assert "database or disk is full" in told
    assert set(MARKED.findall(told)) == set()


STORE_STAGES: dict[str, tuple[Any, str]] = {
    "known": (import_module("relaydesk.intake.record"), "read_known"),
    "decide": (import_module("relaydesk.intake.record"), "decide"),
    "record": (import_module("relaydesk.store.messages"), "record"),
}


@pytest.mark.parametrize("stage", [*STAGES, *STORE_STAGES])
async def test_no_bug_tells_what_it_had_in_hand(
    stage: str,
    sqlite_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    log_lines: io.StringIO,
) -> None:
    owner, name = {**STAGES, **STORE_STAGES}[stage]

    def broken(*arguments: object, **named: object) -> None:
        quoted = f"cannot do {arguments!r} {named!r} {MESSAGE!r}"
        try:
            {}[quoted]
        except KeyError as error:
            raise ExceptionGroup(quoted, [ValueError(quoted), OSError(5, quoted, quoted)]) from error

    async with cases.opened(marked_case(), sqlite_store) as room:
        monkeypatch.setattr(owner, name, broken)
        assert (await hand_in(room)).startswith("451 4.3.0 ")
    told = log_lines.getvalue()
    assert "unexpected_error" in told
    assert "cannot do" in told
    assert set(MARKED.findall(told)) == set()
