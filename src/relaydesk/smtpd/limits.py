"""What one client may cost: sizes in bytes, times in seconds, the rest counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

MOST_STRANGERS = 95
"""Per cent of the connections."""
MOST_OF_ONE = 3 / 4
"""Part of what is scarce that one peer may hold, however well it is known."""
FEWEST_CONNECTIONS = 8
"""Of each process: with fewer, the chance by which the kernel deals them out shuts good mail out."""
FEWEST = 4
"""Of each process, of what is divided by quarters."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps of one listener process. The defaults suit a public port 25.

    RFC 5321 §4.5.3 gives the lower bounds: 100 recipients is its advice to servers for general mail, of
    which a support desk needs fewer; a client that gets 452 sends to the rest separately (§4.5.3.1.10).
    """

    message_bytes: int = 36 * 1024 * 1024
    """Largest message, as advertised by SIZE: 25 MB of photos after base64, and some."""
    header_bytes: int = 64 * 1024
    """Largest header section, and no more of it is ever parsed."""
    line_bytes: int = 128 * 1024
    """Longest line of a message, with CR LF. At least 64 KiB: real mail exceeds the 1,000 of RFC 5321."""
    command_bytes: int = 2048
    """Longest command line, with CR LF (RFC 5321 §4.5.3.1.4: 512; parameters and XCLIENT add to it)."""
    received: int = 50
    """Received headers before a message counts as looping (RFC 5321 §6.3)."""
    recipients: int = 50
    """Recipients of one message."""
    connections: int = 500
    """Open connections in all, each from accept until its socket is closed."""
    strangers_percent: int = 60
    """How much of ``connections`` strangers may hold together; the rest is kept for those we know.

    A stranger is a host without a role in the allowlist; at the gateway, one that has not logged in there.
    """
    strangers_per_second: int = 400
    """New connections of all strangers in one second, half of them of one peer. Each costs half a millisecond
    until its greeting, and a tenth of that when it is turned away at accept."""
    connections_per_peer: int = 50
    """Open connections of one stranger: an IPv4 address or IPv6 /64, as seen after PROXY or XCLIENT."""
    connections_per_known_peer: int = 200
    """The same of a host that is no stranger, and three quarters of ``connections`` at most. Wide, as a relay
    brings the mail of many."""
    commands: int = 10_000
    """Commands of one session."""
    errors: int = 20
    """Commands of one session that were answered 5xx."""
    stress_idle_seconds: float = 10.0
    """``idle_seconds``, ``tls_seconds`` and ``write_seconds`` of strangers while places are scarce.

    They are while over 3/4 of all places or of the strangers' places are taken (as in Postfix's
    STRESS_README, whence the figure).
    """
    stress_session_seconds: float = 60.0
    """``session_seconds`` of strangers while places are scarce: ample for one bounce."""
    stress_errors: int = 3
    """``errors`` of strangers while places are scarce."""
    concurrent_data: int = 20
    """Small messages being received at one time; larger ones count in ``bytes_in_flight``."""
    small_message_bytes: int = 128 * 1024
    """A message is small up to this size: mail without photos is."""
    bytes_in_flight: int = 160 * 1024 * 1024
    """Of the larger messages, from DATA until the work on them is done; each process takes at least two of
    the largest. Memory goes up to three times that, at its worst moment."""
    concurrent_auth: int = 32
    """Messages of strangers that wait for DNS at one time: a quarter of them for one domain, half for one
    peer. Listed senders' messages have as many places of their own."""
    auth_slot_seconds: float = 20.0
    """For one of the ``concurrent_auth`` places, or for a process that reads; then 451."""
    reading_processes: int = 4
    """Processes that read large messages, started when needed; at least two for each listener process, one of
    which no stranger's mail takes."""
    reading_seconds: float = 10.0
    """Processor time for reading one message; of one that takes more only the header is read."""
    idle_seconds: float = 300.0
    """For one whole command line, or between two chunks of data (RFC 5321 §4.5.3.2.7: at least 5 minutes)."""
    min_data_rate: int = 500
    """Bytes a second that a message must come in with, over any ``idle_seconds`` (as Postfix's
    ``smtpd_min_data_rate``)."""
    data_seconds: float = 900.0
    """For the whole of one message, from 354 to the dot."""
    session_seconds: float = 3600.0
    """For one connection, from the greeting on; a message being received is finished."""
    handler_seconds: float = 180.0
    """For admit and receive; then 451, while the work goes on and the resend finds its result."""
    slot_seconds: float = 60.0
    """For one of the ``concurrent_data`` places, then 451; or for ``bytes_in_flight``, then 452."""
    write_seconds: float = 60.0
    """For the client to take a reply; then the connection is cut."""
    tls_seconds: float = 30.0
    """For the TLS handshake."""
    proxy_seconds: float = 10.0
    """For the PROXY header of a listed proxy."""
    quiet_seconds: float = 1.0
    """How long the line must be quiet after a dot that follows a bare CR, to count as the end of the data."""

    def __post_init__(self) -> None:
        if self.strangers_percent > MOST_STRANGERS:
            raise ValueError(f"limit strangers_percent must be at most {MOST_STRANGERS}; the rest is kept")

    def of(self, code: str) -> int:
        """The figure that a refusal of this reason code names; 0 where it names none."""
        named = {
            "too_large": self.message_bytes,
            "too_many_recipients": self.recipients,
            "line_too_long": self.line_bytes,
            "headers_too_large": self.header_bytes,
            "mail_loop": self.received,
        }
        return named.get(code, 0)

    @property
    def strangers(self) -> int:
        """Open connections of all strangers."""
        return max(1, self.connections * self.strangers_percent // 100)

    @property
    def of_known_peer(self) -> int:
        """Open connections of one host that is no stranger; the rest is left to the others."""
        return max(1, min(self.connections_per_known_peer, int(self.connections * MOST_OF_ONE)))

    def divided(self, processes: int) -> Limits:
        """The share of one of several processes on the same port: the caps for all of them, split.

        The kernel deals connections out by chance, so a host we know may have twice its share in one process,
        and no process has so few that one peer would hold them all.
        """
        return replace(
            self,
            connections=max(FEWEST_CONNECTIONS, self.connections // processes),
            strangers_per_second=max(FEWEST, self.strangers_per_second // processes),
            connections_per_peer=max(1, self.connections_per_peer // processes),
            connections_per_known_peer=max(
                1, min(self.connections_per_known_peer, 2 * self.connections_per_known_peer // processes)
            ),
            concurrent_data=max(FEWEST, self.concurrent_data // processes),
            bytes_in_flight=max(2 * self.message_bytes, self.bytes_in_flight // processes),
            concurrent_auth=max(FEWEST, self.concurrent_auth // processes),
            reading_processes=max(2, self.reading_processes // processes),
        )

    def within(self, descriptors: int) -> Limits:
        """The same with no more connections than there are file descriptors for."""
        return replace(self, connections=max(1, min(self.connections, descriptors)))
