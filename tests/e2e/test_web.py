"""The desk in a browser as the real server serves it: the first admin's way in, over https and http."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING

import httpx2
import trustme

from relaydesk_testkit.serving import Serving
from tests.support.commands import run_for

if TYPE_CHECKING:
    from pathlib import Path

PHRASE = "blue kettle tuesday rain"
OURS = {"Sec-Fetch-Site": "same-origin"}


def test_the_first_admin_comes_in_by_the_printed_link(sqlite_url: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    serving = Serving(
        tmp_path / "serve",
        sqlite_url,
        "127.0.0.1:1",
        roles=("office",),
        web=["127.0.0.1:0"],
        web_tls="true",
        web_certificate=str(chain),
        web_key=str(key),
    )
    with serving:
        assert re.fullmatch(r"https://127\.0\.0\.1:\d+", serving.web)
        added = run_for(serving, "agents", "add", "alice", "--role", "admin")
        path = re.search(r"^/enter/\S+$", added.stdout, re.MULTILINE)
        assert path is not None, added
        assert "The address of the desk is not known here" in added.stderr
        with httpx2.Client(base_url=serving.web, verify=trust, headers=OURS) as client:
            assert "Choose a password for" in client.get(path[0]).text
            response = client.post(path[0], data={"password": PHRASE, "again": PHRASE})
            assert (response.status_code, response.headers["location"]) == (303, "/")
            assert response.headers["strict-transport-security"]
            assert all(
                "; Secure" in cookie
                for cookie in response.headers.get_list("set-cookie")
                if cookie.startswith("__Host-")
            )
            assert "All open" in client.get("/").text
            listed = run_for(serving, "agents", "list", "--json").stdout
            assert '"signs_in": "password, no code yet"' in listed
            assert '"ended": 1' in run_for(serving, "agents", "sessions", "alice", "--end", "--json").stdout
            assert client.get("/").headers["location"] == "/sign-in"
        log = serving.log_file.read_text()
    assert path[0].rpartition("/")[2] not in log
    assert PHRASE not in log
