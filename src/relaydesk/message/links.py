"""Where a message links to: the http(s) targets of what its sender wrote, not of what they quote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from relaydesk.message.message import Body

MAX_LINKS = 200
MAX_LINK = 2_000
_URL = re.compile(r"\bhttps?://[^\s<>\"'`\\^{|}]{3,2000}", re.IGNORECASE)
# A browser takes these out of an address.
_CONTROLS = dict.fromkeys(map(ord, "\t\r\n"))


def links(anchors: Iterable[tuple[str, bool]], bodies: Sequence[Body]) -> tuple[str, ...]:
    """The distinct targets in order: those of the HTML's anchors, then those in the text.

    ``anchors`` are (target, quoted). What one body quotes and has nowhere else is left out of the other too.
    """
    by_body = {body.source: list(_in_text(body)) for body in bodies}
    by_body.setdefault("html", [])[:0] = [
        (target.translate(_CONTROLS).strip()[:MAX_LINK], quoted) for target, quoted in anchors
    ]
    quoted_only: set[str] = set()
    for targets in by_body.values():
        quoted_only |= {link for link, quoted in targets if quoted} - {
            link for link, quoted in targets if not quoted
        }
    wanted = dict.fromkeys(
        link
        for source in ("html", "text")
        for link, quoted in by_body.get(source, ())
        if not quoted and link not in quoted_only and link.lower().startswith(("http://", "https://"))
    )
    return tuple(wanted)[:MAX_LINKS]


def _in_text(body: Body) -> Iterable[tuple[str, bool]]:
    for passage in body.passages:
        if "://" in passage.text:
            for target in _URL.findall(passage.text):
                yield target.rstrip(".,;:!?)]"), passage.quoted
