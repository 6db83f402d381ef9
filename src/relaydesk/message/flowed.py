"""``format=flowed`` (RFC 3676): lines that a mail program broke, joined into the paragraphs they were."""

from __future__ import annotations

_SIGNATURE = "-- "


def unflowed(text: str, *, delete_space: bool) -> str:
    """Each paragraph on one line; a quoted one behind its ``>`` marks and a space.

    Only lines of one quote depth are joined (§4.5), and an empty line stays one, though a broken line stood
    before it; ``delete_space`` is the DelSp parameter (§4).
    """
    out: list[str] = []
    paragraph: list[str] = []
    quoted = 0

    def close() -> None:
        if paragraph:
            out.append((">" * quoted + " " if quoted else "") + "".join(paragraph))
            paragraph.clear()

    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")  # space-stuffing (§4.4)
        if depth != quoted or content in ("", _SIGNATURE):
            close()
        quoted = depth
        flows = content.endswith(" ") and content != _SIGNATURE
        paragraph.append(content[:-1] if flows and delete_space else content)
        if not flows:
            close()
    close()
    return "\n".join(out)
