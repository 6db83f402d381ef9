"""Style sheets and scripts without what only their readers need: comments, indents, spaces beside signs.

No name is changed and no line joined to another, so a script means what it meant and an error names its line
roughly. Texts, templates and patterns are copied as they are.
"""

from __future__ import annotations

import re

_COMMENT, _LINE_ENDS = re.compile(r"/\*.*?\*/", re.DOTALL), re.compile(r"\s*\n\s*")
_AROUND_SIGNS = re.compile(r" *([{};,]) *|(?<=\w): +")
_TEXT_OF_STYLE = re.compile(r"(\"[^\"\n]*\")")
_LINE_COMMENT = re.compile(r"//[^\n]*")
_TEXT = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")
_PATTERN = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_SPACES = re.compile(r"\s+")
_NAME = re.compile(r"[\w$]+")
_BEFORE_PATTERN = frozenset("(,=:[!&|?{};+~\n")  # where a slash begins a pattern; elsewhere it divides


def packed_style(style: str) -> str:
    """A style sheet as short as it can be without another meaning."""
    lines = _LINE_ENDS.sub("\n", _COMMENT.sub("", style)).strip()
    pieces = _TEXT_OF_STYLE.split(lines)  # texts are every second piece
    return "".join(
        piece if number % 2 else _AROUND_SIGNS.sub(lambda sign: sign[1] or ":", piece)
        for number, piece in enumerate(pieces)
    )


def packed_script(script: str) -> str:
    """A script as short as it can be without another meaning or other names."""
    pieces: list[str] = []
    at = 0
    while at < len(script):
        piece, at = _piece(script, at, pieces[-1][-1] if pieces else "\n")
        if piece:
            pieces.append(piece)
    return "".join(pieces).strip()


def _piece(script: str, at: int, before: str) -> tuple[str, int]:
    """What stands at a place, as it is kept, and where the next begins."""
    if comment := _COMMENT.match(script, at) or _LINE_COMMENT.match(script, at):
        return "", comment.end()
    if spaces := _SPACES.match(script, at):
        return _kept(spaces[0], before, script[spaces.end() : spaces.end() + 1]), spaces.end()
    if script[at] == "`":
        end = _template_end(script, at)
        return script[at:end], end
    pattern = _PATTERN if script[at] == "/" and before in _BEFORE_PATTERN else _TEXT
    match = pattern.match(script, at) or _NAME.match(script, at)
    end = match.end() if match else at + 1
    return script[at:end], end


def _kept(spaces: str, before: str, after: str) -> str:
    if "\n" in spaces:
        return "" if before == "\n" else "\n"
    words = bool(_NAME.match(before)) and bool(_NAME.match(after))
    signs = before in "+-" and after in "+-"
    return " " if words or signs or (before, after) == ("/", "/") else ""


def _template_end(script: str, at: int) -> int:
    """Where a template ends that may hold code, which may hold templates."""
    at += 1
    while at < len(script) and script[at] != "`":
        if script[at] == "\\":
            at += 2
        elif script.startswith("${", at):
            at = _code_end(script, at + 2)
        else:
            at += 1
    return at + 1


def _code_end(script: str, at: int) -> int:
    depth = 1
    while at < len(script) and depth:
        if script[at] == "`":
            at = _template_end(script, at)
        elif text := _TEXT.match(script, at):
            at = text.end()
        else:
            depth += {"{": 1, "}": -1}.get(script[at], 0)
            at += 1
    return at
