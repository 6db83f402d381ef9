"""How well the shop answers: figures from the tickets' events, and the four forms they are printed in.

:mod:`relaydesk.report.runs` reads clock runs out of events and :mod:`relaydesk.report.sla` counts them, both
pure; :mod:`relaydesk.report.render` prints; :func:`relaydesk.report.publish.publish` does it all in one call.
"""
