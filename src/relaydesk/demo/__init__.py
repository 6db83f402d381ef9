"""``relaydesk demo``: the real server with the demo shop, and every golden case sent through its SMTP port.

All of it is on this machine and in one temporary directory: a database, a certificate, a name server that
answers from the cases' zones. The server is ``relaydesk serve`` as anybody runs it, in a process of its own;
the queues and the report are printed by the commands that print them elsewhere.
"""

from relaydesk.demo.show import run

__all__ = ["run"]
