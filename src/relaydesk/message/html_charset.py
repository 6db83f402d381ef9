"""The charset that HTML declares in itself (HTML standard, §13.2.3.2)."""

from __future__ import annotations

import re

PRESCAN = 4_096
"""Bytes looked at. The standard asks for 1024; the heads of mail are longer."""
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(rb"<meta(?=[\s/])([^>]*+)", re.IGNORECASE)
_XML = re.compile(rb"\s*+<\?xml\s[^>]{0,200}?encoding\s*+=\s*+[\"']([A-Za-z0-9][\w.:-]{0,39})", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s*+=\s*+[\"']?\s*+([A-Za-z0-9][\w.:+-]{0,39})", re.IGNORECASE)


def html_charset(data: bytes) -> str:
    """The label in the byte order mark, a ``meta`` element or the XML declaration, "" for none.

    Linear in PRESCAN.
    """
    for mark, label in _MARKS:
        if data.startswith(mark):
            return label
    head = _COMMENT.sub(b"", data[:PRESCAN])
    declared = (_CHARSET.search(meta[1]) for meta in _META.finditer(head))
    named = next(filter(None, declared), None) or _XML.match(head)
    label = named[1].decode("ascii").lower() if named else ""
    # Found by reading bytes as ASCII, it cannot be true of UTF-16.
    return "utf-8" if label.startswith("utf-16") else label
