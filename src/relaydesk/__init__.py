"""relaydesk: receives the mail Meta relays from buyers, proves it genuine and keeps its clock."""

from collections.abc import Callable, Mapping
from importlib import import_module

__version__ = "0.1.0"


def late_names(room: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """The ``__getattr__`` (PEP 562) of a room that loads some of its names when they are taken.

    ``homes`` gives the module of each such name, without the room. A command that lists tickets then does
    not wait for what reads mail. The type checker must not see it, or any name would do: assign it in
    ``if not TYPE_CHECKING`` and import the same names in ``if TYPE_CHECKING``.
    """

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(import_module(f"{room}.{homes[name]}"), name)

    return load
