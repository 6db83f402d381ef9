"""The campaign: attacks on a real ``relaydesk serve`` on loopback, each bounded in count and time.

Every attack has a ``serve`` of its own on a new store. Beside most of them good mail of a listed network is
sent and timed by another process, first alone, then under attack. ``bench/attack.py`` runs them all;
the suite runs some of them, shortened.
"""
