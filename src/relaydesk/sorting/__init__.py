"""Sorting: which kind of mail this is, what it is about, where it belongs, and whether it is let in at all.

Pure. ``sort(letter, rules)`` reads a letter into :class:`Findings`; ``decide(…)`` makes the
:class:`Decision`. The rules themselves are data (``facebook.yaml``).
"""
