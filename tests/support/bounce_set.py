"""The set of returned mail: ``tests/data/bounces.yaml`` as messages."""

from __future__ import annotations

from dataclasses import dataclass
from email.header import Header
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FILE = Path(__file__).resolve().parents[1] / "data" / "bounces.yaml"


@dataclass(frozen=True)
class Returned:
    """One mail of the set and what it must be read as; "" where the set says nothing."""

    number: int
    server: str
    about: str
    raw: bytes
    code: str = ""
    recipient: str = ""
    original_id: str = ""

    def __str__(self) -> str:
        return f"{self.number:03}-{self.server.replace(' ', '-')}-{self.about}"


def returned_mails() -> list[Returned]:
    entries = YAML(typ="safe").load(FILE)
    return [
        Returned(
            number,
            entry["server"],
            entry["about"],
            _raw(entry),
            str(entry.get("code", "")),
            entry.get("recipient", ""),
            entry.get("original_id", ""),
        )
        for number, entry in enumerate(entries, 1)
    ]


def _raw(entry: dict[str, Any]) -> bytes:
    charset = entry.get("charset", "utf-8")
    head = [f"Subject: {Header(entry['subject'], charset).encode()}", "MIME-Version: 1.0"]
    head += [f"From: {entry['from']}"] if entry["from"] else []
    head += [f"{name}: {value}" for name, value in entry.get("headers", {}).items()]
    first = _part(f"text/plain; charset={charset}", entry.get("text", "").encode(charset))
    if "html" in entry:
        first = _part("text/html; charset=utf-8", entry["html"].encode())
    parts = [first, *_further(entry)]
    if len(parts) == 1:
        return _crlf("\n".join(head).encode() + b"\n" + first)
    kind = entry.get("multipart", "report" if "status" in entry or "disposition" in entry else "mixed")
    head.append(f"Content-Type: multipart/{kind}; boundary=b")
    joined = b"".join(b"--b\n" + part + b"\n" for part in parts)
    return _crlf("\n".join(head).encode() + b"\n\n" + joined + b"--b--\n")


def _further(entry: dict[str, Any]) -> list[bytes]:
    parts = []
    if "status" in entry:
        parts.append(_part(entry.get("status_as", "message/delivery-status"), entry["status"].encode()))
    if "disposition" in entry:
        fields = f"Final-Recipient: rfc822; ann@relay.example\nDisposition: {entry['disposition']}\n"
        parts.append(_part("message/disposition-notification", fields.encode()))
    if "feedback" in entry:
        parts.append(_part("message/feedback-report", entry["feedback"].encode()))
    if "original" in entry:
        parts.append(_part("message/rfc822", entry["original"].encode() + b"\n\nHello\n"))
    return parts


def _part(kind: str, content: bytes) -> bytes:
    return f"Content-Type: {kind}\n\n".encode() + content + b"\n"


def _crlf(raw: bytes) -> bytes:
    return raw.replace(b"\n", b"\r\n")
