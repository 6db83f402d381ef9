"""A desk on a Wednesday morning, full of tickets: real mails, signed, through the real intake, at their times.

The desk stands still at :data:`MORNING`. What is late, due today and later stands there, with photos, quotes,
other alphabets, a claim, a chargeback, mail that no rule knows, and mail that nothing proves.
"""

from __future__ import annotations

import asyncio
import base64
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from relaydesk.config.opening import desk_config, settings_in_force
from relaydesk.config.settings import Settings
from relaydesk.config.snapshot import read_snapshot
from relaydesk.data import data_path
from relaydesk.desk.desk import Desk
from relaydesk.desk.permissions import CONSOLE
from relaydesk.intake.receive import Intake
from relaydesk.mailauth.signing import sign_dkim
from relaydesk.message.envelope import Envelope, Origin
from relaydesk_testkit.signing import SELECTOR, key, key_zone, over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.dns import Resolver
    from relaydesk.store import Store

MORNING = datetime(2026, 11, 25, 18, 42, tzinfo=UTC)  # 10:42 in Los Angeles, the day before Thanksgiving
SECRET = b"s" * 32
FILES = Settings.model_validate(
    {
        "mailboxes": ("help@shop.example",),
        "hostname": "mx.shop.example",
        "support_contact": "Demo Shop <help@shop.example>",
        "undo_seconds": 30,
    }
)
CALENDAR = {"zone": "America/Los_Angeles", "holidays": {"region": "US"}}
SETTINGS = FILES.model_copy(update={"calendar": CALENDAR})
AGENTS = {
    "shop.admin": "admin",
    "desk.lead": "lead",
    "day.agent": "agent",
    "late.agent": "agent",
    "claims.agent": "agent",
    "returns.agent": "agent",
}
_DIRECT = Origin("66.220.144.141", "origin", allowlisted=True, how="peer")
_INSTAGRAM, _SHOPPING, _FACEBOOK = "support.instagram.com", "shopping.instagram.com", "support.facebook.com"
_ZONE: dict[str, list[object]] = {}
for _domain in (_INSTAGRAM, _SHOPPING, _FACEBOOK):
    _ZONE |= key_zone(_domain)
    _ZONE[_domain] = [{"TXT": "v=spf1 ip4:66.220.144.128/25 -all"}]
    _ZONE[f"_dmarc.{_domain}"] = [{"TXT": "v=DMARC1; p=reject"}]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail: its age in hours at the desk's morning, whose it is, and what it says."""

    age: float
    username: str
    text: str
    order: str = ""
    reason: str = "Another question"
    photos: int = 0
    quoted: bool = False
    sender: str = ""  # default: the case address of the username
    subject: str = ""
    signed: bool = True
    html: str = ""
    files: tuple[tuple[str, str, bytes], ...] = ()  # type, name, content


_LATE, _DAMAGED = "Order late or missing", "Damaged or not as described"
ARRIVALS = (
    Arrival(66.6, "poster.fan", "Still nothing in the letterbox. I wrote a week ago already, please look into it.",
            "371202934455811", _LATE),
    Arrival(50.2, "gift.for.two", "The lamp does not light, I tried three bulbs.", "404455667788990", _DAMAGED),
    Arrival(121.5, "mug.collector", "One of the two mugs arrived broken. What now?", "368508827392800", _DAMAGED),
    Arrival(48.75, "", "The claim for this order was updated. You do not need to do anything now.",
            sender=f"Facebook <commerce-no-reply@{_FACEBOOK}>",
            subject="A claim was updated for order #64000841784004"),
    Arrival(46.7, "", "A buyer has opened a claim for an order in your shop. We will write if we need something.",
            sender=f"Instagram <no-reply@{_SHOPPING}>",
            subject="A claim has been opened for order #371202934455811"),
    Arrival(44.4, "mug.collector", "Here are two photos. The handle is off, and the lamp shade has a dent too. I "
            "need one of the mugs for Friday, it is a present. Can you send a new one in time?",
            "368508827392800", _DAMAGED, photos=2, quoted=True),
    Arrival(43.1, "handgemachte.keramik.liebhaberin.2026", "Ich möchte von meinem Widerrufsrecht Gebrauch machen "
            "und bitte um ein Rücksendeetikett für die Sonderanfertigung.", "382910456677102", "Return request"),
    Arrival(41.6, "مشتري_السجاد", "أين طلبي؟ كان يجب أن يصل يوم الجمعة.", "406667788990012", _LATE),
    Arrival(40.9, "lamp_lover", "Is the large lamp dimmable, and which bulb fits?", "2247696628885631"),
    Arrival(40.3, "scarf.season", "Can I change the delivery address?"),
    Arrival(37.5, "rosa" * 12, "Where is it?", "402233445566778", _LATE),
    Arrival(36.0, "garden.and.porch", "Hello, is the bench still there? Call me on my private number.", signed=False),
    Arrival(23.0, "carla.returns", "The lamp is lovely but too big. I would like to return it.", "382910456677102",
            "Return request"),
    Arrival(20.0, "bathroom.tiles", "Can you send an invoice with my company's name?", "405566778899001",
            html="<h1 style='color:#064'>Can you send an invoice with <b>my company's name</b>?</h1>"
            "<img src='https://tracker.example/pixel.gif' width=1 height=1><p>Thank you<br>Tiles &amp; Co</p>"),
    Arrival(18.0, "tea_for_three", "Two of the three cups have the same crack.", "10100677592885259", _DAMAGED,
            photos=1),
    Arrival(17.8, "", "The buyer's bank has returned the payment of an order in your shop. You have 10 days to "
            "send evidence.\r\n\r\nOrder number: 394455667788123\r\nAmount: $78.00",
            sender=f"Facebook <commerce-no-reply@{_FACEBOOK}>", subject="Chargeback for order 394455667788123"),
    Arrival(17.7, "אספן_ספלים", "אפשר להזמין שני ספלים נוספים באותו צבע?", "403344556677889"),
    Arrival(6.0, "velvet.sofa", "Does the sofa come with feet?", "401122334455667"),
    Arrival(2.0, "night.reader", "My order says delivered, but nothing came.", "407788990011223", _LATE),
)  # fmt: skip


