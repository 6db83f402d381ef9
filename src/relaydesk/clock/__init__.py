"""Business time: a calendar of open windows, and the deadlines counted on it.

A pure room: the moment of receipt and the calendar go in, a deadline with its explanation comes out.
Offered: :class:`~relaydesk.clock.calendar.Calendar`, :class:`~relaydesk.clock.deadlines.Target` and
:func:`~relaydesk.clock.deadlines.deadline`.
"""
