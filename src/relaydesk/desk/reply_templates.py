"""The reply templates as people see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk.outbound import SAMPLE_CONTEXTS, variables_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relaydesk.outbound import Template, Templates


class ReplyTemplates:
    """The shipped templates, with the shop's own over them. They are files: nothing here needs the store."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    def everything(self) -> tuple[Template, ...]:
        """All templates by name."""
        return tuple(self._templates)

    def problems(self) -> list[str]:
        """What is wrong with them, tried on sample tickets; each sentence names file and line."""
        return self._templates.check()

    def sample(self, name: str, values: Mapping[str, str]) -> str:
        """A template as it reads for a sample ticket; what it needs and is not given appears in brackets."""
        needed = {need: f"[{need}]" for need in self._templates.get(name).needs}
        return self._templates.render(name, variables_of(SAMPLE_CONTEXTS[0], {**needed, **values}))
