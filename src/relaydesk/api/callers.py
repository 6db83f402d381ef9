"""Who calls: the agent of a token, and what the token may be used for."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from relaydesk.desk import Desk, Visitor

Scope = Literal["read", "write", "admin"]
bearer = HTTPBearer(auto_error=False, description="A token of an agent's account page.")


class TokenNeeded(Exception):  # noqa: N818 - a state: nobody we know calls
    """A request without a token, or with one that is unknown, expired or revoked."""


class ScopeNeeded(Exception):  # noqa: N818
    """The token may not be used for this; the message names the scope."""


def desk_of(request: Request) -> Desk:
    """The desk behind the API."""
    desk: Desk = request.app.state.desk
    return desk


def caller_of(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Visitor:
    """Whose token it is. TokenNeeded for none."""
    token = credentials.credentials if credentials else ""
    caller = desk_of(request).accounts.token_visitor(token) if token else None
    if caller is None:
        raise TokenNeeded
    return caller


def _with(scope: Scope) -> object:
    def permitted(caller: Annotated[Visitor, Depends(caller_of)]) -> Visitor:
        if scope not in (caller.scopes or ()):
            raise ScopeNeeded(f"This token lacks the scope {scope}; make one that has it.")
        return caller

    return Depends(permitted)


TheDesk = Annotated[Desk, Depends(desk_of)]
Reader = Annotated[Visitor, _with("read")]
Writer = Annotated[Visitor, _with("write")]
Admin = Annotated[Visitor, _with("admin")]
