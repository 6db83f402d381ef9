"""The readable view of a message, built by :func:`relaydesk.message.parse_message` of any bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime


UNREAD = "The content took too long to read; open the original."
"""The defect of a message of which only the header was read, because its content takes too much."""


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of a header (RFC 5322 §3.4).

    Decoded display name, local part as written, domain as :func:`relaydesk.message.domain_of` gives it.
    """

    name: str
    local: str
    domain: str

    @property
    def addr(self) -> str:
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the message text. ``content`` is decoded; ``sniffed`` comes from its first bytes."""

    name: str
    declared_type: str
    sniffed_type: str
    size: int
    sha256: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of lines that the sender wrote, or that they quoted from an earlier mail."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """One readable body and the part it was read from: its passages, top first. Hidden text is in none."""

    source: Literal["text", "html"]
    passages: tuple[Passage, ...]

    @property
    def text(self) -> str:
        """All of it, as the sender's program shows it."""
        return "\n".join(passage.text for passage in self.passages)

    @property
    def own(self) -> str:
        """What the sender wrote."""
        return "\n".join(passage.text for passage in self.passages if not passage.quoted)

    @property
    def quoted(self) -> str:
        """What they quoted."""
        return "\n".join(passage.text for passage in self.passages if passage.quoted)


@dataclass(frozen=True, slots=True)
class Message:
    """What the bytes say, as far as they can be read.

    ``headers`` are (name as written, unfolded value with RFC 2047 words decoded) in order of appearance,
    top first. ``from_`` holds every mailbox of every From header: a trustworthy message has exactly one.
    ``duplicated`` names singleton headers (RFC 5322 §3.6) that occur more than once, lower case.
    ``received`` are the Received values, top (latest) first, unfolded. ``text`` is the plain text (taken
    from the HTML when there is none); ``html`` is sanitised; ``bodies`` are the plain text and the HTML's,
    each where there is one, parted into what is the sender's own and what is quoted; ``links`` are the
    http(s) targets in the HTML and text outside quotations. ``defects`` are sentences about what could not
    be read. ``date`` is the Date header, aware, or None: it decides nothing.
    """

    headers: tuple[tuple[str, str], ...] = ()
    from_: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    date: datetime | None = None
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    received: tuple[str, ...] = ()
    text: str = ""
    html: str = ""
    bodies: tuple[Body, ...] = ()
    links: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    duplicated: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()

    @property
    def own(self) -> str:
        """What a person reads first: what the sender wrote, without what they quoted.

        Where all of it is quoted (a mail passed on without a word) it is all shown, for a person must
        read something. Numbers are read of :attr:`Body.own`, where nothing quoted ever is.
        """
        if not self.bodies:
            return ""
        body = self.bodies[0]
        return (body.own if body.own.strip() else body.text).strip("\n")

    @property
    def quoted(self) -> str:
        """What was folded away below :attr:`own`: what they quoted, "" for nothing."""
        return self.bodies[0].quoted if self.bodies and self.bodies[0].own.strip() else ""

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)
