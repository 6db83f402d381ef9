"""Reply templates at the desk: which there are, whether they are right, and how one reads for a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.desk.errors import DeskError
from relaydesk.desk.part import DeskPart
from relaydesk.desk.permissions import active_agent, agent_name, demand
from relaydesk.outbound import SAMPLE_CONTEXTS, template_context, variables_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaydesk.outbound import Template


class ReplyTemplates(DeskPart):
    """The shipped templates, with the shop's own over them."""

    def everything(self) -> tuple[Template, ...]:
        """All templates by name."""
        return tuple(self.config.templates())

    def problems(self) -> list[str]:
        """What is wrong with them, tried on sample tickets; each sentence names file and line."""
        return self.config.templates().check()

    def sample(self, name: str, values: Mapping[str, str]) -> str:
        """A template as it reads for a sample ticket; what it needs and is not given stands in brackets."""
        templates = self.config.templates()
        needed = {need: f"[{need}]" for need in templates.get(name).needs}
        return templates.render(name, variables_of(SAMPLE_CONTEXTS[0], {**needed, **values}))

    def filled(
        self, ticket_id: int, name: str, values: Mapping[str, str], *, by: str, order: str | None = None
    ) -> str:
        """A template as it reads for a ticket, signed with the display name of ``by``.

        Its order is ``order``, else the one that is bound. AnswerRefused for what the template lacks.
        """
        shop = self.config.sender().shop  # reads files and the store: before the look at the ticket
        with self.store.reading() as session:
            agent = active_agent(session, agent_name(demand(session, "answer", by)) or "")
            context = template_context(
                session,
                ticket_id,
                agent=agent.display_name,
                shop=shop,
                order_id=order,
            )
        if context is None:
            raise DeskError(f"There is no ticket {ticket_id}.")
        return self.config.templates().render(name, variables_of(context, values))
