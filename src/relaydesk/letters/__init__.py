"""What arrived: the :class:`Envelope` (what the wire said) and the :class:`Letter` (how the bytes read).

``read(raw)`` in :mod:`relaydesk.letters.parse` turns raw bytes into a Letter. Pure: no I/O, no clock.
"""
