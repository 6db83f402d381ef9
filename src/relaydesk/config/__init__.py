"""Settings: from ``relaydesk.yaml`` and the environment to all the values that a process works with.

:func:`load_settings` reads, ``parts`` builds the values of the other rooms, :class:`Reloadable` holds them.
What is wrong in a file is found here, with the file and the remedy named.
"""

from relaydesk.config import parts
from relaydesk.config.listen import ListenAddress
from relaydesk.config.parts import read_yaml
from relaydesk.config.settings import Settings, hide_password, public_settings
from relaydesk.config.snapshot import Reloadable

__all__ = [
    "ListenAddress",
    "Reloadable",
    "Settings",
    "hide_password",
    "parts",
    "public_settings",
    "read_yaml",
]
