"""What arrived: the :class:`Envelope` (what the wire told us) and the :class:`Message` (what a person reads).

:func:`parse_message` turns any bytes into a Message; :class:`Letter` makes HTML fit to be sent. Addresses and
domains are read here and nowhere else. What authentication found of a message is a value of this room:
:class:`AuthResults`. Pure.
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
    UNASKED,
    AuthResults,
    DkimResult,
    DmarcResult,
    Result,
    SpfResult,
    authentication_results,
    undecided,
    vouches,
)
from relaydesk.message.charset_labels import encoding_of
from relaydesk.message.charsets import decode, one_line, printable
from relaydesk.message.envelope import Envelope, How, Origin, Role, received_line, with_protocol
from relaydesk.message.file_names import safe_name
from relaydesk.message.headers import header_fields, header_section, header_values
from relaydesk.message.html_charset import html_charset
from relaydesk.message.message import UNREAD, Address, Attachment, Body, Message
from relaydesk.message.unreadable import Unreadable, hostile_bytes
from relaydesk.message.words import index_words, query_words

if TYPE_CHECKING:
    from relaydesk.message.html import visible_text
    from relaydesk.message.letter import Letter
    from relaydesk.message.letter_plain import letter_text
    from relaydesk.message.markup import MAX_LETTER, MAX_LETTER_TAGS
    from relaydesk.message.page import MailPage, mail_page
    from relaydesk.message.parse import parse_header, parse_message
    from relaydesk.message.parts import UNCLOSED, Part, message_parts
    from relaydesk.message.searchable import searchable_header, searchable_words
    from relaydesk.message.texts import Texts, message_charset, read_texts

__all__ = [
    "MAX_ADDRESS",
    "MAX_LETTER",
    "MAX_LETTER_TAGS",
    "UNASKED",
    "UNCLOSED",
    "UNREAD",
    "Address",
    "Attachment",
    "AuthResults",
    "Body",
    "DkimResult",
    "DmarcResult",
    "Envelope",
    "How",
    "IpAddress",
    "Letter",
    "MailPage",
    "Message",
    "Origin",
    "Part",
    "Result",
    "Role",
    "SpfResult",
    "Texts",
    "Unreadable",
    "authentication_results",
    "canonical_ip",
    "decode",
    "domain_name",
    "domain_of",
    "encoding_of",
    "header_fields",
    "header_section",
    "header_values",
    "hostile_bytes",
    "html_charset",
    "index_words",
    "letter_text",
    "mail_page",
    "message_charset",
    "message_ids",
    "message_parts",
    "normal_address",
    "one_line",
    "parse_header",
    "parse_message",
    "plain_address",
    "printable",
    "query_words",
    "read_texts",
    "received_line",
    "safe_name",
    "searchable_header",
    "searchable_words",
    "split_address",
    "undecided",
    "visible_text",
    "vouches",
    "with_protocol",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "Letter": "letter",
            "MAX_LETTER": "markup",
            "MailPage": "page",
            "MAX_LETTER_TAGS": "markup",
            "UNCLOSED": "parts",
            "Part": "parts",
            "Texts": "texts",
            "letter_text": "letter_plain",
            "mail_page": "page",
            "message_charset": "texts",
            "message_parts": "parts",
            "parse_header": "parse",
            "parse_message": "parse",
            "read_texts": "texts",
            "searchable_header": "searchable",
            "searchable_words": "searchable",
            "visible_text": "html",
        },
    )
