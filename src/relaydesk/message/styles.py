"""What the styles of an element say of its visibility (CSS as far as mail hides text with it).

Of style sheets only rules count that hold for everybody: by tag, class and id, outside conditions. Where
a rule of another kind gives a colour or background it is unknown, and text of unknown colour is visible.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relaydesk.message.colours import FAINT, LENGTH, colour_of, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_CSS = 65_536
MAX_RULES = 1_000
MAX_ALIKE = 30
MAX_CLASSES = 20
FAR = -500.0

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.IGNORECASE | re.DOTALL)
_MEDIA = re.compile(r"@media\s+(?:only\s+)?(?:all|screen)\s*")
_SIMPLE = re.compile(r"(?:(?:html|body)\s+)?([a-z][a-z0-9]*|\*)?((?:[.#][\w-]+)*)", re.IGNORECASE)
_NAMES = re.compile(r"[.#][\w-]+")
_FONT = re.compile(r"(?:^|\s)(0|\d{0,9}\.?\d{1,9}(?:px|pt|em|rem|%))(?=[\s/]|$)")
_SCALE = re.compile(r"scale[xy]?\(\s*+0*+\.?+0*+\s*+[,)]")
_MOVED = re.compile(r"translate[xy]?\([^)]{0,40}?-\d{3,}")
_CLIPPED = re.compile(r"rect\(\s*(?:0|1px)|inset\(\s*(?:50|100)%|circle\(\s*0")
_PIXELS = {"": 1, "px": 1, "pt": 1.33, "em": 16, "rem": 16, "ex": 8, "ch": 8, "in": 96, "cm": 37.8, "mm": 3.8,
           "pc": 16, "%": 0.16, "vw": 10, "vh": 10}  # fmt: skip
_KEPT = {"inherit", "initial", "unset", "revert", "currentcolor", "none", ""}
LINK = "0000ee"


def declarations(css: str) -> dict[str, str]:
    """The declarations of a style attribute or rule, in lower case; the last of a property wins."""
    values: dict[str, str] = {}
    css = _COMMENT.sub("", css[:MAX_CSS])
    if "\\" in css:
        css = _ESCAPE.sub(lambda match: chr(min(int(match[1], 16), 0xFFFF)) if match[1] else match[2], css)
    for declaration in css.lower().split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            name, value = name.strip(), " ".join(value.split())
            if values.get(name, "").endswith("!important") and not value.endswith("!important"):
                continue
            values[name] = value
    return values


class Sheet:
    """The style sheets of a mail: what the rules by tag, class and id declare."""

    def __init__(self, sheets: Iterable[str]) -> None:
        self._rules: dict[str, list[tuple[str, frozenset[str], dict[str, str]]]] = {}
        self._seen: dict[tuple[str, str, str], dict[str, str]] = {}
        count = 0
        for selectors, body in _rules("\n".join(sheet.partition(">")[2] for sheet in sheets)[:MAX_CSS]):
            values = declarations(body)
            for selector in selectors.split(",")[:MAX_ALIKE]:
                if count >= MAX_RULES:
                    return
                count += 1
                self._add(selector.strip(), values)

    def _add(self, selector: str, values: dict[str, str]) -> None:
        simple = _SIMPLE.fullmatch(selector)
        if not simple:
            # Where it holds is unknown: it can only make text visible.
            values = {name: "unknown" for name in ("color", "background") if _has(values, name)}
            simple = _SIMPLE.fullmatch(
                selector.rsplit(" ", maxsplit=1)[-1].partition(":")[0].partition("[")[0]
            )
        if simple and values:
            names = _NAMES.findall(simple[2])
            tag = (simple[1] or "*").lower()
            alike = self._rules.setdefault(names[-1] if names else tag, [])
            if len(alike) < MAX_ALIKE:
                alike.append((tag, frozenset(names), values))

    def of(self, name: str, attributes: Mapping[str, str]) -> dict[str, str]:
        """What the rules declare for an element."""
        if not self._rules:
            return {}
        kind, identity = attributes.get("class", ""), attributes.get("id", "")
        key = name, kind, identity
        if key not in self._seen:
            names = [f".{word}" for word in kind.split()[:MAX_CLASSES]]
            names += [f"#{identity}"] if identity else []
            values: dict[str, str] = {}
            for place in ("*", name, *names):
                for tag, wanted, declared in self._rules.get(place, ()):
                    if tag in ("*", name) and wanted <= set(names):
                        values.update(declared)
            self._seen[key] = values
        return self._seen[key]


def _has(values: Mapping[str, str], name: str) -> bool:
    return any(declared.startswith(name) for declared in values)


def _rules(css: str) -> Iterable[tuple[str, str]]:
    """Selectors and body of each rule that holds without a condition."""
    depth, met = 0, 0
    for chunk in _COMMENT.sub("", css).split("}"):
        *heads, body = chunk.split("{")
        if not heads:
            depth = max(0, depth - 1)
            met = min(met, depth)
            continue
        for head in heads[:-1]:
            met += met == depth and _MEDIA.fullmatch(head.strip().lower()) is not None
            depth += 1
        selectors = heads[-1].rpartition(";")[2].strip()
        if met == depth and not selectors.startswith("@"):
            yield selectors, body


def effective(name: str, attributes: Mapping[str, str], sheet: Sheet) -> dict[str, str]:
    """What the rules and its style attribute declare for an element."""
    base = sheet.of(name, attributes)
    own = declarations(attributes["style"]) if "style" in attributes else {}
    if not base and not own:
        return {}
    values = {**base, **own} | {key: value for key, value in base.items() if value.endswith("!important")}
    return {key: value.removesuffix("!important").strip() for key, value in values.items()}


def visibility(name: str, attributes: Mapping[str, str], sheet: Sheet) -> list[str]:
    """The marks of an element.

    ``gone``, or any of ``vis:``, ``size:``, ``pre:`` with 0 or 1, ``fg:`` and ``bg:`` with a colour.
    """
    values = effective(name, attributes, sheet)
    if not values and not attributes:
        return ["gone"] if name == "dialog" else []
    if "hidden" in attributes or (name == "dialog" and "open" not in attributes):
        values.setdefault("display", "none")
    if _gone(values):
        return ["gone"]
    marks = []
    if "visibility" in values:
        marks.append(f"vis:{int(values['visibility'] not in ('hidden', 'collapse'))}")
    if size := _size(name, values, attributes):
        marks.append(f"size:{size}")
    if colour := _text_colour(name, values, attributes):
        marks.append(f"fg:{colour}")
    if ground := _ground(values, attributes):
        marks.append(f"bg:{ground}")
    if "white-space" in values:
        marks.append(f"pre:{int(values['white-space'].startswith(('pre', 'break')))}")
    return marks


def _length(value: str | None) -> float | None:
    """A length in pixels, as far as that is known without the page."""
    match = LENGTH.match(value or "")
    return float(match[1]) * _PIXELS.get(match[2], 16) if match else None


def _gone(values: Mapping[str, str]) -> bool:
    """Whether the element and all in it is shown to nobody."""
    return (
        values.get("display") == "none"
        or values.get("mso-hide") == "all"
        or values.get("content-visibility") == "hidden"
        or "opacity(0" in values.get("filter", "")
        or share(values.get("opacity", "")) <= FAINT
        or _elsewhere(values)
        or _closed(values)
    )


def _elsewhere(values: Mapping[str, str]) -> bool:
    """Whether it lies outside the page or is scaled or clipped to nothing."""
    transform, clip = values.get("transform", ""), values.get("clip-path", "") + values.get("clip", "")
    if _SCALE.search(transform) or _MOVED.search(transform) or _CLIPPED.search(clip):
        return True
    places = ["text-indent", "margin-left", "margin-top"]
    places += ["left", "top", "right", "bottom"] if values.get("position", "static") != "static" else []
    return any((_length(values.get(place)) or 0) <= FAR for place in places)


def _closed(values: Mapping[str, str]) -> bool:
    """Whether it is a box without room that cuts off what runs over."""
    if not values.get("overflow", values.get("overflow-y", "")).startswith(("hidden", "clip", "scroll")):
        return False
    lengths = (_length(values.get(side)) for side in ("height", "max-height", "width", "max-width"))
    return any(length is not None and length <= 1 for length in lengths)


def _size(name: str, values: Mapping[str, str], attributes: Mapping[str, str]) -> str:
    value = values.get("font-size", "")
    if not value and (match := _FONT.search(values.get("font", ""))):
        value = match[1]
    if not value and name == "font" and attributes.get("size", "").strip().lstrip("+") in ("0", "00"):
        return "0"
    length = _length(value)
    if length is None:
        return "1" if value and value not in ("inherit", "smaller", "larger") else ""
    if length <= 1:
        return "0"
    return "" if value.endswith(("em", "%", "ex", "ch")) and not value.endswith("rem") else "1"


def _text_colour(name: str, values: Mapping[str, str], attributes: Mapping[str, str]) -> str:
    value = values.get("-webkit-text-fill-color") or values.get("color", "")
    if not value and name in ("font", "body"):
        value = attributes.get("color" if name == "font" else "text", "").lower()
    if not value and name == "a" and "href" in attributes:
        return LINK
    return "" if value in _KEPT else colour_of(value)


def _ground(values: Mapping[str, str], attributes: Mapping[str, str]) -> str:
    if attributes.get("background") or values.get("background-image", "none") not in _KEPT:
        return "?"
    value = (
        values.get("background-color") or values.get("background") or attributes.get("bgcolor", "").lower()
    )
    if "url(" in value or "gradient" in value:
        return "?"
    for word in [value] if "(" in value else value.split()[:8]:
        colour = colour_of(word)
        if colour not in ("?", "none"):
            return colour
    return "" if value in _KEPT or "transparent" in value or colour_of(value) == "none" else "?"
