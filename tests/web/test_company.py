"""Signing in with the company's account, at a provider of our own on loopback that can be made to lie."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from werkzeug import Response

from relaydesk.config.settings import Settings
from relaydesk.desk.permissions import CONSOLE
from relaydesk.web.cookies import COOKIE, VISIT_COOKIE
from relaydesk_testkit.full_desk import SETTINGS, staffed_desk
from relaydesk_testkit.pages import DeskPages

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer
    from starlette.testclient import TestClient
    from werkzeug import Request

    from relaydesk.store.engine import Store

OURS = "https://desk.shop.example"
KEY = RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256", "use": "sig"})


class Provider:
    """What the provider says: ``claims`` over the right ones (None takes one away), signed by ``key``."""

    def __init__(self, server: HTTPServer) -> None:
        self.issuer = server.url_for("").rstrip("/")
        self.claims: dict[str, Any] = {}
        self.published: dict[str, Any] = {}
        self.key: Any = KEY
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "1"}
        self.asked: dict[str, str] = {}
        self.exchanged: list[dict[str, str]] = []
        server.expect_request("/.well-known/openid-configuration").respond_with_handler(self._metadata)
        server.expect_request("/keys").respond_with_json({"keys": [KEY.as_dict(private=False)]})
        server.expect_request("/token", method="POST").respond_with_handler(self._token)

    def _metadata(self, _: Request) -> Response:
        import json

        metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        return Response(json.dumps(metadata | self.published), mimetype="application/json")

    def _token(self, request: Request) -> Response:
        import json

        form = {name: request.form[name] for name in request.form}
        self.exchanged.append(form)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        login = request.authorization
        if (
            challenge != self.asked["code_challenge"]
            or form["code"] != "the-code"
            or login is None
            or (login.username, login.password) != ("desk", "hush-hush")
        ):
            return Response(json.dumps({"error": "invalid_grant"}), 400, mimetype="application/json")
        answer = {"access_token": "opaque", "token_type": "Bearer", "id_token": self._id_token()}
        return Response(json.dumps(answer), mimetype="application/json")

    def _id_token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "desk",
            "sub": "4711",
            "iat": now,
            "exp": now + 300,
            "nonce": self.asked["nonce"],
            "email": "day@shop.example",
            "email_verified": True,
            "preferred_username": "day.agent",
        }
        said = {name: value for name, value in (claims | self.claims).items() if value is not None}
        if self.header["alg"] == "none":
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
            import json

            body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
            return f"{head}.{body}."
        return jwt.encode(self.header, said, self.key, algorithms=["RS256", "HS256"])


@pytest.fixture
def provider(httpserver: HTTPServer) -> Provider:
    return Provider(httpserver)


def pages_with(store: Store, provider: Provider, claim: str = "email") -> DeskPages:
    settings = Settings.model_validate(
        {
            **SETTINGS.model_dump(exclude_unset=True),
            "web_address": OURS,
            "oidc_issuer": provider.issuer,
            "oidc_client_id": "desk",
            "oidc_client_secret": "hush-hush",
            "oidc_claim": claim,
        }
    )
    desk = staffed_desk(store, settings=settings)
    desk.agents.change("day.agent", email="Day@shop.example", by=CONSOLE)
    return DeskPages(desk, address=OURS)


def visited(pages: DeskPages, provider: Provider, to: str = "") -> TestClient:
    """A browser that stands at the provider."""
    client = pages.nobody()
    client.base_url = OURS
    response = client.get("/sign-in/company", params={"to": to} if to else {})
    assert response.status_code == 303, response.text
    address = urlsplit(response.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{provider.issuer}/authorize"
    provider.asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    return client


def came_back(client: TestClient, provider: Provider, **changed: str) -> Any:
    asked = {"state": provider.asked["state"], "code": "the-code"} | changed
    return client.get("/sign-in/company/back", params={name: value for name, value in asked.items() if value})


def test_who_the_provider_names_is_signed_in_where_they_wanted_to_go(
    sqlite_store: Store, provider: Provider
) -> None:
    pages = pages_with(sqlite_store, provider)
    assert "Sign in with your company account" in pages.nobody().get("/sign-in").text
    client = visited(pages, provider, "/account")
    assert provider.asked["redirect_uri"] == f"{OURS}/sign-in/company/back"
    assert provider.asked["code_challenge_method"] == "S256"
    response = came_back(client, provider)
    assert (response.status_code, response.headers["location"]) == (303, "/account")
    page = client.get("/account").text
    assert "by company" in page
    assert "You sign in with your company account" in page
    assert pages.desk.accounts.ways()["day.agent"].way == "company account"
    assert came_back(client, provider).status_code == 403  # a visit is good once


def test_by_another_claim_the_name_must_be_an_agents(sqlite_store: Store, provider: Provider) -> None:
    pages = pages_with(sqlite_store, provider, "preferred_username")
    assert came_back(visited(pages, provider), provider).status_code == 303
    provider.claims = {"preferred_username": "day@shop.example"}  # an address is no name
    assert "no agent of that name here" in came_back(visited(pages, provider), provider).text
    provider.claims = {"preferred_username": None}
    assert "has no preferred_username" in came_back(visited(pages, provider), provider).text


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "another audience": {"claims": {"aud": "other"}},
    "several audiences, and not for us": {"claims": {"aud": ["other", "desk"], "azp": "other"}},
    "another visit": {"claims": {"nonce": "x" * 43}},
    "no visit": {"claims": {"nonce": None}},
    "expired": {"claims": {"exp": 1_700_000_000, "iat": 1_699_999_000}},
    "without an end": {"claims": {"exp": None}},
    "another key": {"key": OTHER_KEY},
    "our own secret as key": {"key": OctKey.import_key("hush-hush" * 8), "header": {"alg": "HS256"}},
    "unsigned": {"header": {"alg": "none"}},
    "an address that is not confirmed": {"claims": {"email_verified": False}},
    "an address that nobody confirmed": {"claims": {"email_verified": None}},
    "nobody we know": {"claims": {"email": "stranger@shop.example"}},
    "no name": {"claims": {"email": None}},
    "a name that is none": {"claims": {"email": ["day@shop.example"]}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_provider_that_says_anything_else_lets_nobody_in(
    sqlite_store: Store, provider: Provider, lie: str
) -> None:
    pages = pages_with(sqlite_store, provider)
    client = visited(pages, provider)
    vars(provider).update(LIES[lie])
    response = came_back(client, provider)
    assert (response.status_code, f"__Host-{COOKIE}" in response.cookies) == (403, False), lie
    assert len(pages.desk.agents.everybody()) == 6  # nor is anybody added
    assert client.get("/").status_code == 303


def test_who_did_not_begin_here_does_not_end_here(sqlite_store: Store, provider: Provider) -> None:
    pages = pages_with(sqlite_store, provider)
    for changed in ({"state": "x" * 43}, {"state": ""}, {"code": "another"}, {"error": "access_denied"}):
        response = came_back(visited(pages, provider), provider, **changed)
        assert response.status_code == 403
        assert f"__Host-{COOKIE}" not in response.cookies
    visited(pages, provider)
    stranger = pages.nobody()
    assert "begun elsewhere" in came_back(stranger, provider).text
    stranger.cookies.set(f"__Host-{VISIT_COOKIE}", "%7B%22state%22%3A1%7D")
    assert came_back(stranger, provider).status_code == 403


def test_who_is_deactivated_is_not_let_in(sqlite_store: Store, provider: Provider) -> None:
    pages = pages_with(sqlite_store, provider)
    pages.desk.agents.deactivate("day.agent", by=CONSOLE)
    assert "no agent of that name" in came_back(visited(pages, provider), provider).text


@pytest.mark.parametrize(
    "published",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"issuer": None}],
)
def test_a_provider_that_is_another_is_not_visited(
    sqlite_store: Store, provider: Provider, published: dict[str, Any]
) -> None:
    provider.published = published
    response = pages_with(sqlite_store, provider).nobody().get("/sign-in/company")
    assert (response.status_code, "oidc_issuer" in response.text) == (403, True)


def test_a_provider_that_is_away_is_said_to_be(
    sqlite_store: Store, provider: Provider, httpserver: HTTPServer
) -> None:
    pages = pages_with(sqlite_store, provider)
    httpserver.clear()
    response = pages.nobody().get("/sign-in/company")
    assert (response.status_code, "cannot be reached just now" in response.text) == (403, True)
