"""Golden cases: sample messages as directories that anybody can add, for the demo and the tests.

``case`` reads ``fixtures/cases/NN-name/``, ``compose`` makes the bytes of a message, signed at that moment
and changed on the way as the case tells, ``wire`` hands them to an SMTP port.
"""
