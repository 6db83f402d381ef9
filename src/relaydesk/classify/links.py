"""Links that name an order: their path on one of Meta's hosts, behind the wrappers Meta puts round links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from relaydesk.classify.patterns import first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.classify.patterns import Pattern

MAX_WRAPPERS = 3  # a link in a link in a link
MAX_FIELDS = 50


@dataclass(frozen=True, slots=True)
class OrderLinks:
    """How a link names an order.

    ``hosts`` and the names below them count. ``order`` patterns are sought in the path, and in the query,
    which starts with ``?``; their group ``order`` is the number. ``wrapped_in`` are the fields of a query
    that hold the real link, as ``u`` in ``l.php?u=…``; ``wrapping`` are paths whose query begins with the
    real path, as ``/n/?commerce/orders/…&…``.
    """

    hosts: tuple[str, ...] = ()
    order: tuple[Pattern, ...] = ()
    wrapped_in: tuple[str, ...] = ()
    wrapping: tuple[str, ...] = ()

    def __add__(self, other: OrderLinks) -> OrderLinks:
        return OrderLinks(
            (*self.hosts, *other.hosts),
            (*self.order, *other.order),
            (*self.wrapped_in, *other.wrapped_in),
            (*self.wrapping, *other.wrapping),
        )

    def targets(self, links: tuple[str, ...]) -> Iterator[str]:
        """The path and query where each link leads, without Meta's wrappers, if it stays on Meta's hosts."""
        for link in links:
            if (target := self._target(link)) is not None:
                yield f"{target.path}?{target.query}" if target.query else target.path

    def orders(self, links: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """The order number of each link that names one, and the piece of it that announces the number."""
        for link in links:
            target = self._target(link)
            if target is None:
                continue
            # A field of the query may hold somebody's link, whose path is none of Meta's.
            fields = "&".join(field for field in target.query.split("&")[:MAX_FIELDS] if "/" not in field)
            if named := first(self.order, target.path) or first(self.order, f"?{fields}"):
                number = named.group("order") or ""
                yield number, (named.group() or "").partition(number)[0].strip("?&")

    def _target(self, link: str) -> SplitResult | None:
        for _ in range(MAX_WRAPPERS + 1):
            parts = _split(link)
            if parts is None or not self._is_metas(parts):
                return None
            inner = self._wrapped(parts)
            if not inner:
                return parts
            link = inner
        return None

    def _is_metas(self, parts: SplitResult) -> bool:
        host = (parts.hostname or "").rstrip(".")
        return any(host == own or host.endswith("." + own) for own in self.hosts)

    def _wrapped(self, parts: SplitResult) -> str:
        """The link inside a wrapper, "" when the link is none."""
        if parts.path.rstrip("/") in self.wrapping:
            path, _, rest = unquote(parts.query).partition("&")
            mark = "&" if "?" in path else "?"
            return f"https://{parts.hostname}/{path.lstrip('/')}{mark}{rest}"
        fields = parse_qsl(parts.query) if "=" in parts.query else []
        for name, value in fields[:MAX_FIELDS]:
            if name.lower() in self.wrapped_in and value.lower().startswith(("https://", "http://")):
                return value
        return ""


def _split(link: str) -> SplitResult | None:
    try:
        parts = urlsplit(link)
        return parts if parts.hostname else None
    except ValueError:
        return None
