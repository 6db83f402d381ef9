"""Where the data that ships with relaydesk lies: templates, fixtures and the allowlist.

The wheel carries them inside the package as ``_data``; a checkout has them at its top level.
"""

from __future__ import annotations

from pathlib import Path

SHIPPED = ("templates", "fixtures", "allowlist.yaml")


class MissingDataError(FileNotFoundError):
    """Shipped data is in none of the places it can be; the message is a sentence with the remedy."""

    def __str__(self) -> str:
        return str(self.args[0])


def data_path(name: str, package: Path | None = None) -> Path:
    """The path of shipped data, ``name`` being one of ``SHIPPED``.

    ``package`` is the directory of the relaydesk package; only tests name another than the running one.
    Raises ``ValueError`` for a name that is not shipped, ``MissingDataError`` when it is not there.
    """
    if name not in SHIPPED:
        raise ValueError(f"{name!r} is not shipped with relaydesk; there are {', '.join(SHIPPED)}.")
    package = package or Path(__file__).parent
    places = [package / "_data"]
    checkout = package.parent.parent
    if (checkout / "pyproject.toml").is_file():
        places.append(checkout)
    for place in places:
        if (place / name).exists():
            return place / name
    looked = " and ".join(str(place) for place in places)
    raise MissingDataError(
        f"relaydesk's own {name} is missing (looked in {looked}): install relaydesk again."
    )
