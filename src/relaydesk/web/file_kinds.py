"""What an agent is told of a file before it is opened: whether it is shown here, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.message import safe_name

if TYPE_CHECKING:
    from relaydesk.store import AttachmentRow

SHOWN = {"image/jpeg", "image/png", "image/gif", "image/webp"}
"""What a browser draws and nothing else: by the bytes, whatever the mail calls it."""
_NOT_DRAWN = {
    "image/heic": "A photo of a telephone (HEIC), which browsers do not draw",
    "image/heif": "A photo of a telephone (HEIF), which browsers do not draw",
    "image/tiff": "A scan (TIFF), which browsers do not draw",
    "image/avif": "A photo (AVIF); download it to look at it",
    "image/bmp": "A bitmap; download it to look at it",
}
_RUNS = "May run when it is opened"
_KINDS = {
    _RUNS: "exe com scr pif msi msp bat cmd ps1 psm1 vbs vbe js jse wsf wsh hta cpl dll sys jar app dmg "
    "pkg apk deb rpm sh bash py rb pl lnk url desktop scf inf reg chm hlp gadget "
    "appref-ms settingcontent-ms workflow",
    "A disk that may hold programs": "iso img vhd vhdx udf cue bin",
    "A web page, which may run scripts": "html htm xhtml shtml mht mhtml svg svgz xml xsl xslt htc",
    "May hold macros": "docm dotm xlsm xltm xlam xlsb pptm potm ppam ppsm doc xls ppt dot xlt rtf one iqy "
    "slk accdb mdb odb",
    "An archive; look at what is in it first": "zip rar 7z gz bz2 xz tar tgz cab ace arj lzh z",
}
_BY_SUFFIX = {suffix: warning for warning, suffixes in _KINDS.items() for suffix in suffixes.split()}
_BY_TYPE = {
    "application/x-msdownload": _RUNS,
    "application/x-executable": _RUNS,
    "application/x-elf": _RUNS,
    "application/vnd.microsoft.portable-executable": _RUNS,
}
_OTHERWISE = {  # what the bytes are, and the endings that say so
    "application/pdf": {"pdf"},
    "image/jpeg": {"jpg", "jpeg", "jpe", "jfif"},
    "image/png": {"png"},
    "image/gif": {"gif"},
    "image/webp": {"webp"},
}
_NAMES_OF = {suffix: kind for kind, suffixes in _OTHERWISE.items() for suffix in suffixes}


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of a mail. ``warning`` is a short sentence about what it may do, ``note`` about what it is."""

    place: int
    name: str
    size: int
    shown: bool
    warning: str = ""
    note: str = ""


def file_view(row: AttachmentRow, place: int) -> FileView:
    """A file by its place in the mail, from 1 on."""
    name = safe_name(row.name, place)
    shown = row.sniffed_type in SHOWN
    return FileView(
        place,
        name,
        row.size,
        shown,
        _warning(row, name),
        "" if shown else _NOT_DRAWN.get(row.sniffed_type, ""),
    )


def media_type(sniffed: str) -> str:
    """The type a download is sent with: what its bytes say, where that is nothing that a browser runs."""
    harmless = sniffed in SHOWN or sniffed == "application/pdf" or sniffed.startswith(("audio/", "video/"))
    return sniffed if harmless else "application/octet-stream"


def _warning(row: AttachmentRow, name: str) -> str:
    suffix = name.rpartition(".")[2].lower()
    if row.sniffed_type in _BY_TYPE:
        return _BY_TYPE[row.sniffed_type]
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if row.declared_type in ("text/html", "image/svg+xml", "application/xhtml+xml"):
        return _BY_SUFFIX["html"]
    named = _NAMES_OF.get(suffix)
    if named is not None and row.sniffed_type != named:
        return f"Is not what its name says ({row.sniffed_type or 'no known kind'})"
    return ""
