"""Which other help desks may hand in their answers."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from relaydesk.desk.errors import DeskError
from relaydesk.desk.part import DeskPart
from relaydesk.gateway import PASSWORD_BYTES, SALT_BYTES, hashed
from relaydesk.store import Conflict, gateway_clients

if TYPE_CHECKING:
    from relaydesk.store import ClientRow

LONGEST_NAME = 100


class GatewayClients(DeskPart):
    """The help desks that may hand in their answers by submission."""

    def everybody(self) -> tuple[ClientRow, ...]:
        """All clients by name, revoked ones too."""
        with self.store.reading() as session:
            return gateway_clients.clients(session)

    def add(self, name: str, *, by: str) -> str:
        """Adds a client and returns its password, which is kept nowhere. DeskError when the name is taken."""
        chance = self.config.chance
        password = base64.urlsafe_b64encode(chance(PASSWORD_BYTES)).decode("ascii").rstrip("=")
        secret_hash = hashed(password, chance(SALT_BYTES))
        try:
            with self.acting("add_gateway_client", by) as acting:
                if not (name.isascii() and name.isprintable() and name.strip() and len(name) <= LONGEST_NAME):
                    raise DeskError(
                        f"{name!r} is not a client name; use up to {LONGEST_NAME} ASCII letters, as zendesk."
                    )
                gateway_clients.add(acting.session, name, secret_hash, acting.now)
        except Conflict:
            raise DeskError(f"There is or was a client {name!r} already; take another name.") from None
        return password

    def revoke(self, name: str, *, by: str) -> None:
        """Refuses a client from now on, within a session too. DeskError when there is none."""
        with self.acting("revoke_gateway_client", by) as acting:
            if not gateway_clients.revoke(acting.session, name, acting.now):
                raise DeskError(f"No client {name!r} can be revoked; `relaydesk gateway list` shows them.")
