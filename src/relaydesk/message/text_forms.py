"""Other kinds of text as plain text: calendar entries, enriched and rich text, markdown as it stands."""

from __future__ import annotations

import re

_FOLDED = re.compile(r"\n[ \t]")
_ICAL_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ICAL_LINE = re.compile(r"([A-Z-]{1,30})((?:;(?:[^\":;\n]|\"[^\"\n]*+\")*+)*+):(.*+)")
_ICAL_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_ICAL_ZONE = re.compile(r";TZID=\"?([^\";:]+)")
_ICAL_SHOWN = ("SUMMARY", "DTSTART", "DTEND", "LOCATION", "DESCRIPTION")

_ENRICHED = re.compile(r"<<|<(/?)(nofill|param|[a-z-]{1,60})>|(\n++)|[^<\n]++|<", re.IGNORECASE)

_RTF = re.compile(
    r"\\'([0-9a-fA-F]{2})|\\u(-?\d{1,6}) ?|\\([a-z]{1,32})(?:-?\d{1,10})? ?"
    r"|\\([^a-z])|([{}])|\n|([^\\{}\n]++)"
)
_RTF_UNSEEN = {"fonttbl", "colortbl", "stylesheet", "info", "pict", "generator", "themedata",
               "latentstyles", "listtable", "listoverridetable", "rsidtbl", "xmlnstbl", "header", "footer",
               "object"}  # fmt: skip
_RTF_CHARACTERS = {"par": "\n", "line": "\n", "tab": "\t", "cell": "\t", "row": "\n", "emdash": "\u2014",
                   "endash": "\u2013", "bullet": "\u2022", "lquote": "\u2018", "rquote": "\u2019",
                   "ldblquote": "\u201c", "rdblquote": "\u201d", "page": "\n", "~": " ", "_": "-", "\n": "\n",
                   "\\": "\\", "{": "{", "}": "}"}  # fmt: skip


def calendar_text(text: str) -> str:
    """Summary, time, place and description of the first entry (RFC 5545 §3.6.1)."""
    shown: dict[str, str] = {}
    begun = False
    for line in _FOLDED.sub("", text).split("\n"):
        if line.startswith(("BEGIN:VEVENT", "BEGIN:VTODO", "BEGIN:VJOURNAL")):
            begun = True
        elif begun and line.startswith(("END:VEVENT", "END:VTODO", "END:VJOURNAL", "BEGIN:VALARM")):
            break
        elif begun and (entry := _ICAL_LINE.match(line)) and entry[1] in _ICAL_SHOWN:
            shown.setdefault(entry[1], _ical_value(entry[1], entry[2], entry[3]))
    times = " \u2013 ".join(shown[name] for name in ("DTSTART", "DTEND") if shown.get(name))
    lines = [shown.get("SUMMARY", ""), times, shown.get("LOCATION", ""), shown.get("DESCRIPTION", "")]
    return "\n".join(line for line in lines if line.strip())


def _ical_value(name: str, parameters: str, value: str) -> str:
    if not name.startswith("DT"):
        return _ICAL_ESCAPE.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], value).strip()
    moment = _ICAL_TIME.match(value)
    if moment is None:
        return value
    year, month, day, hour, minute, utc = moment.groups()
    zone = _ICAL_ZONE.search(parameters)
    clock = f" {hour}:{minute}" + (" UTC" if utc else f" {zone[1]}" if zone else "") if hour else ""
    return f"{year}-{month}-{day}{clock}"


def enriched_text(text: str) -> str:
    """The text of text/enriched (RFC 1896): n line ends mean n - 1, and ``<param>`` is no text."""
    out: list[str] = []
    filled = parameters = 0
    for token in _ENRICHED.finditer(text):
        tag = (token[2] or "").lower()
        step = -1 if token[1] else 1
        if tag == "nofill":
            filled = max(filled + step, 0)
        elif tag == "param":
            parameters = max(parameters + step, 0)
        elif tag or parameters:
            continue
        elif token[3]:
            out.append(token[3] if filled else token[3][1:] or " ")
        else:
            out.append("<" if token[0] == "<<" else token[0])
    return "".join(out)


def rtf_text(text: str) -> str:
    """The words of an RTF document whose 8-bit characters are windows-1252, without fonts and pictures."""
    out: list[str] = []
    unseen = [False]
    skip = False  # what stands behind a \\u for programs that cannot read it
    for token in _RTF.finditer(text):
        code, character, word, symbol, brace, plain = token.groups()
        if brace == "{":
            unseen.append(unseen[-1])
        elif brace:
            unseen.pop()
            unseen = unseen or [False]
        elif word in _RTF_UNSEEN or symbol == "*":
            unseen[-1] = True
        elif unseen[-1]:
            continue
        elif character:
            out.append(chr(int(character) & 0xFFFF))
        elif code or plain:
            shown = plain or bytes.fromhex(code).decode("cp1252", "replace")
            out.append(shown[1:] if skip else shown)
        else:
            out.append(_RTF_CHARACTERS.get(symbol or word or "", ""))
        skip = bool(character)
    return "".join(out).encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
