"""What can be wrong with what somebody asks of the desk; each text is a sentence with the remedy."""

from __future__ import annotations


class DeskError(Exception):
    """The act is not possible now; the text says why and what to do instead."""


class NotPermitted(DeskError):  # noqa: N818 - a state, as the store names its own
    """Whoever asks may not do this: unknown to us, no longer active, or of another role."""


class UnknownQueue(DeskError):  # noqa: N818
    """The settings have no such queue."""
