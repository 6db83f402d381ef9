"""Style sheets, scripts and icons: read once, packed, and kept by browsers for ever under their hash."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from relaydesk.web.packed import packed_script, packed_style

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

router = APIRouter()
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent."""

    content: bytes
    media_type: str
    version: str


class StaticFiles:
    """``desk.css`` is every style sheet of the folder in the order of :data:`STYLES`, then what else there
    is; ``desk.js`` every file of its folder ``script``, by name. So a page asks for few files."""

    STYLES = ("tokens.css", "desk.css")

    def __init__(self, folder: Path) -> None:
        styles = [folder / name for name in self.STYLES]
        styles += sorted(path for path in folder.glob("*.css") if path not in styles)
        scripts = sorted((folder / "script").glob("*.js"))
        self._files = {
            "desk.css": _file(
                packed_style("\n".join(path.read_text("utf-8") for path in styles)), "text/css"
            ),
            "desk.js": _file(
                packed_script("\n".join(path.read_text("utf-8") for path in scripts)), "text/javascript"
            ),
            "htmx.js": _file((folder / "htmx.min.js").read_text("utf-8"), "text/javascript"),
            "favicon.svg": _file((folder / "favicon.svg").read_text("utf-8"), "image/svg+xml"),
            "icons.svg": _file((folder / "icons.svg").read_text("utf-8"), "image/svg+xml"),
        }

    @property
    def files(self) -> Mapping[str, StaticFile]:
        """Each by its name."""
        return self._files

    def address(self, name: str) -> str:
        """Where a page finds a file; a changed file has another address. That of the icons is short: a page
        names it two hundred times."""
        if name == "icons.svg":
            return f"/i/{self._files[name].version}"
        return f"/static/{self._files[name].version}/{name}"


def _file(text: str, media_type: str) -> StaticFile:
    content = text.encode()
    return StaticFile(content, media_type, sha256(content).hexdigest()[:6])


@router.get("/i/{version}")
def icons(request: Request, version: str) -> Response:
    """The icons."""
    return static_file(request, version, "icons.svg")


@router.get("/static/{version}/{name}")
def static_file(request: Request, version: str, name: str) -> Response:
    """A file that anybody may have: it holds nothing of the shop."""
    files: StaticFiles = request.app.state.pages.static
    file = files.files.get(name)
    if file is None:
        raise HTTPException(404)
    kept = {"Cache-Control": FOR_EVER} if version == file.version else {}
    return Response(file.content, media_type=file.media_type, headers=kept)
