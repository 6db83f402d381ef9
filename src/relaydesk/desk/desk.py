"""The desk itself: its parts, each opened when somebody first turns to it.

A list of queues must not wait for the libraries that make an answer, so the parts are imported on demand.
"""

from __future__ import annotations

import copy
from functools import cached_property
from typing import TYPE_CHECKING

from relaydesk.desk.permissions import DeskPart

if TYPE_CHECKING:
    from relaydesk.desk.accounts import Accounts
    from relaydesk.desk.administration import Agents, GatewayClients, Orders
    from relaydesk.desk.answers import Answers
    from relaydesk.desk.api_replies import ApiReplies
    from relaydesk.desk.config import DeskConfig
    from relaydesk.desk.credentials import Credentials
    from relaydesk.desk.drafts import Drafts
    from relaydesk.desk.evidence import EvidenceFiles
    from relaydesk.desk.health import Health
    from relaydesk.desk.presence import Presence
    from relaydesk.desk.queues import Queues
    from relaydesk.desk.reply_templates import ReplyTemplates
    from relaydesk.desk.reports import Reports
    from relaydesk.desk.rulebook import RulesInForce
    from relaydesk.desk.saved_views import SavedViews
    from relaydesk.desk.search import Search
    from relaydesk.desk.settings import StoredShopSettings
    from relaydesk.desk.sign_in import SignIn
    from relaydesk.desk.sorting_rules import SortingRules
    from relaydesk.desk.threads import Threads
    from relaydesk.desk.tickets import Tickets
    from relaydesk.desk.views import AuditLog, Outbox, Refusals
    from relaydesk.desk.webhooks import Webhooks


class Desk(DeskPart):
    """What people can do and see: the only way there is for command line, pages and API.

    Acts take ``by``, the actor (``agent:NAME``, or :data:`CONSOLE`), and are checked against the one
    table of :mod:`relaydesk.desk.permissions`; views return frozen values that need no further look.
    """

    def close(self) -> None:
        """Closes the store."""
        self.store.close()

    def under(self, config: DeskConfig) -> Desk:
        """The same desk under other settings. What its parts remember they share."""
        other = copy.copy(self)
        other.config = config
        vars(other).pop("templates", None)
        for name, part in vars(self).items():
            if isinstance(part, DeskPart):
                vars(other)[name] = copy.copy(part)
                vars(other)[name].config = config
        return other

    @cached_property
    def queues(self) -> Queues:
        from relaydesk.desk.queues import Queues

        return Queues(self.store, self.config, self.clock)

    @cached_property
    def saved_views(self) -> SavedViews:
        from relaydesk.desk.saved_views import SavedViews

        return SavedViews(self.store, self.config, self.clock)

    @cached_property
    def search(self) -> Search:
        from relaydesk.desk.search import Search

        return Search(self.store, self.config, self.clock)

    @cached_property
    def tickets(self) -> Tickets:
        from relaydesk.desk.tickets import Tickets

        return Tickets(self.store, self.config, self.clock)

    @cached_property
    def threads(self) -> Threads:
        from relaydesk.desk.threads import Threads

        return Threads(self.store, self.config, self.clock)

    @cached_property
    def answers(self) -> Answers:
        from relaydesk.desk.answers import Answers

        return Answers(self.store, self.config, self.clock)

    @cached_property
    def drafts(self) -> Drafts:
        from relaydesk.desk.drafts import Drafts

        return Drafts(self.store, self.config, self.clock)

    @cached_property
    def evidence(self) -> EvidenceFiles:
        from relaydesk.desk.evidence import EvidenceFiles

        return EvidenceFiles(self.store, self.config, self.clock)

    @cached_property
    def templates(self) -> ReplyTemplates:
        from relaydesk.desk.reply_templates import ReplyTemplates

        return ReplyTemplates(self.config.templates())

    @cached_property
    def outbox(self) -> Outbox:
        from relaydesk.desk.views import Outbox

        return Outbox(self.store, self.config, self.clock)

    @cached_property
    def refusals(self) -> Refusals:
        from relaydesk.desk.views import Refusals

        return Refusals(self.store, self.config, self.clock)

    @cached_property
    def orders(self) -> Orders:
        from relaydesk.desk.administration import Orders

        return Orders(self.store, self.config, self.clock)

    @cached_property
    def accounts(self) -> Accounts:
        from relaydesk.desk.accounts import Accounts

        return Accounts(self.store, self.config, self.clock)

    @cached_property
    def sign_in(self) -> SignIn:
        from relaydesk.desk.sign_in import SignIn

        return SignIn(self.store, self.config, self.clock)

    @cached_property
    def credentials(self) -> Credentials:
        from relaydesk.desk.credentials import Credentials

        return Credentials(self.store, self.config, self.clock)

    @cached_property
    def agents(self) -> Agents:
        from relaydesk.desk.administration import Agents

        return Agents(self.store, self.config, self.clock)

    @cached_property
    def settings(self) -> StoredShopSettings:
        from relaydesk.desk.settings import StoredShopSettings

        return StoredShopSettings(self.store, self.config, self.clock)

    @cached_property
    def rulebook(self) -> RulesInForce:
        from relaydesk.desk.rulebook import RulesInForce

        return RulesInForce(self.store, self.config, self.clock)

    @cached_property
    def health(self) -> Health:
        from relaydesk.desk.health import Health

        return Health(self.store, self.config, self.clock)

    @cached_property
    def audit_log(self) -> AuditLog:
        from relaydesk.desk.views import AuditLog

        return AuditLog(self.store, self.config, self.clock)

    @cached_property
    def gateway_clients(self) -> GatewayClients:
        from relaydesk.desk.administration import GatewayClients

        return GatewayClients(self.store, self.config, self.clock)

    @cached_property
    def api_replies(self) -> ApiReplies:
        from relaydesk.desk.api_replies import ApiReplies

        return ApiReplies(self.store, self.config, self.clock)

    @cached_property
    def rules(self) -> SortingRules:
        from relaydesk.desk.sorting_rules import SortingRules

        return SortingRules(self.store, self.config, self.clock)

    @cached_property
    def presence(self) -> Presence:
        from relaydesk.desk.presence import Presence

        return Presence(self.store, self.config, self.clock)

    @cached_property
    def webhooks(self) -> Webhooks:
        from relaydesk.desk.webhooks import Webhooks

        return Webhooks(self.store, self.config, self.clock)

    @cached_property
    def reports(self) -> Reports:
        from relaydesk.desk.reports import Reports

        return Reports(self.store, self.config, self.clock)
