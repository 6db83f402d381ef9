"""How the text of an element looks, as far as it decides whether a person sees it, and as whose."""

from __future__ import annotations

from dataclasses import dataclass, replace

from relaydesk.message.colours import alike
from relaydesk.message.quotes import OWN, PERHAPS, QUOTED

_LEVELS = {"quote": QUOTED, "cut": QUOTED, "perhaps": PERHAPS}


@dataclass(frozen=True, slots=True)
class Look:
    """What an element inherits: colours, and whether its text is visible, has a size, is quoted."""

    colour: str = "000000"
    ground: str = "ffffff"
    visible: bool = True
    sized: bool = True
    kept: bool = False
    level: int = OWN

    def inside(self, marks: list[str]) -> Look:
        """The look of an element with these marks."""
        if not marks:
            return self
        values = dict(mark.partition(":")[::2] for mark in marks)
        return replace(
            self,
            colour=values.get("fg", self.colour),
            ground=values.get("bg", self.ground),
            visible=values.get("vis", str(int(self.visible))) == "1",
            sized=values.get("size", str(int(self.sized))) == "1",
            kept=values.get("pre", str(int(self.kept))) == "1",
            level=max([self.level, *(level for mark, level in _LEVELS.items() if mark in values)]),
        )

    @property
    def shows(self) -> bool:
        """Whether a person sees text of this look."""
        return self.visible and self.sized and not alike(self.colour, self.ground)
