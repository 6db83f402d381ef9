"""Settings stored in the desk under those of file and environment: which there are, and what is in force.

A stored value is the text that the file would hold: YAML of one setting, or a whole file (rules, allowlist, a
template). The same loaders read it. What a file or a variable sets wins; then the stored value counts, then
the default.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from relaydesk.config import parts
from relaydesk.config.load import SettingsError, build_settings
from relaydesk.config.settings import Settings
from relaydesk.config.shown import public_settings
from relaydesk.data import data_path
from relaydesk.yaml_reader import YamlError, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

TEMPLATE = "template."
FILES = ("rules", "allowlist")
"""Settings that name a file: what is stored is its text."""
VALUES = (
    *("calendar", "queues", "undo_seconds", "give_up_hours", "attachment_types", "attachment_bytes"),
    *("automatic_answers", "on_drift", "unlisted_sender", "outage_hours", "old_signature_days"),
    *("max_bounces", "evidence_list"),
)
STORABLE = (*(name for name in VALUES if name in Settings.model_fields), *FILES)
"""What an admin may store, beside templates (``template.NAME``). What is read once at the start is not."""


def is_storable(name: str) -> bool:
    """Whether a setting of this name may be stored."""
    return name in STORABLE or (name.startswith(TEMPLATE) and len(name) > len(TEMPLATE))


def effective(conf: Settings, stored: Mapping[str, str]) -> Settings:
    """The settings in force: ``stored`` under what file and environment say. ``conf`` are those alone.

    SettingsError, or another ValueError of the loaders, names what cannot be used.
    """
    values: dict[str, Any] = {name: getattr(conf, name) for name in conf.model_fields_set}
    texts = {name: text for name, text in stored.items() if is_storable(name) and not shadowed(conf, name)}
    for name, text in texts.items():
        if name in STORABLE and name not in FILES:
            values[name] = _value(name, text)
    return build_settings(values).placed(conf.places, texts)


def shadowed(conf: Settings, name: str) -> bool:
    """Whether file or environment give the setting, so that a stored value does not count."""
    return ("reply_templates" if name.startswith(TEMPLATE) else name) in conf.model_fields_set


def _value(name: str, text: str) -> Any:
    try:
        return parse_yaml(text, f"stored {name}")
    except YamlError as error:
        raise SettingsError(str(error)) from None


def usable(conf: Settings, stored: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """The settings in force at a start, and a sentence for each stored value that had to be left out."""
    if not stored:  # what the files have wrong is said by whoever reads them
        return effective(conf, stored), ()
    try:
        whole = effective(conf, stored)
        demand_usable(whole)
    except (ValueError, OSError):
        pass
    else:
        return whole, ()
    kept: dict[str, str] = {}
    problems = []
    for name, text in stored.items():
        try:
            demand_usable(effective(conf, {**kept, name: text}))
        except (ValueError, OSError) as error:
            problems.append(f"{name}: {error}")
        else:
            kept[name] = text
    return effective(conf, kept), tuple(problems)


def demand_usable(conf: Settings, today: date | None = None) -> None:
    """Builds what a reload builds of the settings that can be stored. ValueError names what is wrong."""
    lists = parts.allowlist(conf)
    parts.policy(conf, lists)
    parts.rules(conf)
    parts.calendar(conf, today)
    parts.queue_plan(conf)
    if problems := parts.reply_templates(conf).check():
        raise ValueError("\n".join(problems))


@dataclasses.dataclass(frozen=True, slots=True)
class SettingShown:
    """One setting as it is in force. ``source`` is ``file``, ``stored`` or ``default``; ``place`` says where
    in words, such as relaydesk.yaml. ``value`` is shown without secrets."""

    name: str
    description: str
    value: Any
    source: str
    place: str
    storable: bool


def settings_shown(conf: Settings) -> Iterator[SettingShown]:
    """Every setting of these settings in force (see :func:`effective`)."""
    shown = public_settings(conf)
    for name, field in Settings.model_fields.items():
        place = conf.places.get(name, "")
        stored = name in conf.stored
        if name in FILES and stored and not place:
            shown[name] = "(stored in the desk)"
        yield SettingShown(
            name,
            field.description or "",
            shown[name],
            "file" if place else "stored" if stored else "default",
            place or ("stored in the desk" if stored else "default"),
            name in STORABLE,
        )
    for name in sorted(conf.stored):
        if name.startswith(TEMPLATE):
            title = f"the reply template {name.removeprefix(TEMPLATE)}"
            yield SettingShown(
                name, title, "(stored in the desk)", "stored", "stored in the desk", storable=True
            )


def text_in_force(conf: Settings, name: str) -> str:
    """What an editor of this setting begins with: the text that is in force, of file, store or default."""
    if name in conf.stored:
        return conf.stored[name]
    if name == "allowlist":
        return parts.read_text(conf.allowlist or data_path("allowlist.yaml"))
    if name == "rules":
        return parts.read_text(conf.rules) if conf.rules else "rules: []\n"
    if name.startswith(TEMPLATE):
        return next((each.text for each in parts.reply_templates(conf) if TEMPLATE + each.name == name), "")
    value = public_settings(conf)[name]
    return written_yaml(value)


def written_yaml(value: Any) -> str:
    """A value as YAML, an entry a line; JSON within the lines, which YAML holds."""
    if isinstance(value, dict) and value:
        lines = []
        for key, inner in value.items():
            if isinstance(inner, list) and len(inner) > 1 and isinstance(inner[0], dict):
                lines.append(f"{key}:")
                lines += [f"  - {json.dumps(item, ensure_ascii=False)}" for item in inner]
            else:
                lines.append(f"{_key(key)}: {json.dumps(inner, ensure_ascii=False)}")
        return "\n".join(lines) + "\n"
    return json.dumps(value, ensure_ascii=False) + "\n"


def _key(key: object) -> str:
    text = str(key)
    return text if text.replace("_", "").replace("-", "").isalnum() else json.dumps(text)
