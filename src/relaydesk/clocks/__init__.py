"""The clocks of tickets: what stops, reopens, stamps and moves a deadline, in its caller's transaction.

The dispatcher, the intake and the desk all stop and reopen clocks; this room lies below them so that there
is one way to do it. :func:`sweep` stamps what fell due.
"""

from relaydesk.clocks.response import stop_response_clock
from relaydesk.clocks.timekeeper import Rederived, Swept, rederive_deadline, rederive_deadlines, sweep

__all__ = ["Rederived", "Swept", "rederive_deadline", "rederive_deadlines", "stop_response_clock", "sweep"]
