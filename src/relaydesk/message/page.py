"""The HTML of a mail as a page of its own: what its sender made of it, and nothing that acts or asks.

It is read as a letter (:mod:`relaydesk.message.letter`), by lists of what it may have: no scripts, no forms,
no addresses but those of links and of pictures that came with the mail. A link says where it leads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape, unescape
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from relaydesk.message.headers import header_fields
from relaydesk.message.letter import Letter
from relaydesk.message.markup import MAX_HTML, MAX_TAGS
from relaydesk.message.parts import message_parts
from relaydesk.message.texts import message_charset, read_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

_REMOTE = re.compile(r"\s*(?:https?:|//)", re.IGNORECASE)
_PICTURE = re.compile(r'(<img [^<>]*?src=")cid:(\d{1,3})"')
_LINK = re.compile(r'<a([^<>]*?) href="([^"<>]*)"([^<>]*)>(.*?)</a>', re.DOTALL)
_TAG = re.compile(r"<[^<>]*+>")
LEFT_OUT = "The HTML of this message is too large to show; open the original."
_SHOWN_ADDRESS = 80


@dataclass(frozen=True, slots=True)
class MailPage:
    """``html`` is what stands between the tags of a body, safe as it is. ``remote`` counts the pictures that
    stand on other hosts, which are not shown; ``why_not`` is a sentence where there is no page.
    """

    html: str = ""
    remote: int = 0
    why_not: str = ""


class _Pictures:
    """What a page takes from outside itself: the pictures that came with it."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self._places = places
        self.remote = 0

    def image(self, attributes: Mapping[str, str]) -> str:
        source = attributes.get("src", "").strip()
        if source[:4].lower() == "cid:":
            place = self._places.get(unquote(source[4:]).strip("<> "))
            return f"cid:{place}" if place else ""
        self.remote += bool(_REMOTE.match(source))
        return ""

    def link(self, target: str) -> str:
        return target

    def left_out(self, name: str, attributes: Mapping[str, str]) -> None:
        """Nobody is beside: the text says the same."""


def mail_page(raw: bytes, picture: str) -> MailPage:
    """The page of a message; without ``html`` where it has none.

    ``picture`` is the address of a file of it, with ``{place}`` for its place among them, from 1 on.
    :raises Unreadable: when the parser fails on it.
    """
    defects: list[str] = []
    parts = message_parts(raw, defects)
    texts = read_texts(parts, message_charset(header_fields(raw), parts), defects)
    if not texts.html.strip():
        return MailPage(why_not="This message has no HTML.")
    if len(texts.html) > MAX_HTML or texts.html.count("<") > MAX_TAGS:
        return MailPage(why_not=LEFT_OUT)
    numbered = enumerate(texts.files, 1)
    places = {part.content_id.strip("<>"): place for place, part in numbered if part.content_id}
    sources = _Pictures(places)
    html = Letter(texts.html, sources).finished()
    html = _PICTURE.sub(lambda hit: f'{hit[1]}{escape(picture.format(place=hit[2]))}"', html)
    return MailPage(_LINK.sub(_outward, html), sources.remote)


def _outward(link: re.Match[str]) -> str:
    """A link opens apart, tells the other side nothing of us, and shows where it leads."""
    before, address, after, words = link.groups()
    where = _where(unescape(address))
    shown = unescape(_TAG.sub("", words)).strip()
    beside = f" <small><bdi>\u2039{escape(where)}\u203a</bdi></small>" if shown != unescape(address) else ""
    return (
        f'<a{before} href="{address}"{after} target="_blank" rel="noopener noreferrer nofollow" '
        f'title="{escape(unescape(address))}"><bdi>{words}</bdi>{beside}</a>'
    )


def _where(address: str) -> str:
    try:
        host = urlsplit(address).hostname
    except ValueError:
        host = None
    return (host or address)[:_SHOWN_ADDRESS]
