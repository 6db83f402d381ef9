"""Where a browser is sent on to: only to pages of our own."""

from __future__ import annotations

from urllib.parse import urlsplit


def own_path(to: str, default: str = "/") -> str:
    """``to`` when it is a path of ours, else ``default``.

    A browser reads ``//host`` and ``/\\host`` as another host, and leaves out what controls a terminal.
    """
    usual = to.startswith("/") and to[1:2] not in ("/", "\\") and to.isprintable() and " " not in to
    try:
        parts = urlsplit(to)
    except ValueError:
        return default
    return to if usual and not parts.scheme and not parts.netloc else default
