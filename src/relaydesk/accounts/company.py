"""Signing in with the company's account: OpenID Connect, the code flow with PKCE (RFC 7636).

What the provider says counts only when its token is signed by its keys, for us, for this one visit, and now.
"""

from __future__ import annotations

import hmac
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client import OpenIDMixin
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core.claims import InvalidClaimError

from relaydesk.accounts.tokens import token_text

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 10.0  # for each step of a request to the provider
METADATA_SECONDS = 3600.0
SCOPE = "openid profile email"
# No shared secret can sign for the provider, and "none" signs nothing.
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
# What is wrong with a signed token has one base class, in a library that authlib brings along.
TOKEN_ERRORS: tuple[type[Exception], ...] = tuple(
    base for base in InvalidClaimError.__mro__ if base.__name__ == "JoseError"
)


class CompanyRefusal(Exception):  # noqa: N818 - a verdict
    """The company's account lets nobody in this time; the text is a sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class CompanyVisit:
    """What a browser keeps while it is at the provider. ``address`` is where it is sent."""

    address: str
    state: str
    nonce: str
    verifier: str


class CompanyAccounts:
    """One provider: its address (``issuer``), what it knows us by, and the claim that names an agent."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        claim: str,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = issuer.rstrip("/"), client_id, client_secret
        self.claim, self._ticks = claim, ticks
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._lock = threading.Lock()

    def visit(self, back: str, chance: Callable[[int], bytes]) -> CompanyVisit:
        """Begins: ``back`` is our address that the provider sends the browser back to. CompanyRefusal."""
        state, nonce, verifier = (token_text(chance) for _ in range(3))
        metadata = self._read_metadata()
        with self._session(back) as session:
            address, _ = session.create_authorization_url(
                metadata["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return CompanyVisit(address, state, nonce, verifier)

    def name(self, back: str, visit: CompanyVisit, *, state: str, code: str) -> str:
        """The name that the provider gives who came back with this state and code. CompanyRefusal."""
        if not visit.state or not hmac.compare_digest(visit.state.encode(), state.encode("utf-8", "replace")):
            raise CompanyRefusal("This sign-in was begun elsewhere or too long ago; begin again.")
        metadata = self._read_metadata()
        try:
            with self._session(back) as session:
                token = session.fetch_token(
                    metadata["token_endpoint"],
                    code=code,
                    grant_type="authorization_code",
                    code_verifier=visit.verifier,
                )
            claims = _Provider(self._client[1], metadata).parse_id_token(token, visit.nonce, self._wanted())
        except (
            httpx2.HTTPError,
            *TOKEN_ERRORS,
            AuthlibBaseError,
            RuntimeError,
            ValueError,
            KeyError,
        ) as error:
            raise CompanyRefusal(
                "The company's account did not confirm who you are; begin again, or sign in with a password."
            ) from error
        name = (claims or {}).get(self.claim)
        if not isinstance(name, str) or not name:
            raise CompanyRefusal(
                f"Your company account has no {self.claim}; ask whoever runs it, or sign in with a password."
            )
        if self.claim == "email" and claims.get("email_verified") is not True:
            raise CompanyRefusal(
                "The email address of your company account is not confirmed; confirm it there first."
            )
        return name

    def _wanted(self) -> dict[str, dict[str, object]]:
        issuer, client_id, _ = self._client
        return {
            "iss": {"essential": True, "values": [issuer, f"{issuer}/"]},
            "aud": {"essential": True, "value": client_id},
            "exp": {"essential": True},
            "nonce": {"essential": True},
        }

    def _read_metadata(self) -> dict[str, Any]:
        """What the provider publishes about itself (OpenID Connect Discovery 1.0 §4), an hour old at most."""
        with self._lock:
            if self._metadata is None or self._ticks() - self._metadata[0] > METADATA_SECONDS:
                self._metadata = self._ticks(), self._published()
            return self._metadata[1]

    def _published(self) -> dict[str, Any]:
        issuer = self._client[0]
        try:
            with httpx2.Client(timeout=SECONDS) as client:
                reply = client.get(f"{issuer}/.well-known/openid-configuration").raise_for_status()
            metadata: dict[str, Any] = reply.json()
            ours = str(metadata["issuer"]).rstrip("/") == issuer
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                ours = ours and str(metadata[name]).startswith(("https://", f"{issuer}/"))
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            raise CompanyRefusal(
                "The company's sign-in cannot be reached just now; try again, or sign in with a password."
            ) from error
        if not ours:
            raise CompanyRefusal(
                "The company's sign-in answers with another name than the setting oidc_issuer; tell an admin."
            )
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [name for name in SIGNATURES if name in offered]
        return metadata

    def _session(self, back: str) -> Any:
        _, client_id, client_secret = self._client
        return OAuth2Client(
            client_id=client_id,
            client_secret=client_secret,
            scope=SCOPE,
            redirect_uri=back,
            code_challenge_method="S256",
            timeout=SECONDS,
        )


class _Keys(httpx2.Client):
    """Fetches the provider's keys; authlib asks as its own clients are asked."""

    def request(self, method: Any, url: Any, *, withhold_token: bool = True, **named: Any) -> Any:
        return super().request(method, url, **named)


class _Provider(OpenIDMixin):  # type: ignore[misc]
    """authlib's reader of signed tokens, over what the provider publishes."""

    def __init__(self, client_id: str, metadata: dict[str, Any]) -> None:
        self.client_id, self.server_metadata = client_id, metadata

    def load_server_metadata(self) -> dict[str, Any]:
        return self.server_metadata

    def _get_session(self) -> httpx2.Client:
        return _Keys(timeout=SECONDS)
