"""Who a request comes from, behind a proxy: X-Forwarded-For counts only from the proxies of the settings.

No other forwarded header is believed: whether browsers come by https, and under which name, the setting
``web_address`` says.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from relaydesk.web.config import Network

MOST_HOPS = 20


class ClientAddress:
    """ASGI middleware: puts the browser's own address into the scope."""

    def __init__(self, app: ASGIApp, proxies: tuple[Network, ...]) -> None:
        self.app, self._proxies = app, proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client") and self._proxies:
            forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
            host, port = scope["client"]
            client = client_of(host, forwarded, self._proxies)
            if client != host:
                scope = {**scope, "client": (client, 0)}
            del port
        await self.app(scope, receive, send)


def client_of(peer: str, forwarded: str, proxies: tuple[Network, ...]) -> str:
    """The last address that none of our proxies has: what stands before it, anybody can write."""
    hops = [*(hop.strip() for hop in forwarded.split(",")[-MOST_HOPS:]), peer]
    client = peer
    for hop in reversed(hops):
        try:
            ip = ipaddress.ip_address(hop.strip("[]"))
        except ValueError:
            break
        client = str(ip)
        if not any(ip.version == network.version and ip in network for network in proxies):
            break
    return client
