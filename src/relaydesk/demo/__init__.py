"""``relaydesk demo``: the real server with the demo shop, every golden case sent through its SMTP port, and
an answer to one of them that goes out to a stand-in for Meta's relay.

All of it is on this machine and in one temporary directory: a database, a certificate, a name server that
answers from the cases' zones, an SMTP server for Meta's relay. The server is ``relaydesk serve`` as anybody
runs it, in a process of its own; the queues and the report are printed by the commands that print them
elsewhere.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names

if TYPE_CHECKING:
    from relaydesk.demo.show import run

__all__ = ["run"]

if not TYPE_CHECKING:
    # The stand-in for the relay is a module of this room too, and needs nothing of the others.
    __getattr__ = late_names(__name__, {"run": "show"})
