"""The clocks of tickets: what stops, reopens, stamps and moves a deadline, in its caller's transaction.

The dispatcher, the intake and the desk all stop and reopen clocks; this room lies below them so that there
is one way to do it. :func:`sweep` stamps what fell due.
"""

from relaydesk.clocks.looks import demand_look, look_by_answer
from relaydesk.clocks.queue_move import follow_queue
from relaydesk.clocks.stops import (
    close_ticket,
    reopen_ticket,
    restart_response_clock,
    stop_clock,
    stop_response_clock,
)
from relaydesk.clocks.timekeeper import (
    Rederived,
    Swept,
    WouldMove,
    rederive_deadlines,
    sweep,
    would_move,
)

__all__ = [
    "Rederived",
    "Swept",
    "WouldMove",
    "close_ticket",
    "demand_look",
    "follow_queue",
    "look_by_answer",
    "rederive_deadlines",
    "reopen_ticket",
    "restart_response_clock",
    "stop_clock",
    "stop_response_clock",
    "sweep",
    "would_move",
]
