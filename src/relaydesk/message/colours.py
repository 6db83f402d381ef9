"""Colours as CSS and HTML write them, and whether text can be read on its background."""

from __future__ import annotations

import re

FAINT = 0.05
HALF = 0.5
NEAR = 16

LENGTH = re.compile(r"([+-]?(?:\d{1,9}\.?\d{0,9}|\.\d{1,9}))\s*([a-z%]{0,4})")
_HEX = re.compile(r"#?(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_FUNCTION = re.compile(r"(rgba?|hsla?)\(([^()]{1,60})\)")
_COLOURS = {
    "white": "ffffff", "snow": "fffafa", "ivory": "fffff0", "ghostwhite": "f8f8ff", "floralwhite": "fffaf0",
    "whitesmoke": "f5f5f5", "mintcream": "f5fffa", "azure": "f0ffff", "black": "000000", "red": "ff0000",
    "blue": "0000ff", "green": "008000", "gray": "808080", "grey": "808080", "silver": "c0c0c0",
    "navy": "000080", "yellow": "ffff00", "lime": "00ff00", "aqua": "00ffff", "cyan": "00ffff",
    "maroon": "800000", "purple": "800080", "teal": "008080", "olive": "808000", "fuchsia": "ff00ff",
    "magenta": "ff00ff", "orange": "ffa500", "lightgray": "d3d3d3", "lightgrey": "d3d3d3",
    "darkgray": "a9a9a9", "darkgrey": "a9a9a9", "pink": "ffc0cb", "brown": "a52a2a", "gold": "ffd700",
    "window": "ffffff", "canvas": "ffffff", "windowtext": "000000", "canvastext": "000000",
}  # fmt: skip


def share(value: str) -> float:
    """A part of one, such as an opacity, as CSS writes it ("0.5" or "50%"); 1 for what is none."""
    match = LENGTH.match(value)
    return float(match[1]) * (0.01 if match[2] == "%" else 1) if match else 1


def colour_of(value: str) -> str:
    """A colour as six hexadecimal digits; ``none`` for a transparent and ``?`` for an unknown one."""
    value = _COLOURS.get(value, value)
    if value == "transparent":
        return "none"
    if match := _FUNCTION.search(value):
        return _computed(match[1], match[2].replace(",", " ").replace("/", " ").split())
    if not _HEX.fullmatch(value):
        return "?"
    digits = value.removeprefix("#")
    if len(digits) < len("rrggbb"):
        digits = "".join(digit * 2 for digit in digits)
    opaque = int(digits[6:] or "ff", 16) / 255
    return digits[:6] if opaque >= HALF else "none" if opaque <= FAINT else "?"


def _computed(function: str, words: list[str]) -> str:
    numbers = [(float(match[1]), match[2]) for word in words if (match := LENGTH.fullmatch(word))]
    if len(numbers) != len(words) or len(numbers) not in (3, 4):
        return "?"
    opaque = share(words[3]) if words[3:] else 1
    if opaque < HALF:
        return "none" if opaque <= FAINT else "?"
    if function.startswith("hsl"):
        (_, saturation, light) = (number for number, _ in numbers[:3])
        grey = saturation == 0 or light in (0, 100)
        numbers = [(light, "%")] * 3
        if not grey:
            return "?"
    parts = (number * (2.55 if unit == "%" else 1) for number, unit in numbers[:3])
    return "".join(f"{min(255, max(0, round(part))):02x}" for part in parts)


def alike(colour: str, ground: str) -> bool:
    """Whether text of one known colour cannot be read on another."""
    if colour == "none":
        return True
    if "?" in (colour, ground):
        return False
    parts = ((int(colour[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (0, 2, 4))
    return all(abs(part - other) <= NEAR for part, other in parts)
