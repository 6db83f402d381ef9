"""The local order directory: read from files, looked up by any of an order's three keys."""

from relaydesk.orders.directory import Imported, find_orders, import_file

__all__ = ["Imported", "find_orders", "import_file"]
