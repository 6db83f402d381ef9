"""Where a message came from: the host that handed it to the first hop we trust.

A peer that is no relay is the origin itself. Behind a relay the origin is read from the Received lines,
from the top, each written by a hop we trust and read by that hop's format: always the address the
receiving host *saw*, never the name or literal the client *said*. The first address that is not a relay
of ours is the origin. A line that does not match means "unknown"; nothing below it is believed, since
whoever sent the message could have written it.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from relaydesk.message import Origin, canonical_ip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from relaydesk.message import How, IpAddress
    from relaydesk.policy.allowlist import Allowlist, Entry, ReceivedFormat

_ADDRESS = r"(?P<ip>[0-9A-Fa-f.:]{2,45})"

# from HELO (name [192.0.2.1]) by … ; IPv6 as [IPv6:2001:db8::1]. Postfix replaces brackets, blanks and
# semicolons in HELO by "?", and RFC 5321 §4.4 calls this comment the TCP-info.
_POSTFIX = re.compile(rf"from \S+ \(\S+ \[(?:IPv6:)?{_ADDRESS}\]\) .*")

# from name ([192.0.2.1]:25 helo=x ident=y) by …, or from [192.0.2.1]:25 (helo=x) by … when the address
# has no name; the port and every comment are optional. (Exim specification, received_header_text)
_EXIM = re.compile(
    rf"from (?:[A-Za-z0-9._-]+ \(\[{_ADDRESS}\](?::\d+)?(?: [^()]*)?\)"
    r"|\[(?P<bare>[0-9A-Fa-f.:]{2,45})\](?::\d+)?(?: \((?:helo|port|ident)=[^()]*\))?) by .*"
)

# from HELO (name. [192.0.2.1]) by mx.google.com with ESMTPS id …; the name is absent without a PTR.
_GOOGLE = re.compile(rf"from \S+ \((?:\S+ )?\[{_ADDRESS}\]\) by mx\.google\.com with E?SMTPS? id .*")
# by 2002:a05:… with SMTP id …: one Google machine handing to the next.
_GOOGLE_INNER = re.compile(r"by [0-9A-Za-z.:-]+ with SMTP id .*")

# from HELO (192.0.2.1) by XX.mail.protection.outlook.com (10.0.0.1) with Microsoft SMTP Server … ; inner
# hand-overs look the same, with Microsoft's own addresses and the name in capitals, or say "with mapi".
_M365 = re.compile(
    rf"from \S+ \(\[?{_ADDRESS}(?:%\d+)?\]?\) by [A-Za-z0-9.-]+\.(?i:outlook|office365)\.(?i:com) \([^()]*\) "
    r"with (?:Microsoft SMTP Server|mapi|HTTPS?)\b.*"
)
_M365_INNER = tuple(ip_network(text) for text in ("10.0.0.0/8", "fe80::/10", "2603:1080::/25"))

#: What a reader answers for a line by which a provider hands a message on inside itself.
_HANDED_ON: Final = "handed on"


def find_origin(
    peer_ip: str | None, peer_how: How, received: Sequence[str], allowlist: Allowlist, max_hops: int = 50
) -> Origin:
    """The origin of a message.

    ``peer_ip`` is the peer's address (after PROXY or XCLIENT) or None when it is not known, ``peer_how``
    how it was learnt; ``received`` are the Received values, top (latest) first. A peer with the role
    ``proxy`` is never an origin: it did not say for whom it speaks.
    """
    peer = canonical_ip(peer_ip) if peer_ip is not None else None
    if peer is None:
        return Origin(None, "proxy" if peer_how in ("proxy", "xclient") else "none", False, "unknown")
    role, entry = allowlist.role(peer)
    if role == "relay" and entry is not None:
        return _behind(entry, received[:max_hops], allowlist)
    if role == "proxy":
        return Origin(None, role, False, "unknown", network=_name(entry), note=_note(entry))
    return Origin(str(peer), role, role == "origin", peer_how, network=_name(entry), note=_note(entry))


def _behind(relay: Entry, received: Sequence[str], allowlist: Allowlist) -> Origin:
    """Walk the lines that relays wrote; ``hop`` is the one that wrote the line in hand."""
    hop, shared = relay, relay.shared
    for value in received:
        client = _SEEN_BY[hop.format](" ".join(value.split()))
        if client == _HANDED_ON:
            continue
        if client is None:
            break
        role, entry = allowlist.role(client)
        if role == "relay" and entry is not None:
            hop, shared = entry, shared or entry.shared
            continue
        listed = role == "origin"
        return Origin(str(client), "relay", listed, "received", shared, _name(entry), _note(entry))
    return Origin(None, "relay", False, "unknown", shared, note=relay.note)


def _name(entry: Entry | None) -> str | None:
    return str(entry.network) if entry is not None else None


def _note(entry: Entry | None) -> str:
    return entry.note if entry is not None else ""


def _match(pattern: re.Pattern[str], line: str) -> IpAddress | None:
    # A second " by " could come out of a HELO that mimics the rest of the line.
    if line.count(" by ") != 1 or (match := pattern.fullmatch(line)) is None:
        return None
    groups = match.groupdict()
    return canonical_ip(groups["ip"] or groups.get("bare") or "")


def _postfix(line: str) -> IpAddress | str | None:
    return _match(_POSTFIX, line)


def _exim(line: str) -> IpAddress | str | None:
    return _match(_EXIM, line)


def _google(line: str) -> IpAddress | str | None:
    return _HANDED_ON if _GOOGLE_INNER.fullmatch(line) else _match(_GOOGLE, line)


def _m365(line: str) -> IpAddress | str | None:
    client = _match(_M365, line)
    if client is not None and any(client in net for net in _M365_INNER):
        return _HANDED_ON
    return client


_SEEN_BY: dict[ReceivedFormat, Callable[[str], IpAddress | str | None]] = {
    "postfix": _postfix,
    "exim": _exim,
    "google": _google,
    "m365": _m365,
}
