"""Heavy, pure work in processes of its own, each piece within limits of time and memory.

What a stranger's bytes make slow then slows nothing else down: the event loop and other mail go on, and a
process that takes too much is killed and replaced. Nothing of what the work does survives it but its result.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names

if TYPE_CHECKING:
    from relaydesk.process_pool.pool import NoProcess, ProcessPool, TaskFailed, TaskTooHeavy

__all__ = ["NoProcess", "ProcessPool", "TaskFailed", "TaskTooHeavy"]

if not TYPE_CHECKING:
    # The worker is a module of this room too, and does without what the pool is made of.
    __getattr__ = late_names(__name__, dict.fromkeys(__all__, "pool"))
