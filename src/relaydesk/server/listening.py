"""What only root may do, done first: sockets are bound to their addresses, then privileges are dropped."""

from __future__ import annotations

import errno
import os
import pwd
import socket
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relaydesk.config import ListenAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

# Only Linux spreads connections over sockets of one port; elsewhere siblings accept from one shared socket.
SPREADS = sys.platform.startswith("linux")
TRY_AGAIN_AFTER = 0.1  # seconds

REMEDIES = {
    errno.EADDRINUSE: "another program listens there; stop it or choose another address",
    errno.EACCES: "a port below 1024 needs root (and a user to change to) or CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
    errno.EAFNOSUPPORT: "this machine has no IPv6",
}


class ListenError(OSError):
    """An address could not be bound; the message is a sentence with the remedy."""

    def __str__(self) -> str:
        return str(self.args[-1])


@dataclass(frozen=True, slots=True)
class BoundSockets:
    """The addresses as they came out (port 0 resolved) and, for each sibling, one socket per address."""

    addresses: tuple[ListenAddress, ...]
    sockets: tuple[tuple[socket.socket, ...], ...]

    def close(self) -> None:
        for sock in {sock for of_sibling in self.sockets for sock in of_sibling}:
            sock.close()


def bind(addresses: Sequence[ListenAddress], siblings: int, timeout: float = 3.0) -> BoundSockets:
    """Binds every address once per sibling process; nothing listens yet, that is the child's first act.

    ``timeout``: seconds to wait for a port that is still held, as by the dying children of a parent that
    was killed. Raises ``ListenError``.
    """
    chosen: list[ListenAddress] = []
    columns: list[tuple[socket.socket, ...]] = []
    try:
        for address in addresses:
            if address.port:
                _wait_until_free(address, time.monotonic() + timeout)
            first = _bound(address, share=SPREADS)
            columns.append((first,))
            chosen.append(ListenAddress(address.host, first.getsockname()[1]))
            if SPREADS:
                columns[-1] += tuple(_bound(chosen[-1], share=True) for _ in range(siblings - 1))
            else:
                columns[-1] *= siblings
    except OSError:
        BoundSockets((), tuple(columns)).close()
        raise
    return BoundSockets(tuple(chosen), tuple(zip(*columns, strict=True)))


def _wait_until_free(address: ListenAddress, until: float) -> None:
    """Sockets that share a port would join another program's too, so one that does not share asks first."""
    while True:
        try:
            _bound(address, share=False).close()
        except ListenError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= until:
                raise
            time.sleep(TRY_AGAIN_AFTER)
        else:
            return


def _bound(address: ListenAddress, *, share: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock: socket.socket | None = None
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            # 0.0.0.0 and [::] are bound side by side, and no peer shows up as a v4-mapped address.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address.host, address.port))
    except OSError as error:
        if sock is not None:
            sock.close()
        why = REMEDIES.get(error.errno or 0, str(error.strerror))
        raise ListenError(error.errno, f"Cannot listen on {address}: {why}.") from error
    return sock


class PrivilegeError(RuntimeError):
    """The change of user is impossible; the message is a sentence with the remedy."""


def drop_privileges(user: str) -> None:
    """Becomes ``user`` for good: supplementary groups, group, user and ``HOME``, ``USER``, ``LOGNAME``.

    Does nothing when the process is that user already. Raises ``PrivilegeError`` for an unknown user and
    when the process is not root. The children inherit it.
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise PrivilegeError(
            f"There is no user {user!r} on this machine: create it or change `user`."
        ) from None
    if os.geteuid() == entry.pw_uid:
        return
    if os.geteuid() != 0:
        raise PrivilegeError(f"Only root can change to user {user!r}: start as root or as {user}.")
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ.update(HOME=entry.pw_dir, USER=user, LOGNAME=user)
