"""Settings from ``relaydesk.yaml`` and from ``RELAYDESK_*`` in the environment, which wins over the file.

A bad value stops the start with a sentence that names the setting and the remedy.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from relaydesk.config.settings import PREFIX, Settings
from relaydesk.data import UnusableFileError, read_text_file
from relaydesk.yaml_reader import YamlError, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_VARIABLE = f"{PREFIX}CONFIG"
DEFAULT_FILE = Path("relaydesk.yaml")
# What pydantic says in its own words, for the admin.
_PLAIN = {
    "tuple_type": "this must be a list; use [one, two]",
    "dict_type": "this must be a mapping; use {name: value}",
    "model_type": "this must be a mapping; use {name: value}",
    "string_type": "this must be text; put it in quotes",
    "extra_forbidden": "there is no such field",
}


class SettingsError(ValueError):
    """The settings cannot be used; the message names each bad one and the remedy."""


def load_settings(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The effective settings from ``path`` (else RELAYDESK_CONFIG, else ./relaydesk.yaml if it is there),
    with those of ``environment`` (default: this process's) over them.

    Raises SettingsError with every bad setting named.
    """
    environ = os.environ if environment is None else environment
    _check_names(environ)
    source = _file(path, environ)
    written, variables = _mapping(source), _variables(environ)
    places = dict.fromkeys(written, source.name if source else "")
    for name in variables:
        variable = PREFIX + name.upper()
        places[name] = f"{places[name]} and {variable}" if name in places else variable
    return build_settings(_over(written, variables)).placed(places)


def build_settings(values: Mapping[str, Any]) -> Settings:
    """The settings of these values. SettingsError with every bad one named."""
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = [_sentence(dict(problem)) for problem in error.errors(include_url=False)]
    raise SettingsError("\n".join(lines))


def _file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = path or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    if named is not None:
        if not named.is_file():
            raise SettingsError(
                f"The settings file {named} does not exist; create it, or name another with --config."
            )
        return named
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _mapping(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        tree = parse_yaml(read_text_file(path), str(path))
    except (UnusableFileError, YamlError) as error:
        raise SettingsError(str(error)) from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise SettingsError(f"{path} is not a mapping; use 'name: value' lines.")
    unknown = [_unknown(str(key), path.name) for key in tree if key not in Settings.model_fields]
    if unknown:
        raise SettingsError("\n".join(unknown))
    return {str(key): value for key, value in tree.items()}


def _variables(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment gives; a name with ``__`` reaches into a setting."""
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in environ.items()}
    try:
        return source()
    except ValueError as error:  # pydantic-settings names the field in quotes
        variable = PREFIX + str(error).split('"')[1].upper()
        remedy = "lists are written as JSON, such as '[\"help@shop.example\"]', mappings as '{\"name\": 1}'"
        raise SettingsError(f"{variable} cannot be read; {remedy}.") from error


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both together; where they differ ``above`` counts, table by table."""
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        merged[name] = _over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _check_names(environ: Mapping[str, str]) -> None:
    """Reports misspelt variables only: others of our prefix may belong to others (Kubernetes sets such)."""
    variables = {name: name.removeprefix(PREFIX).partition("__")[0].lower() for name in sorted(environ)}
    misspelt = [
        _unknown(setting, name)
        for name, setting in variables.items()
        if name.startswith(PREFIX)
        and setting not in Settings.model_fields
        and difflib.get_close_matches(setting, list(Settings.model_fields), 1, cutoff=0.8)
    ]
    if misspelt:
        raise SettingsError("\n".join(misspelt))


def _unknown(name: str, where: str) -> str:
    near = difflib.get_close_matches(name, list(Settings.model_fields), 1)
    hint = f" Did you mean {near[0]}?" if near else " See `relaydesk config show` for all settings."
    return f"{where}: {name} is not a setting.{hint}"


def _sentence(problem: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    variable = PREFIX + str(problem["loc"][0]).upper() if problem["loc"] else ""
    problem_text = _PLAIN.get(problem["type"]) or str(problem["msg"]).removeprefix("Value error, ").rstrip(
        "."
    )
    return f"Setting {name} ({variable}): {problem_text}."
