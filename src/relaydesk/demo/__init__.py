"""``relaydesk demo``: the real server with the demo shop, every golden case sent through its SMTP port, and
an answer to one of them that goes out to a stand-in for Meta's relay.

All of it is on this machine and in one temporary directory: a database, a certificate, a name server that
answers from the cases' zones, an SMTP server for Meta's relay. The server is ``relaydesk serve`` as anybody
runs it, in a process of its own; the queues and the report are printed by the commands that print them
elsewhere.
"""

from relaydesk.demo.show import run

__all__ = ["run"]
