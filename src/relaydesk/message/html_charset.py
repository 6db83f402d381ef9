"""The charset that HTML declares in itself, where its part declares none (HTML standard, §13.2.3.2)."""

from __future__ import annotations

import re

PRESCAN = 4_096
"""Bytes looked at. The standard asks for 1024; the heads of mail are longer."""
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_META = re.compile(rb"<meta(?=[\s/])([^>]*+)", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s*+=\s*+[\"']?\s*+([A-Za-z0-9][\w.:+-]{0,39})", re.IGNORECASE)


def html_charset(data: bytes) -> str:
    """The label in the byte order mark or in a ``meta`` element, "" for none. Linear in PRESCAN."""
    for mark, label in _MARKS:
        if data.startswith(mark):
            return label
    head = _COMMENT.sub(b"", data[:PRESCAN])
    for meta in _META.finditer(head):
        if named := _CHARSET.search(meta[1]):
            label = named[1].decode("ascii").lower()
            # Found by reading bytes as ASCII, it cannot be true of UTF-16.
            return "utf-8" if label.startswith("utf-16") else label
    return ""
