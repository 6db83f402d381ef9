"""The files of mails: under a path that no page shares, as downloads, or as pictures that a page draws."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from relaydesk.message import safe_name
from relaydesk.web.file_kinds import SHOWN, media_type
from relaydesk.web.ticket import demand_number
from relaydesk.web.visitors import TheDesk, TheVisitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from relaydesk.message import Attachment

router = APIRouter(prefix="/files/{ticket_id}")
POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
KEPT = "private, max-age=3600, immutable"  # what a message holds never changes
KEPT_NOT = "no-store"
_PLAIN = re.compile(r"[^A-Za-z0-9 ._()+-]")


@router.get("/files.zip")
def all_files(desk: TheDesk, visitor: TheVisitor, ticket_id: int) -> StreamingResponse:
    """Every file of a ticket's mails, as one archive that is made while it is sent."""
    demand_number(ticket_id)
    desk.threads.open(ticket_id)
    return _zip(desk.tickets.attachments(ticket_id), f"ticket-{ticket_id}.zip")


@router.get("/{message_id}/files.zip")
def message_files(desk: TheDesk, visitor: TheVisitor, ticket_id: int, message_id: int) -> StreamingResponse:
    """The files of one mail, as one archive."""
    demand_number(ticket_id, message_id)
    desk.threads.message(ticket_id, message_id)
    return _zip(desk.tickets.attachments(ticket_id, message_id), f"message-{message_id}.zip")


@router.get("/{message_id}/raw")
def original(desk: TheDesk, visitor: TheVisitor, ticket_id: int, message_id: int) -> Response:
    """A message's bytes exactly as received. That they were read goes on record."""
    demand_number(ticket_id, message_id)
    raw = desk.tickets.original(ticket_id, message_id, by=visitor.by)
    return Response(raw, headers=download_headers(f"message-{message_id}.eml", "message/rfc822", KEPT_NOT))


@router.get("/{message_id}/{place}/photo")
def photo(desk: TheDesk, visitor: TheVisitor, ticket_id: int, message_id: int, place: int) -> Response:
    """A picture to draw. 404 for what is none by its bytes."""
    attachment = _attachment(desk, ticket_id, message_id, place)
    if attachment.sniffed_type not in SHOWN:
        raise HTTPException(404)
    headers = download_headers("", attachment.sniffed_type, KEPT)
    return Response(attachment.content, headers=headers)


@router.get("/{message_id}/{place}/{name}")
def download(
    desk: TheDesk, visitor: TheVisitor, ticket_id: int, message_id: int, place: int, name: str
) -> Response:
    """A file to save; ``name`` is there for who reads the address."""
    attachment = _attachment(desk, ticket_id, message_id, place)
    kind = media_type(attachment.sniffed_type)
    return Response(
        attachment.content, headers=download_headers(safe_name(attachment.name, place), kind, KEPT)
    )


def _attachment(desk: TheDesk, ticket_id: int, message_id: int, place: int) -> Attachment:
    demand_number(ticket_id, message_id)
    return desk.tickets.attachment(ticket_id, message_id, place)


def download_headers(name: str, kind: str, kept: str) -> dict[str, str]:
    """What goes with a file: its type, that nothing in it runs, and how it is saved."""
    headers = {
        "Content-Type": kind,
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": kept,
    }
    return headers | ({"Content-Disposition": disposition(name)} if name else {})


def disposition(name: str) -> str:
    """``attachment`` with a file's name in ASCII, and whole as RFC 8187 writes it (RFC 6266 §4.3)."""
    return f"attachment; filename=\"{_PLAIN.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"


def _zip(files: Iterable[tuple[int, int, Attachment]], name: str) -> StreamingResponse:
    # Each name has its numbers before it, so that no two are the same.
    named = (
        (f"{message_id}-{place}-{safe_name(attachment.name, place)}", attachment.content)
        for message_id, place, attachment in files
    )
    return StreamingResponse(archive(named), headers=download_headers(name, "application/zip", KEPT_NOT))


class _Outlet(io.RawIOBase):
    """Where the archive is written to: what came is taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        piece = bytes(content)  # type: ignore[call-overload]
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        content = b"".join(self._pieces)
        self._pieces.clear()
        return content


def archive(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """(name, content) of each as one archive. Stored, not packed: what people send is packed already."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as packed:
        for name, content in files:
            packed.writestr(safe_name(name, 1), content)
            yield outlet.taken()
    yield outlet.taken()
