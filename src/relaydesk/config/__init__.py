"""Settings: from ``relaydesk.yaml`` and the environment to all the values that a process works with.

:func:`load_settings` reads, ``parts`` builds the values of the other rooms, :class:`Reloadable` holds them;
:func:`open_store` and :func:`open_desk` open what a process works with. What is wrong in a file is found
here, with the file and the remedy named.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from relaydesk.config.listen import ListenAddress
from relaydesk.config.load import load_settings
from relaydesk.config.opening import open_desk, open_store, utc_now
from relaydesk.config.settings import Settings, hide_password, public_settings

if TYPE_CHECKING:
    from relaydesk.config import parts
    from relaydesk.config.parts import read_yaml
    from relaydesk.config.snapshot import Reloadable

__all__ = [
    "ListenAddress",
    "Reloadable",
    "Settings",
    "hide_password",
    "load_settings",
    "open_desk",
    "open_store",
    "parts",
    "public_settings",
    "read_yaml",
    "utc_now",
]

_LATE = {"Reloadable": "snapshot", "read_yaml": "parts"}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Loads what is taken (PEP 562): a command that reads settings need not wait for all other rooms."""
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
