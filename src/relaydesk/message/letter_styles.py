"""Which styles a letter of ours may have: a list of properties, and of each the values that are let through.

Everything that fetches (``url()``), moves (``position``), cuts off or fades is in no list. Colours are
written as six digits, so that whoever reads the letter after us can tell what is legible.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from relaydesk.message.colours import LENGTH, colour_of
from relaydesk.message.styles import declarations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_STYLE = 1_000
"""Characters of one element's styles."""
_LENGTH = re.compile(r"0|(?:\d{1,4}\.?\d{0,4}|\.\d{1,4})(?:px|pt|em|rem|ex|ch|in|cm|mm|pc|%)")
_PIXELS = {"": 1, "px": 1, "pt": 4 / 3, "em": 16, "rem": 16, "ex": 8, "ch": 8, "in": 96, "cm": 37.8,
           "mm": 3.78, "pc": 16, "%": 4}  # fmt: skip
_SIZES = {"xx-small": "9px", "x-small": "10px", "small": "13px", "medium": "16px", "large": "18px",
          "x-large": "24px", "xx-large": "32px", "xxx-large": "48px", "smaller": "0.83em",
          "larger": "1.2em"}  # fmt: skip
_HTML_SIZES = {"1": "10px", "2": "13px", "3": "16px", "4": "18px", "5": "24px", "6": "32px", "7": "48px",
               "-1": "13px", "-2": "10px", "+1": "18px", "+2": "24px", "+3": "32px"}  # fmt: skip
_FAMILY = re.compile(r"[a-z0-9\u0080-\uffff][a-z0-9\u0080-\uffff ._-]{0,40}")
_MAX_FAMILIES = 10
_FONT = re.compile(
    r"(?P<words>(?:(?:normal|italic|oblique|small-caps|bold|bolder|lighter|[1-9]00) )*+)"
    r"(?P<size>[a-z0-9.%-]{1,12})(?: ?/ ?(?P<height>[a-z0-9.%]{1,12}))? (?P<family>.+)"
)
_LINES = {"none", "solid", "dashed", "dotted", "double", "groove", "ridge", "inset", "outset", "hidden"}
_WIDTHS = {"thin": "1px", "medium": "3px", "thick": "5px"}
_COLOUR_WORD = re.compile(r"#[0-9a-f]{3,8}(?![0-9a-z])|(?:rgba?|hsla?)\([^()]{1,60}\)|[a-z]{3,20}(?![a-z(-])")
_WIDEST, _FARTHEST, _THICKEST = 1_600, 200, 20  # pixels: a box, a distance, a border


def _colour(value: str) -> str:
    if value == "inherit":
        return value
    colour = colour_of(value)
    return "" if colour in ("?", "none") else f"#{colour}"


def _ground(value: str) -> str:
    """The first colour of a background, also of a gradient; "" for one that is only an image."""
    words = (_colour(word) for word in _COLOUR_WORD.findall(value[:200]) if word != "inherit")
    return next(filter(None, words), "")


def _length(value: str, most: float) -> str:
    """A length of at most so many pixels."""
    match = LENGTH.fullmatch(value) if _LENGTH.fullmatch(value) else None
    return value if match and float(match[1]) * _PIXELS[match[2]] <= most else ""


def _distances(value: str) -> str:
    """One to four lengths that are not below zero; "auto" centres."""
    words = [word if word == "auto" else _length(word, _FARTHEST) for word in value.split()]
    return " ".join(words) if all(words) and 0 < len(words) <= len("trbl") else ""


def _width(value: str) -> str:
    return value if value == "auto" else _length(value, _WIDEST)


def _border(value: str) -> str:
    words = [
        word if word in _LINES else _WIDTHS.get(word) or _length(word, _THICKEST) or _colour(word)
        for word in re.sub(r" ?([,()]) ?", r"\1", value[:200]).split()
    ]
    return " ".join(words) if all(words) and 0 < len(words) <= 4 else ""  # noqa: PLR2004 - four sides


def _size(value: str) -> str:
    return _SIZES.get(value) or _length(value, _FARTHEST)


def _height(value: str) -> str:
    """The height of lines, where they do not run into each other."""
    if value == "normal":
        return value
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)(px|pt|em|%)?", value)
    least = {"%": 80, "px": 10, "pt": 8}
    most = {"%": 400, "px": 100, "pt": 75}
    return value if match and least.get(match[2], 0.8) <= float(match[1]) <= most.get(match[2], 4) else ""


