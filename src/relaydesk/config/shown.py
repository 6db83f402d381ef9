"""The settings as they may be shown: without passwords and secrets, wherever these stand."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relaydesk.config.settings import Settings

# What libpq (§34.1.2) and SQLite take in a URL and what is no secret; "options" may hold anything.
OPEN_OPTIONS = {
    *("application_name", "connect_timeout", "dbname", "host", "hostaddr", "mode", "passfile", "port"),
    *("service", "sslcert", "sslkey", "sslmode", "sslrootcert", "target_session_attrs", "uri", "user"),
}


def public_settings(settings: Settings) -> dict[str, Any]:
    """The settings as plain data without secrets: for ``config show`` and the log."""
    shown = settings.model_dump(mode="json")
    shown["limits"] = dataclasses.asdict(settings.limits)
    shown["queues"] = {name: queue.model_dump(mode="json") for name, queue in settings.all_queues.items()}
    for name in ("next_hop_password", "forward_hop_password", "oidc_client_secret"):
        shown[name] = "(set)" if shown[name] else ""
    shown["secret"] = "(set)" if settings.secret else "(kept in the store)"
    shown["database"] = hide_password(settings.database)
    return shown


def hide_password(url: str) -> str:
    """A database URL that can be shown: without a password, in the login or among the options.

    Of the options only those that are no secret keep their value. What is no URL is not shown at all.
    """
    scheme, _, rest = url.partition("://")
    if not rest or not re.fullmatch(r"[\w+]+", scheme):
        return "(not an address)"
    login = re.match(r"([^:/?@]*)(:[^@]*)?@", rest)
    place, mark, options = rest[login.end() if login else 0 :].partition("?")
    place = place.rpartition("@")[2]  # what stands before another @ belongs to the password
    if "@" in options and "/" not in place:  # a password with a question mark and an @ in it
        place = "***"
    shown = "&".join(map(_hide_value, options.split("&")))
    user = f"{login[1]}:***@" if login and login[2] else login[0] if login else ""
    return f"{scheme}://{user}{place}{mark}{shown}"


def _hide_value(option: str) -> str:
    name, equals, _ = option.partition("=")
    if not equals:
        return "***" if option else ""
    return option if name.lower() in OPEN_OPTIONS else f"{name}=***"
