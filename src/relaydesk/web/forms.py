"""Fields of forms, and forms whose fields are not known beforehand, such as a row for each queue."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, File, Form, Path, UploadFile
from starlette.datastructures import FormData
from starlette.requests import Request

MOST_FIELDS = 500


async def form_of(request: Request) -> FormData:
    """All fields of a form, in their order; files are not taken."""
    return await request.form(max_files=0, max_fields=MOST_FIELDS)


TheForm = Annotated[FormData, Depends(form_of)]
TextField = Annotated[str, Form()]
VersionField = Annotated[int, Form()]

LongText = Annotated[str, Form(max_length=200_000)]
ShortText = Annotated[str, Form(max_length=2_000)]
FormNumber = Annotated[int, Form(ge=0, le=2**62)]
TokenText = Annotated[str, Form(max_length=64)]
Uploads = Annotated[list[UploadFile] | None, File()]
RowNumber = Annotated[int, Path(ge=1, le=2**62)]