def _families(value: str) -> str:
    names = [" ".join(name.strip().strip("\"'").split()) for name in value.split(",")[:_MAX_FAMILIES]]
    return ", ".join(name for name in names if _FAMILY.fullmatch(name))


def _words(*words: str) -> Callable[[str], str]:
    return lambda value: value if value in words else ""


def _lines_of_text(value: str) -> str:
    return next((word for word in value.split() if word in ("none", "underline", "line-through")), "")


def _short(value: str) -> str:
    return _length(value, _THICKEST)


def _indent(value: str) -> str:
    return _length(value, _FARTHEST)


_SIDES = ("", "-top", "-right", "-bottom", "-left")
_PROPERTIES: dict[str, Callable[[str], str]] = {
    "color": _colour,
    "background-color": _ground,
    "font-size": _size,
    "font-family": _families,
    "font-weight": _words("normal", "bold", "bolder", *(f"{weight}00" for weight in range(1, 10))),
    "font-style": _words("normal", "italic", "oblique"),
    "font-variant": _words("normal", "small-caps"),
    "line-height": _height,
    "letter-spacing": _short,
    "text-align": _words("left", "right", "center", "justify", "start", "end"),
    "text-decoration": _lines_of_text,
    "text-indent": _indent,
    "text-transform": _words("none", "uppercase", "lowercase", "capitalize"),
    "vertical-align": _words("baseline", "top", "middle", "bottom", "sub", "super", "text-top",
                             "text-bottom"),
    "white-space": _words("normal", "nowrap", "pre", "pre-wrap", "pre-line", "break-spaces"),
    "direction": _words("ltr", "rtl"),
    "display": _words("block", "inline-block"),
    "list-style-type": _words("none", "disc", "circle", "square", "decimal", "lower-alpha", "upper-alpha",
                              "lower-roman", "upper-roman", "lower-latin", "upper-latin"),
    "border-collapse": _words("collapse", "separate"),
    "border-spacing": _short,
    "border-radius": _indent,
    **{f"border{side}": _border for side in _SIDES},
    **{f"border{side}-{kind}": _border for side in _SIDES for kind in ("width", "style", "color")},
    **{f"{kind}{side}": _distances for side in _SIDES for kind in ("padding", "margin")},
    **dict.fromkeys(("width", "max-width", "min-width", "height", "min-height"), _width),
}  # fmt: skip


def kept_styles(values: Mapping[str, str]) -> dict[str, str]:
    """Of these declarations (names and values in lower case) those that a letter may have, as it has them."""
    return {
        name: kept
        for name, value in values.items()
        if (rule := _PROPERTIES.get(name)) and len(value) <= MAX_STYLE and (kept := rule(value))
    }


def style_attribute(values: Mapping[str, str]) -> str:
    """Declarations as an attribute's text; what is over MAX_STYLE is left out."""
    out: list[str] = []
    room = MAX_STYLE
    for name, value in values.items():
        room -= len(name) + len(value) + 2
        if room >= 0:
            out.append(f"{name}:{value}")
    return ";".join(out)


@lru_cache(maxsize=1_024)  # a mail has few styles, each many times
def kept_style(style: str) -> str:
    """A style attribute as a letter may have it; "" for none."""
    return style_attribute(kept_styles(declarations(style)))


def long_forms(values: Mapping[str, str]) -> dict[str, str]:
    """The declarations with ``font`` and ``background`` taken apart."""
    long: dict[str, str] = {}
    for name, value in values.items():
        if name == "background":
            long["background-color"] = value
        elif name == "font" and (font := _FONT.fullmatch(value[:300])):
            long |= {"font-size": font["size"], "font-family": font["family"]}
            long |= {"line-height": font["height"]} if font["height"] else {}
            long |= {"font-style": "italic"} if "italic" in font["words"] else {}
            long |= {"font-weight": "bold"} if "bold" in font["words"] else {}
        elif name == "text-decoration-line":
            long["text-decoration"] = value
        elif name == "list-style":
            long["list-style-type"] = value
        else:
            long[name] = value
    return long


def html_size(value: str) -> str:
    """The size of a ``font`` element (HTML §15.3.1)."""
    return _HTML_SIZES.get(value.strip(), "")
