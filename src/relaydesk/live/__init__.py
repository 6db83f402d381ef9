"""What changes, told to the pages that are open; and who looks at which ticket.

:class:`Live` is one of these in each office process: a thread that listens to the store, a
:class:`NewsFeed` that hands names of what changed to every open page, and a :class:`PresenceBoard` of who
has which ticket open. All of it is in memory, bounded, and lost without harm: a page that may have missed
something is told to fetch all that it shows (``resync``).
"""

from relaydesk.live.feed import NewsFeed, Subscriber
from relaydesk.live.listening import Live
from relaydesk.live.presence import Doing, Present

__all__ = ["Doing", "Live", "NewsFeed", "Present", "Subscriber"]
