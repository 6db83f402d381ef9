"""The elements of HTML in which mail programs put what they quote, and how a tag is matched with them.

``quote``: what is inside is quoted. ``cut``: so is all that follows. ``box``: an attribution and quotations,
between which answers may stand (Gmail). ``perhaps``: quoted where a separator stands above, for a border at
the left is anybody's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Quotation = Literal["", "quote", "cut", "box", "perhaps"]

_CLASSES: dict[str, Quotation] = {
    "gmail_quote": "box",
    "gmail_quote_container": "box",
    "gmail_attr": "quote",
    "yahoo_quoted": "quote",
    "yahooquoted": "quote",
    "moz-cite-prefix": "quote",
    "moz-forward-container": "quote",
    "moz-email-headers-table": "quote",
    "protonmail_quote": "quote",
    "tutanota_quote": "quote",
    "zmail_extra": "quote",
    "appleoriginalcontents": "quote",
    "aolreplacedbody": "quote",
    "outlookmessageheader": "cut",
    "ms-outlook-mobile-reference-message": "quote",
    "freebirdquote": "quote",
    "spark_quote": "quote",
    "quotedtext": "quote",
    "quoted-text": "quote",
    "quoted_text": "quote",
    "mailquote": "quote",
    "mail_quote": "quote",
    "fm_quote": "quote",
    "qt": "quote",
    "cite": "quote",
    "ntes-mailmaster-quote": "quote",
    "uik_quote": "quote",
    "front-blockquote": "quote",
    "airmail_quote": "quote",
    "airmail_ext": "quote",
    "bloop_original_html": "quote",
    "edo-reply": "quote",
    "wlreadmessagequote": "quote",
}
_IDS: dict[str, Quotation] = {
    "divrplyfwdmsg": "cut",
    "appendonsend": "cut",
    "stopspelling": "cut",
    "reply-intro": "cut",
    "zwchr": "cut",
    "replysplit": "cut",
    "ms-outlook-mobile-body-separator-line": "cut",
    "ms-outlook-mobile-signature-separator": "",
    "olk_src_body_section": "quote",
    "mail-editor-reference-message-container": "quote",
    "isreplycontent": "quote",
    "isforwardcontent": "quote",
    "ntes-pcmail-quote": "quote",
    "originalmessage": "quote",
    "original-content": "quote",
    "qt": "quote",
    "tutanota_quote": "quote",
    "protonmail_quote": "quote",
}
# GMX and web.de; Spark.
_NAMES = ("quote", "quoted-content", "messagereplysection")
_ID_STARTS: dict[str, Quotation] = {
    "yahoo_quoted": "quote",
    "aolmsgpart": "quote",
    "aolmail_aolmsgpart": "quote",
}
# What webmail puts before the names of the mail it shows, and leaves there when that is quoted.
_PREFIX = re.compile(r"^(?:x_|ecx|aolmail_|yiv\d{1,20}|m_-?\d{1,30})+")
# Outlook's line above the header block, in every language; 2007 and 2010, then 2013 and later.
_OUTLOOK = re.compile(r"border:none;border-top:solid#(?:b5c4df|e1e1e1)1\.0pt")
_OUTLOOK_LEFT = re.compile(r"border:none;border-left:solid(?:blue|#[0-9a-f]{6}|windowtext)1\.5pt")
# A "blockquote" by which programs only indent.
_INDENT = re.compile(r"border(?:-left)?:(?:medium)?(?:none|0)(?![\w.])")
_LEFT = re.compile(r"border-left(?:-style|-width|-color)?:(?!none|0|medium)")
_LEAST = 30


def quotation_of(name: str, attributes: Mapping[str, str]) -> Quotation:
    """What the start tag of an element says of quotation."""
    if not attributes and name != "blockquote":
        return ""
    kinds: list[Quotation] = []
    identity = _PREFIX.sub("", attributes.get("id", "").lower())
    kinds.append(_IDS.get(identity, ""))
    kinds += [kind for start, kind in _ID_STARTS.items() if identity.startswith(start)]
    kinds += [
        _CLASSES.get(_PREFIX.sub("", word), "")
        for word in attributes.get("class", "").lower().split()[:_LEAST]
    ]
    if attributes.get("name", "").lower() in _NAMES or attributes.get("type", "").lower() == "cite":
        kinds.append("quote")
    style = "".join(attributes.get("style", "").lower().split())
    if name == "blockquote":
        named = any(kinds) or "cite" in attributes
        kinds = ["quote" if named or not _INDENT.search(style) else ""]
    elif _OUTLOOK.search(style):
        kinds.append("cut")
    elif _OUTLOOK_LEFT.search(style):
        kinds.append("quote")
    elif _LEFT.search(style):
        kinds.append("perhaps")
    return next((kind for kind in ("cut", "quote", "box", "perhaps") if kind in kinds), "")
