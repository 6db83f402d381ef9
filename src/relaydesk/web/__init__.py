"""The desk in a browser: server-rendered pages over the views and acts of the one Desk.

:func:`create_app` makes the ASGI application that the office process serves. Every page works without a
script; htmx and ``desk.js`` make it quick. A page asks the Desk and shows what it gets: who may do what is
decided there.
"""

from relaydesk.web.app import change_settings, create_app
from relaydesk.web.config import WebConfig

__all__ = ["WebConfig", "change_settings", "create_app"]
