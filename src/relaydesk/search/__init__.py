"""The search index's upkeep: :func:`index_waiting` reads the words of new mail and answers into it.

What a word is lies in :mod:`relaydesk.message`, the index itself in :mod:`relaydesk.store`, the search for
people at the desk.
"""

from relaydesk.search.index import Indexed, index_waiting

__all__ = ["Indexed", "index_waiting"]
