"""Files: as they are sent, and as they are given back, which is never as something that a browser shows."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, Field
from starlette.responses import Response

from relaydesk.api.callers import Body

LONGEST = 22_000_000  # characters of base64: 16 MB
BYTES: dict[int | str, dict[str, object]] = {200: {"content": {"application/octet-stream": {}}}}
"""A reply of bytes in the description of the API."""


def _is_base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("this is not base64") from None
    return text


class File(Body):
    name: str = Field(min_length=1, max_length=255)
    content: Annotated[str, AfterValidator(_is_base64)] = Field(max_length=LONGEST, description="base64")

    @property
    def data(self) -> bytes:
        """What it holds."""
        return base64.b64decode(self.content)


def download(name: str, content: bytes) -> Response:
    """A file, to be saved."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(content, media_type="application/octet-stream", headers=headers)
