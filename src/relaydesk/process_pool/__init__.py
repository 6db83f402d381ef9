"""Heavy, pure work in processes of its own, each piece within a time limit.

What a stranger's bytes make slow then slows nothing else down: the event loop and other mail go on, and a
process that takes too long is killed and replaced. Nothing of what the work does survives it but its result.
"""

from relaydesk.process_pool.pool import ProcessPool, TaskFailed, TaskTimeout

__all__ = ["ProcessPool", "TaskFailed", "TaskTimeout"]
