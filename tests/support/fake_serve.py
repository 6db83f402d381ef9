"""A tiny ``serve`` for the supervisor's tests: ``python fake_serve.py ADDRESS MODE… [--user U] [--grace S]``.

One child per mode; all but ``office`` get a socket of every address. ``shell`` is no Python: it writes who it
is on stdout and says that it is ready, for a user who may not read this Python. ``missing`` does not exist.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from relaydesk import logs
from relaydesk.config.listen import ListenAddress
from relaydesk.server.listening import ListenError, PrivilegeError, bind, drop_privileges
from relaydesk.server.supervisor import Child, SupervisorTiming, supervise

SHELL = """
read -r lifeline _ <<< "$_RELAYDESK_INHERITED"
echo "$(id -u) $(id -g) $(id -G) $HOME $USER"
echo ready >&"$lifeline"
trap 'exit 0' TERM
while :; do sleep 0.05; done
"""


def command(name: str, mode: str) -> tuple[str, ...]:
    if mode == "shell":
        return ("/bin/bash", "-c", SHELL)
    if mode == "missing":
        return ("/nonexistent/python",)
    return (sys.executable, str(Path(__file__).with_name("fake_child.py")), name, mode)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("addresses")
    parser.add_argument("modes", nargs="+")
    parser.add_argument("--user")
    parser.add_argument("--grace", type=float, default=10.0)
    parser.add_argument("--timeout", type=float, default=3.0)
    options = parser.parse_args()
    logs.configure("info", "json")
    doors = [mode for mode in options.modes if mode != "office"]
    try:
        bound = bind(
            [ListenAddress.parse(address) for address in options.addresses.split(",")],
            len(doors),
            options.timeout,
        )
        if options.user:
            drop_privileges(options.user)
    except (ListenError, PrivilegeError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sockets = iter(bound.sockets)
    children = [
        Child(
            f"{mode}-{number}",
            command(f"{mode}-{number}", mode),
            () if mode == "office" else next(sockets),
        )
        for number, mode in enumerate(options.modes, 1)
    ]
    where = ", ".join(map(str, bound.addresses))
    return supervise(
        children,
        announcement=f"relaydesk listens on {where}",
        pace=SupervisorTiming(grace=options.grace, first_pause=0.1),
    )


if __name__ == "__main__":
    sys.exit(main())
