"""Giving up root once the ports are bound."""

from __future__ import annotations

import os
import pwd


class PrivilegeError(RuntimeError):
    """The change of user is impossible; the message is a sentence with the mend."""


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
