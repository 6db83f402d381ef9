"""Mail authentication: SPF (RFC 7208), DKIM (RFC 6376, 8301, 8463) and DMARC (RFC 9989) behind one door.

``authenticate(envelope, letter, resolver)`` answers with an
:class:`~relaydesk.mailauth.verdict.AuthReport`; it lives in :mod:`relaydesk.mailauth.authenticate`.
"""
