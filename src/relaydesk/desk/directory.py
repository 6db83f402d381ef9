"""The order directory at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.desk.part import DeskPart
from relaydesk.desk.permissions import demand
from relaydesk.orders import find_orders, import_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from relaydesk.order import Order
    from relaydesk.orders import Imported


class Orders(DeskPart):
    """The orders that the shop knows of."""

    def find(self, text: str) -> list[Order]:
        """The orders whose Facebook id, seller's reference or relay address is ``text``, newest first."""
        return find_orders(self.store, text)

    def import_file(
        self, file: Path, *, by: str, progress: Callable[[int, int], None] | None = None
    ) -> Imported:
        """Imports the orders of a file, batch by batch; what became of each row.

        ``progress`` is told (bytes read, bytes in all). FileError when the file cannot be read as a whole.
        """
        with self.store.reading() as session:
            demand(session, "import_orders", by)
        return import_file(self.store, file, now=self.clock(), progress=progress)
