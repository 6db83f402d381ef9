"""What tests and benchmarks share: the far sides of relaydesk, real ones, and mail to send through it.

A name server and a next hop that can misbehave, a PostgreSQL server, the real ``relaydesk serve`` in a
directory of its own, buyers who write, storms over the outbox, and the check that nothing was lost. It does
not ship: the wheel holds ``src/relaydesk`` only. It stands in ``src`` so that both find it, and the type
checker reads it. ``tests`` and ``bench`` import from here and never from each other.
"""
