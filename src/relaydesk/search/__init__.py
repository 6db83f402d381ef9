"""The search index's upkeep: the words of new mail and answers are read into it.

:func:`index_waiting` reads them in this process, :func:`index_in_pool` in processes within limits.

What a word is lies in :mod:`relaydesk.message`, the index itself in :mod:`relaydesk.store`, the search for
people at the desk.
"""

from relaydesk.search.index import Indexed, index_in_pool, index_waiting

__all__ = ["Indexed", "index_in_pool", "index_waiting"]
