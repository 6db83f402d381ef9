"""A bare aiosmtpd that accepts and drops every message: what the full line is measured against.

python bench/bare.py PORT        one process on a shared port of loopback; says "ready" when it listens
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import TYPE_CHECKING

from aiosmtpd.smtp import SMTP

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, Session


class Dropping:
    """Takes all and keeps nothing."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        return "250 2.0.0 Ok: dropped"


async def serve(port: int) -> None:
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; else replies wait up to 40 ms.
    with socket.socket(proto=socket.IPPROTO_TCP) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", port))
        # auth_required off, no DNS look-up of its own name: the least it can do.
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(Dropping(), hostname="mx.shop.example", enable_SMTPUTF8=True), sock=sock, backlog=256
        )
        print("ready", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
