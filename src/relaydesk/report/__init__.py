"""How well the shop answers: figures from the tickets' events, and the four forms they are printed in.

``runs`` reads clock runs out of events and ``sla`` counts them into ``figures``, all pure; ``render`` and
``terminal`` print. :func:`relaydesk.report.publish.publish` does it all in one call.
"""
