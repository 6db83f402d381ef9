"""Mail authentication: SPF (RFC 7208), DKIM (RFC 6376, 8301, 8463) and DMARC (RFC 9989).

:func:`authenticate` takes an envelope and its message and gives :class:`~relaydesk.message.AuthResults`.
Our own signatures are made here too.
"""

from relaydesk.mailauth.authenticate import asked_domains, authenticate
from relaydesk.mailauth.body_hash import Canonical, canonical_body
from relaydesk.mailauth.dkim import read_signed, verify_dkim
from relaydesk.mailauth.signed_header import split_message
from relaydesk.mailauth.signing import META_HEADERS, dkim_key_record, new_dkim_key, sign_dkim
from relaydesk.mailauth.spf import check_spf, spf_domain

__all__ = [
    "META_HEADERS",
    "Canonical",
    "asked_domains",
    "authenticate",
    "canonical_body",
    "check_spf",
    "dkim_key_record",
    "new_dkim_key",
    "read_signed",
    "sign_dkim",
    "spf_domain",
    "split_message",
    "verify_dkim",
]