def staffed_desk(store: Store, *, settings: Settings = SETTINGS) -> Desk:
    """A desk with its agents and no mail, as it stands at :data:`MORNING`: quicker than a full one."""
    desk = Desk(store, desk_config(settings, lambda: SECRET), lambda: MORNING)
    for name, role in AGENTS.items():
        desk.agents.add(name, role=role, by=CONSOLE)  # type: ignore[arg-type]
    return desk


def full_desk(store: Store, *, settings: Settings = SETTINGS) -> Desk:
    """Fills the store and opens a desk over it, as it stands at :data:`MORNING`."""
    hours = {"clock": MORNING - timedelta(days=30)}
    config = desk_config(settings, lambda: SECRET, files=FILES if settings is SETTINGS else settings)
    desk = Desk(store, config, lambda: hours["clock"])
    for name, role in AGENTS.items():
        desk.agents.add(name, role=role, by=CONSOLE)  # type: ignore[arg-type]
    if settings is SETTINGS:
        desk.settings.store_value(
            "calendar",
            desk.settings.book.written(CALENDAR),
            by="agent:shop.admin",
            why="the American holidays",
        )
    with (data_path("fixtures") / "orders.csv").open("rb") as orders:
        desk.orders.import_file(orders, by=CONSOLE)
    receive(store, ARRIVALS, settings=settings)
    hours["clock"] = MORNING
    _work(desk)
    return desk


def reopened(store: Store) -> Desk:
    """The full desk over a store that was filled before."""
    in_force, _ = settings_in_force(FILES, store)
    return Desk(store, desk_config(in_force, lambda: SECRET, files=FILES), lambda: MORNING)


def receive(
    store: Store, arrivals: Sequence[Arrival], *, first: int = 1, settings: Settings = SETTINGS
) -> None:
    """Takes mails in as the server does; ``first`` is the number of the first, by which they differ."""
    with ThreadPoolExecutor(1) as apart:  # a browser's driver may hold the loop of this thread
        apart.submit(asyncio.run, _receive(store, arrivals, first, settings)).result()


async def _receive(store: Store, arrivals: Sequence[Arrival], first: int, settings: Settings) -> None:
    snapshot = read_snapshot(settings, secret=SECRET, hostname=settings.hostname)
    resolver: Resolver = over(_ZONE)
    with ThreadPoolExecutor(1) as workers:
        for number, arrival in enumerate(arrivals, first):
            at = MORNING - timedelta(hours=arrival.age)
            intake = Intake(store=store, resolver=resolver, clock=lambda at=at: at, workers=workers)  # type: ignore[misc]
            decision = await intake.receive(snapshot, envelope(number, arrival, at))
            assert decision.outcome == "accepted", (arrival, decision)


