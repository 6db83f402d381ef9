"""Answers: what an agent writes becomes one message to the one relay address, is checked, sent and followed.

:mod:`compose` makes the message and :mod:`check` looks at its finished bytes (both pure); :mod:`courier`
speaks SMTP to the next hop and :mod:`hop` says what its replies mean. The dispatcher above them moves the
outbox.
"""
