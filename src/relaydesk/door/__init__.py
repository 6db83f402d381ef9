"""The SMTP edge: who may speak, what was said, and what is answered. The only room that knows aiosmtpd.

``listener.serve(sock, door)`` opens it; what it takes in goes as an
:class:`~relaydesk.letters.envelope.Envelope` to the injected receiver, whose decision it turns into a
reply. The pure modules (``allowlist``, ``origin``, ``replies``, ``limits``, ``paths``, ``trace``) are
imported from elsewhere too, so nothing is imported here.
"""
