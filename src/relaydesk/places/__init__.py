"""Places for work that strangers cause: so many at one time, shared fairly, some kept for those we know.

Whoever is slow holds their share of the places and no more. What finds none in time is put off by its caller.
"""

from relaydesk.places.places import FairPlaces, Hold, NoPlace

__all__ = ["FairPlaces", "Hold", "NoPlace"]
