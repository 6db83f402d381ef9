"""Settings: from ``relaydesk.yaml`` and the environment to all the values that a process works with.

``parts`` builds the values of the other rooms, :class:`Configuration` holds one frozen snapshot of it all;
:func:`open_store` and :func:`open_desk` open what a process works on. What is wrong in a file is found here,
with the file and the remedy named.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names

if TYPE_CHECKING:
    from relaydesk.config import parts
    from relaydesk.config.listen import ListenAddress
    from relaydesk.config.load import load_settings
    from relaydesk.config.opening import (
        desk_config,
        existing_store,
        kept_secret,
        open_desk,
        open_store,
        open_templates,
        store_secret,
        utc_now,
        with_stored,
    )
    from relaydesk.config.parts import read_yaml
    from relaydesk.config.settings import Settings
    from relaydesk.config.shown import hide_password, public_settings
    from relaydesk.config.snapshot import Configuration, GatewayConfiguration, read_snapshot
    from relaydesk.config.stored import settings_shown

__all__ = [
    "Configuration",
    "GatewayConfiguration",
    "ListenAddress",
    "Settings",
    "desk_config",
    "existing_store",
    "hide_password",
    "kept_secret",
    "load_settings",
    "open_desk",
    "open_store",
    "open_templates",
    "parts",
    "public_settings",
    "read_snapshot",
    "read_yaml",
    "settings_shown",
    "store_secret",
    "utc_now",
    "with_stored",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "Configuration": "snapshot",
            "GatewayConfiguration": "snapshot",
            "ListenAddress": "listen",
            "Settings": "settings",
            "desk_config": "opening",
            "existing_store": "opening",
            "hide_password": "shown",
            "kept_secret": "opening",
            "load_settings": "load",
            "open_desk": "opening",
            "open_store": "opening",
            "open_templates": "opening",
            "public_settings": "shown",
            "read_snapshot": "snapshot",
            "read_yaml": "parts",
            "settings_shown": "stored",
            "store_secret": "opening",
            "utc_now": "opening",
            "with_stored": "opening",
        },
    )
