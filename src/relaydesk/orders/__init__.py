"""The local order directory: what the shop's orders are, read from files and looked up by three keys.

:func:`relaydesk.orders.importer.import_file` fills it, :func:`relaydesk.orders.directory.find` asks it.
"""