def _work(desk: Desk) -> None:
    """What the agents have done by now."""
    from relaydesk.store import TicketFilter  # noqa: PLC0415

    tickets = {row.username: row.id for row in desk.queues.page(TicketFilter(), limit=100).tickets}
    for username, agent in (
        ("poster.fan", "late.agent"),
        ("mug.collector", "day.agent"),
        ("lamp_lover", "day.agent"),
        ("carla.returns", "returns.agent"),
        ("tea_for_three", "returns.agent"),
    ):
        desk.tickets.assign(tickets[username], agent, by=f"agent:{agent}")
    desk.tickets.note(
        tickets["mug.collector"],
        "MUG-BLUE is on the shelf. Express leaves at 15:00, so it must be packed before lunch.",
        by="agent:late.agent",
    )


def envelope(number: int, arrival: Arrival, at: datetime) -> Envelope:
    """The mail as it came from Facebook's network."""
    raw = _mail(number, arrival, at)
    origin = _DIRECT if arrival.signed else Origin(None, "relay", allowlisted=False, how="unknown")
    return Envelope(
        origin.ip or "192.0.2.7",
        origin,
        "mx-out.facebook.com",
        "notification@" + (_INSTAGRAM if arrival.signed else "mail.example"),
        ("help@shop.example",),
        raw,
        at,
    )


def _token(username: str) -> str:
    number = zlib.crc32(username.encode())
    return (
        "".join("abcdefghijkmnopqrstuvwxyz234567"[number >> shift & 15] for shift in range(0, 32, 4))
        + "juyyq2"
    )


def _mail(number: int, arrival: Arrival, at: datetime) -> bytes:
    case = f"case++{_token(arrival.username)}@{_INSTAGRAM}"
    sender = arrival.sender or f"Instagram Support <{case}>"
    domain = sender.rpartition("@")[2].rstrip(">")
    head = [
        f"Date: {format_datetime(at)}",
        "To: help@shop.example",
        f"Subject: {arrival.subject or f'Message from {arrival.username}'}",
        f"From: {sender}",
        f"Message-ID: <full-{number}@mx-out.facebook.com>",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=mixed",
    ]
    parts = [_part("text/plain; charset=utf-8", _letter(arrival).encode())]
    if arrival.html:
        page = f"<html><body>{arrival.html}<p>Facebook order number: {arrival.order}</p></body></html>"
        alternative = b"".join((*parts, _part("text/html; charset=utf-8", page.encode()))).replace(
            b"--mixed", b"--alternative"
        )
        parts = [
            b"--mixed\r\nContent-Type: multipart/alternative; boundary=alternative\r\n\r\n"
            + alternative
            + b"--alternative--\r\n"
        ]
    for photo in range(arrival.photos):
        parts.append(_part("image/png", photograph(photo), f"photo-{photo + 1}.png"))
    parts += [_part(kind, content, name) for kind, name, content in arrival.files]
    raw = "\r\n".join(head).encode() + b"\r\n\r\n" + b"".join(parts) + b"--mixed--\r\n"
    return sign_dkim(raw, domain, SELECTOR, key()) if arrival.signed else raw


def _letter(arrival: Arrival) -> str:
    if arrival.sender:
        return arrival.text
    lines = ["Hi Demo Shop,", "", f"{arrival.username} has a question about an order in your shop.", ""]
    lines.append(f"Reason for contact: {arrival.reason}")
    if arrival.order:
        lines.append(f"Facebook order number: {arrival.order}")
    lines += ["", f"{arrival.username} wrote:", "", arrival.text, ""]
    lines += ["Reply to this email to answer. Please answer within 2 business days.", "The Instagram team"]
    if arrival.quoted:
        lines += ["", "On Fri, 20 Nov 2026 at 09:59, Demo Shop wrote:", "> Hello mug.collector,", ">"]
        lines += ["> thank you for your message. Could you send us a photo of the broken mug?"]
    return "\r\n".join(lines)


def _part(kind: str, content: bytes, name: str = "") -> bytes:
    disposition = f"Content-Disposition: attachment; filename*=UTF-8''{quote(name)}\r\n" if name else ""
    head = f"--mixed\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{disposition}\r\n"
    return head.encode() + base64.encodebytes(content).replace(b"\n", b"\r\n")


def photograph(number: int, width: int = 352, height: int = 264) -> bytes:
    """A PNG that shows something: a mug-coloured block before a wall, another for each number."""
    ink = ((62, 107, 166), (232, 219, 184), (150, 60, 60))[number % 3]
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            inside = width // 3 < x < width * 2 // 3 and height // 4 < y < height * 4 // 5
            rows += bytes(ink if inside else (208, 199, 188) if y < height * 3 // 4 else (168, 142, 116))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(rows), 6)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
