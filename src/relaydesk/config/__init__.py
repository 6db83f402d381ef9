"""Settings: from ``relaydesk.yaml`` and the environment to all the values that a process works with.

``parts`` reads them and builds the values of the other rooms, :class:`Configuration` holds one frozen
snapshot of it all. What is wrong in a file is found here, with the file and the remedy named.
"""

from relaydesk.config import parts
from relaydesk.config.listen import ListenAddress
from relaydesk.config.opening import open_store, store_secret, utc_now
from relaydesk.config.parts import read_yaml
from relaydesk.config.settings import Settings, hide_password, public_settings
from relaydesk.config.snapshot import Configuration, GatewayConfiguration, read_snapshot

__all__ = [
    "Configuration",
    "GatewayConfiguration",
    "ListenAddress",
    "Settings",
    "hide_password",
    "open_store",
    "parts",
    "public_settings",
    "read_snapshot",
    "read_yaml",
    "store_secret",
    "utc_now",
]
