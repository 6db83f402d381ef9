"""HTML of a message: made safe to show, and turned into text.

The HTML algorithm every correct parser follows takes quadratic time on deep nesting and copies unclosed
formatting without bound (256 KB of ``<div>`` cost nh3 3 s), so markup of more than a few tags is first
written anew with few kinds of tags, a bounded depth and a bounded number of open formatting tags. nh3
then makes it safe, whether it was rewritten or not.
"""

from __future__ import annotations

import re
from html import unescape

import nh3
from selectolax.lexbor import LexborHTMLParser

from relaydesk.message.unreadable import hostile_bytes

MAX_HTML = 262_144
MAX_TAGS = 20_000
FEW_TAGS = 300
MAX_DEPTH = 100
MAX_FORMATTING = 8

_VOID = {"br", "hr"}
_SELF_CLOSING = {"p", "li", "tr", "td", "th", "thead", "tbody", "tfoot", "dt", "dd"}
_FORMATTING = {"a", "b", "strong", "i", "em", "u", "s", "code", "small"}
_NESTING = {"div", "span", "table", "ul", "ol", "dl", "blockquote", "pre",
            "h1", "h2", "h3", "h4", "h5", "h6"}  # fmt: skip
TAGS = _VOID | _SELF_CLOSING | _FORMATTING | _NESTING
_BREAKS = ", ".join(sorted((TAGS - _FORMATTING - {"span", "td", "th"}) | {"br"}))
_UNSEEN = {"script", "style", "title", "textarea", "template", "noscript", "iframe", "noframes",
           "noembed", "xmp", "svg", "math"}  # fmt: skip
_LINE, _CELL = "\x1e", "\x1f"

_TOKEN = re.compile(
    r"<!--(?:.*?-->|.*)"
    rf"|<({'|'.join(sorted(_UNSEEN))})\b(?:.*?</\1\s*>|.*)"
    r"|<[!?][^>]*>?"
    r"|<(/?)([a-z][a-z0-9]*)([^<>]*)>",
    re.DOTALL | re.IGNORECASE,
)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))""", re.IGNORECASE)
_ANCHOR = re.compile(r'<a href="([^"]+)"')
_URL = re.compile(r"\bhttps?://[^\s<>\"'`\\^{|}]{3,2000}", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_LINES = re.compile(r"\n{3,}")


def _quoted(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _rewritten(html: str) -> str:
    out: list[str] = []
    opened = dict.fromkeys(_FORMATTING | _NESTING, 0)
    at = formatting = depth = 0
    for number, token in enumerate(_TOKEN.finditer(html)):
        out.append(_quoted(html[at : token.start()]))
        at = token.end()
        name = (token[3] or "").lower()
        if name not in TAGS or number >= MAX_TAGS:
            continue
        if name in opened:
            step = -1 if token[2] else 1
            if step < 0 and not opened[name]:
                continue
            room = formatting < MAX_FORMATTING if name in _FORMATTING else depth < MAX_DEPTH
            if step > 0 and not room:
                out.append("" if name in _FORMATTING else "<br>")
                continue
            opened[name] += step
            formatting += step if name in _FORMATTING else 0
            depth += step if name in _NESTING else 0
        href = _HREF.search(token[4]) if name == "a" else None
        target = next((value for value in href.groups() if value is not None), "") if href else ""
        target = target.replace('"', "&quot;")
        out.append(f'<{token[2]}{name} href="{target}">' if target else f"<{token[2]}{name}>")
    out.append(_quoted(html[at:]))
    return "".join(out)


def sanitised(html: str) -> str:
    """HTML that is safe to show: text, tables, lists and links; no script, style, image or form.

    Reads at most ``MAX_HTML`` characters.
    """
    html = html[:MAX_HTML].replace(_LINE, "").replace(_CELL, "")
    html = _rewritten(html) if html.count("<") > FEW_TAGS else html
    with hostile_bytes():
        return nh3.clean(
            html,
            tags=TAGS,
            clean_content_tags=_UNSEEN,
            attributes={"a": {"href"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer nofollow",
        )


def html_to_text(html: str) -> str:
    """The text of sanitised HTML: a line for each block and table row, a tab between table cells."""
    tree = LexborHTMLParser(html)
    if tree.body is None:
        return ""
    for node in tree.css("td, th"):
        node.insert_after(_CELL)
    for node in tree.css(_BREAKS):
        node.insert_before(_LINE)
        if node.tag != "br":
            node.insert_after(_LINE)
    lines = (
        "\t".join(cell.strip() for cell in line.split(_CELL)).strip("\t")
        for line in _SPACE.sub(" ", tree.body.text()).split(_LINE)
    )
    return _LINES.sub("\n\n", "\n".join(lines)).strip()


def links(html: str, text: str, limit: int = 200) -> tuple[str, ...]:
    """The distinct http(s) targets in sanitised HTML, then those in the text, at most ``limit``."""
    with hostile_bytes():
        targets = [unescape(target) for target in _ANCHOR.findall(html)] if html else []
    if "://" in text:
        targets += [target.rstrip(".,;:!?)]") for target in _URL.findall(text)]
    wanted = (link[:2_000] for link in targets if link.lower().startswith(("http://", "https://")))
    return tuple(dict.fromkeys(wanted))[:limit]
