"""A line of what the customer wrote, for lists: without Meta's frame around it, on one line, cut.

Meta's mail frames the buyer's words: a greeting and labelled lines before them, a line such as
``alice wrote:``, and a footer. What is taken for the frame is only left out of the line that lists show.
"""

from __future__ import annotations

import re

LONGEST = 160  # characters
READ = 8_000  # characters of the text that are looked at
_SPACE = re.compile(r"\s+")
_LABEL = re.compile(r"^[^:]{2,40}: ?\S?.{0,200}$")
_FRAME_LINES = 14  # within which the frame's labelled lines stand
_FOOTER = re.compile(
    r"^(reply to this e-?mail|please reply|the (instagram|facebook|meta)[\w ]* team|antworte[nt]? |"
    r"dein (instagram|facebook|meta)|das (instagram|facebook|meta)|répond|l.équipe|responde? |el equipo)",
    re.IGNORECASE,
)


def excerpt(text: str, username: str = "") -> str:
    """The beginning of the customer's words in ``text``; "" where there are none."""
    lines = [line.strip() for line in text[:READ].split("\n")]
    words: list[str] = []
    for line in lines[_begin(lines, username) :]:
        if _FOOTER.match(line):
            break
        words.append(line)
    joined = _SPACE.sub(" ", " ".join(words)).strip()
    return joined if len(joined) <= LONGEST else joined[: LONGEST - 1].rstrip() + "…"


def _begin(lines: list[str], username: str) -> int:
    """The number of the line that the customer's words begin with."""
    name = username.casefold()
    for number, line in enumerate(lines):
        if name and line.endswith((":", "\N{FULLWIDTH COLON}")) and name in line.casefold():
            return number + 1
    labelled = [number for number, line in enumerate(lines[:_FRAME_LINES]) if _LABEL.match(line)]
    return labelled[-1] + 1 if len(labelled) > 1 else 0
