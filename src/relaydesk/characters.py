"""Characters that show nothing by themselves: the one table of them, for terminals, logs, files and pages.

Controls move a terminal's cursor or begin its commands; marks of direction turn a line round; what has no
width makes two names look like one. Each set is the inside of a class of a regular expression, so that who
needs another choice (a cell of an import, a file's name) puts it together from the same sets.
"""

from __future__ import annotations

import re

# C0 but TAB and LF, DEL, C1 (U+009B is CSI, as ESC [), line and paragraph separators, interlinear marks,
# lone surrogates and noncharacters, which no encoding takes.
CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
# Embeddings, overrides and isolates of direction (UAX #9 §2): what turns a line round.
TURNING = "\u202a-\u202e\u2066-\u2069"
# The same, the marks that only choose a direction, and deprecated ones (U+206A to U+206F).
DIRECTION = f"\u061c\u200e\u200f{TURNING}\u206a-\u206f"
# They spell words that nobody sees.
TAGS = "\U000e0000-\U000e007f"
# Soft hyphen, zero-width and word-joining ones, the byte order mark, and tags.
WIDTHLESS = f"\xad\u034f\u180e\u200b\u2060-\u2065\ufeff{TAGS}"
# Without width, but needed between letters that they join (emoji, Persian, Indic scripts).
JOINERS = "\u200c\u200d"

_CONTROL = re.compile(f"[{CONTROLS}]")
_DROPPED = re.compile(
    f"[{DIRECTION}{WIDTHLESS}]|(?:^|(?<=[\x00-\x7f]))[{JOINERS}]++|(?<![{JOINERS}])[{JOINERS}]++(?=[\x00-\x7f]|$)"
)
_UNSEEN = re.compile(f"[\t\n{CONTROLS}{DIRECTION}{WIDTHLESS}{JOINERS}]")
ODD = "\ufffd"


def harmless(text: str) -> str:
    """Text that moves no cursor, turns no line and hides nothing: controls become U+FFFD, what has neither
    width nor use goes. Line ends and tabs stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return _DROPPED.sub("", _CONTROL.sub(ODD, text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """The same on one line, each run of blanks as one space."""
    return " ".join(harmless(text).split())


def escaped(text: str) -> str:
    """Text on one line with nothing unseen in it: each such character as its escape (``\\x1b``)."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(_escape, text)


def json_escaped(text: str) -> str:
    """JSON in which strings hold nothing unseen; it means what it meant. Its own line ends stay."""
    return _UNSEEN.sub(_json_escape, text)


def _escape(unseen: re.Match[str]) -> str:
    return unseen[0].encode("unicode_escape").decode("ascii")


def _json_escape(unseen: re.Match[str]) -> str:
    if unseen[0] in "\t\n":
        return unseen[0]
    units = unseen[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
