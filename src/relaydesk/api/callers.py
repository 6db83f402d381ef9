"""What the routes share: who calls, what the token may be used for, and the kinds of values that are sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Request, Security
from fastapi.security import HTTPBearer
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, model_validator

from relaydesk.desk import Desk, Visitor

Scope = Literal["read", "write", "admin"]
FIRST_YEAR, LAST_YEAR = 1970, 9000
bearer = HTTPBearer(auto_error=False, description="A token of an agent's account page.")


class TokenNeeded(Exception):  # noqa: N818 - a state: nobody we know calls
    """A request without a token, or with one that is unknown, expired or revoked."""


class ScopeNeeded(Exception):  # noqa: N818
    """The token may not be used for this; the message names the scope."""


def desk_of(request: Request) -> Desk:
    """The desk behind the API."""
    desk: Desk = request.app.state.desk
    return desk


def token_of(request: Request) -> str:
    """The token that a request carries; "" for none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def caller_of(request: Request, _: Annotated[object, Security(bearer)] = None) -> Visitor:
    """Whose token it is, looked up once for a request. TokenNeeded for none."""
    caller: Visitor | None = getattr(request.state, "caller", None)
    if caller is None:
        token = token_of(request)
        caller = desk_of(request).accounts.token_visitor(token) if token else None
    if caller is None:
        raise TokenNeeded
    request.state.caller = caller
    return caller


def _with(scope: Scope) -> object:
    def permitted(caller: Annotated[Visitor, Depends(caller_of)]) -> Visitor:
        if scope not in (caller.scopes or ()):
            raise ScopeNeeded(f"This token lacks the scope {scope}; make one that has it.")
        return caller

    return Depends(permitted)


Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Rows = Annotated[int, Query(ge=1, le=1000, description="how many at most")]


class Body(BaseModel):
    """What a request carries; a name that is not known is an error, never passed over."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def has_no_nul(cls, sent: object) -> object:
        """No database keeps a NUL in a text."""
        if _has_nul(sent):
            raise ValueError("A text must not hold the character NUL.")
        return sent


def _has_nul(sent: object) -> bool:
    if isinstance(sent, str):
        return "\0" in sent
    if isinstance(sent, dict):
        return any(_has_nul(key) or _has_nul(value) for key, value in sent.items())
    return isinstance(sent, list) and any(map(_has_nul, sent))


def _usable(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"a time lies in the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_usable)]
"""A time with its zone; where it is taken it is in UTC."""
TheDesk = Annotated[Desk, Depends(desk_of)]
Reader = Annotated[Visitor, _with("read")]
Writer = Annotated[Visitor, _with("write")]
Admin = Annotated[Visitor, _with("admin")]
