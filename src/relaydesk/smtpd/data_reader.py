"""The content of DATA: from chunks as they come to the exact message (RFC 5321 §4.5.2).

Lines end in CR LF and nothing else. The data ends at CR LF dot CR LF. A message with a bare CR or LF is
read to that end and refused, so that nothing in it can be taken for the next command ("smuggling").
One end is doubtful: CR CR LF dot CR LF. The RFC ends the data there, but a relay that counts lines
differently may still be in the middle of a message. So it counts only once the line has gone quiet,
that is, when the client waits for a reply; if more follows at once, it belongs to the same message.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from relaydesk.message import header_section, header_values
from relaydesk.reasons import reason

if TYPE_CHECKING:
    from relaydesk.reasons import Reason
    from relaydesk.smtpd.limits import Limits

_END = b"\r\n.\r\n"


class DataReader:
    """Takes in chunks until the end of the data, in time linear in them however they are cut.

    ``flaw`` is the reason code of what was found wrong first, or ""; from then on nothing is kept, but
    the end is still looked for. ``doubtful`` says that the end seen is the doubtful one: feeding more
    takes it back. ``rest`` is what came behind a sure end: the next commands. ``size`` counts what is kept.
    """

    __slots__ = ("_kept", "_limits", "_line", "_midline", "_odd_end", "doubtful", "flaw", "rest", "size")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # Its buffer becomes the message without being copied.
        self._kept = BytesIO()
        self._line = bytearray()
        self._midline = False
        self._odd_end = False
        self.doubtful = False
        self.flaw = ""
        self.rest = b""
        self.size = 0

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk in; true once the end was seen."""
        self.doubtful = False
        # What was there is a line begun, without its end: only that can straddle the chunk's edge.
        seen = max(0, len(self._line) - 1)
        self._line += chunk
        while (dot := self._find_dot(seen)) >= 0:
            self._take(self._cut(dot))
            del self._line[: len(b".\r\n")]
            seen = 0
            if not self._odd_end:
                self.rest = self._cut(len(self._line))
                return True
            # The message is refused for its bare CR already, so the dot line need not be kept.
            self._odd_end = self._midline = False
            if not self._line:
                self.doubtful = True
                return True
        self._take_lines(seen)
        return False

    def content(self) -> bytes:
        """The message, dot-unstuffed. Empty when it has a flaw."""
        return b"" if self.flaw else self._kept.getvalue()

    def refuse(self, code: str) -> None:
        """Keep nothing of the message, for this reason, unless there was one before."""
        self.flaw = self.flaw or code
        self._kept, self.size = BytesIO(), 0

    def _find_dot(self, seen: int) -> int:
        """Index of the dot that is alone on its line, or -1."""
        if not self._midline and self._line.startswith(_END[2:]):
            return 0
        end = self._line.find(_END, seen)
        return end + 2 if end >= 0 else -1

    def _take_lines(self, seen: int) -> None:
        """Keep the whole lines and leave the beginning of the next one."""
        end = self._line.rfind(b"\r\n", seen)
        if end >= 0:
            self._take(self._cut(end + 2))
            self._midline = False
        if len(self._line) > self._limits.line_bytes:
            self.refuse("line_too_long")
            del self._line[:-2]
            self._midline = True

    def _cut(self, end: int) -> bytes:
        lines = bytes(memoryview(self._line)[:end])
        del self._line[:end]
        return lines

    def _take(self, lines: bytes) -> None:
        """Keep whole lines, each ended by CR LF."""
        if not lines:
            return
        self._odd_end = lines.endswith(b"\r\r\n")
        count = lines.count(b"\r\n")
        if count != lines.count(b"\n") or count != lines.count(b"\r"):
            self.refuse("bare_newline")
        if _has_line_over(lines, self._limits.line_bytes):
            self.refuse("line_too_long")
        if self.flaw:
            return
        plain = lines.removeprefix(b".").replace(b"\r\n.", b"\r\n")
        self.size += len(plain)
        if self.size > self._limits.message_bytes:
            self.refuse("too_large")
        else:
            self._kept.write(plain)


def _has_line_over(lines: bytes, longest: int) -> bool:
    """Whether one of these whole lines is longer with its CR LF; looks only where one might be."""
    start = 0
    while len(lines) - start > longest:
        end = lines.rfind(b"\r\n", start, start + longest)
        if end < 0:
            return True
        start = end + 2
    return False


def flaw_of(raw: bytes, limits: Limits) -> str:
    """The reason code of what is wrong with a whole message's header section, or ""."""
    if len(header_section(raw[: limits.header_bytes + 4])) > limits.header_bytes:
        return "headers_too_large"
    received = header_values(raw, "Received", limits.header_bytes)
    return "mail_loop" if len(received) > limits.received else ""


def read_flaw(raw: bytes, limits: Limits) -> Reason | None:
    """Row 1 of the policy: what a whole message's bytes would be refused for, read as off the wire."""
    reader = DataReader(limits)
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    reader.feed((b"." if stuffed.startswith(b".") else b"") + stuffed + b"\r\n.\r\n")
    code = reader.flaw or flaw_of(raw, limits)
    return reason(code, limit=limits.of(code)) if code else None
