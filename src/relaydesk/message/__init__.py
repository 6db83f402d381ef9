"""What arrived: the :class:`Envelope` (what the wire told us) and the :class:`Message` (what a person reads).

:func:`parse_message` turns any bytes into a Message. Addresses and domains are read here and nowhere else.
What authentication found of a message is a value of this room: :class:`AuthResults`. Pure.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.message.addresses import (
    MAX_ADDRESS,
    IpAddress,
    canonical_ip,
    domain_name,
    domain_of,
    message_ids,
    normal_address,
    plain_address,
    split_address,
)
from relaydesk.message.auth_results import (
    AuthResults,
    DkimResult,
    DmarcResult,
    Result,
    SpfResult,
    authentication_results,
    undecided,
    vouches,
)
from relaydesk.message.charsets import codec as encoding_of
from relaydesk.message.charsets import decode, printable, to_text
from relaydesk.message.envelope import Envelope, How, Origin, Role, received_line, with_protocol
from relaydesk.message.headers import header_fields, header_section, header_values
from relaydesk.message.html_charset import html_charset
from relaydesk.message.message import Address, Attachment, Message

if TYPE_CHECKING:
    from relaydesk.message.parse import parse_message
    from relaydesk.message.parts import UNCLOSED, Part, message_parts

__all__ = [
    "MAX_ADDRESS",
    "UNCLOSED",
    "Address",
    "Attachment",
    "AuthResults",
    "DkimResult",
    "DmarcResult",
    "Envelope",
    "How",
    "IpAddress",
    "Message",
    "Origin",
    "Part",
    "Result",
    "Role",
    "SpfResult",
    "authentication_results",
    "canonical_ip",
    "decode",
    "domain_name",
    "domain_of",
    "encoding_of",
    "header_fields",
    "header_section",
    "header_values",
    "html_charset",
    "message_ids",
    "message_parts",
    "normal_address",
    "parse_message",
    "plain_address",
    "printable",
    "received_line",
    "split_address",
    "to_text",
    "undecided",
    "vouches",
    "with_protocol",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__, {"UNCLOSED": "parts", "Part": "parts", "message_parts": "parts", "parse_message": "parse"}
    )
