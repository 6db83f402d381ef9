"""One message from the wire to the store: gather, decide, record; and what goes on from there.

:class:`Intake` receives; :class:`Forwarding` hands mail on to another help desk; :func:`explain` runs the
same line and keeps nothing.
"""

from relaydesk.intake.explain import envelope_of_file, explain, explanation
from relaydesk.intake.forward import Forwarding
from relaydesk.intake.gather import GatherLimits
from relaydesk.intake.receive import Intake

__all__ = ["Forwarding", "GatherLimits", "Intake", "envelope_of_file", "explain", "explanation"]
