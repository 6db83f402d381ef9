"""The pages of a desk for tests: asked in this process as an agent, or served on a port to a real browser."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.testclient import TestClient

from relaydesk.data import data_path
from relaydesk.desk.permissions import CONSOLE
from relaydesk.web.app import create_app
from relaydesk.web.config import WebConfig
from relaydesk.web.cookies import COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from playwright.sync_api import Browser, BrowserContext, Page

    from relaydesk.desk.desk import Desk

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# What is half faded in is pale; what turns for ever is not waited for.
SETTLED = """Promise.race([
  new Promise((done) => setTimeout(done, 2000)),
  Promise.allSettled(document.getAnimations().map((each) => each.finished)),
]).then(() => 0)"""
LOOKS = ["color-contrast", "link-in-text-block", "target-size"]
ARGUMENTS = (
    "--no-sandbox",  # a container's root has none
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class NoBrowser(RuntimeError):  # noqa: N818 - a state of the machine
    """There is no Chromium here; the message names the remedy."""


class DeskPages:
    """The application over a desk, and its visitors."""

    def __init__(self, desk: Desk, **config: Any) -> None:
        self.desk = desk
        usual = {"templates": data_path("templates"), "shop": "Demo Shop", "zone": desk.config.calendar.zone}
        self.app: FastAPI = create_app(desk, WebConfig(**{**usual, **config}))

    def token(self, agent: str) -> str:
        """A session of this agent."""
        return self.desk.sign_in.by_link(self.desk.accounts.link(agent, by=CONSOLE, kind="direct")).token

    def nobody(self) -> TestClient:
        """A browser in which nobody is signed in; it sends what browsers send to our own pages."""
        return TestClient(
            self.app,
            base_url="http://localhost",
            headers={"Sec-Fetch-Site": "same-origin"},
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def client(self, agent: str) -> TestClient:
        """A browser in which this agent is signed in."""
        client = self.nobody()
        client.cookies.set(COOKIE, self.token(agent))
        return client

    @contextlib.contextmanager
    def served(self) -> Iterator[str]:
        """The pages on a free port of loopback, in a thread; their address."""
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none"
        )
        server, live = uvicorn.Server(config), self.desk.presence.live
        live.start()
        thread = threading.Thread(target=server.run, name="pages", daemon=True)
        thread.start()
        until = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < until, "the pages are not served"
            time.sleep(0.01)
        try:
            yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            live.close()
            server.should_exit = True
            thread.join(10)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium of this machine. NoBrowser where there is none."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    path = next((place for name in CHROMIUM if (place := shutil.which(name))), None)
    if path is None:
        raise NoBrowser(
            "There is no Chromium on this machine, and the tests of the pages need one; on Debian: "
            "apt-get install chromium."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def signed_in(browser: Browser, address: str, token: str, **how: Any) -> BrowserContext:
    """A context of its own, as another device: nothing is shared but the desk."""
    context = browser.new_context(base_url=address, **how)
    context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
    return context


def barriers(page: Page, *, looks: bool = False) -> list[str]:
    """What axe finds against WCAG 2.2 AA on the page as it stands, each with where.

    ``looks`` asks only for what another theme or width changes, of a page that was asked about before.
    """
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    page.evaluate(SETTLED)
    everything = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    rules = {
        "runOnly": {"type": "rule", "values": LOOKS} if looks else everything,
        "resultTypes": ["violations"],  # axe says less of what it passes, and is done sooner
    }
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in Axe().run(page, options=rules).response["violations"]
        for node in violation["nodes"]
    ]


def in_ci() -> bool:
    """Whether a missing browser is a failure rather than something to say."""
    return os.environ.get("CI") == "true"
