"""Pictures of the desk's pages, at two sizes and in both colours: ``bench/pictures.py FOLDER [PAGE…]``.

A full desk on a database of its own, at a moment that stands still, seen in a real browser. A PAGE is a path,
such as /queues/case; ``/tickets/@mug.collector`` is the ticket of that buyer, ``/tickets/@claim`` the first
of that kind. ``--docs`` takes those of docs/desk.md, ``--demo`` the README's, of a running demo.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk.store.engine import Store
from relaydesk.store.lists import TicketFilter
from relaydesk_testkit.full_desk import MORNING, full_desk
from relaydesk_testkit.pages import DeskPages, chromium, signed_in
from relaydesk_testkit.past import fill, turned_away

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from relaydesk.desk.desk import Desk

SIZES = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True},
}
PAGES = ("/", "/queues/case", "/tickets/@mug.collector")
OF_DOCS = {  # by name: who looks, and at what
    "queue": ("day.agent", "/queues/case"),
    "ticket": ("day.agent", "/tickets/@mug.collector"),
    "claim": ("day.agent", "/tickets/@claim"),
    "report": ("desk.lead", "/report"),
    "rules": ("shop.admin", "/admin/rules"),
}
OF_DEMO = {"demo-queue": "/", "demo-ticket": "/search?q=carla", "demo-report": "/report"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*", default=PAGES)
    parser.add_argument("--agent", default="day.agent")
    parser.add_argument("--size", action="append", choices=SIZES)
    parser.add_argument("--past", type=int, default=0, help="so many tickets of the two months before")
    parser.add_argument("--height", type=int, help="of the window, in pixels")
    parser.add_argument("--whole", action="store_true", help="the whole page, not only what fits")
    parser.add_argument("--docs", action="store_true", help="the pictures of docs/desk.md")
    parser.add_argument("--demo", action="store_true", help="the README's pictures")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.demo:
        _take_demo(options.folder)
        return
    wanted = OF_DOCS if options.docs else {_name(path): (options.agent, path) for path in options.pages}
    past = options.past or (400 if options.docs else 0)
    with _desk(past) as pages, pages.served() as address, chromium() as browser:
        for size in options.size or SIZES:
            for name, (agent, path) in wanted.items():
                page = _open(browser, address, pages.token(agent), size, options.height)
                page.goto(_address(pages.desk, path))
                _take(page, options.folder / f"{name}-{size}.png", whole=options.whole)
                page.context.close()


@contextmanager
def _desk(past: int) -> Iterator[DeskPages]:
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(f"sqlite:///{place}/relaydesk.db", upgrade=True)
        pages = DeskPages(full_desk(store))
        if past:
            since = MORNING - timedelta(days=60)
            fill(store, past, since=since, until=MORNING, first=10_000)
            turned_away(store, [since + timedelta(days=day) for day in range(60)])
        yield pages
        store.close()


def _take_demo(folder: Path) -> None:
    """Of the demo as a visitor finds it, let in by the link that it prints."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "relaydesk", "demo"]
        with (
            subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) as demo,
            chromium() as browser,
        ):
            assert demo.stdout is not None
            link = next(
                line.split()[0] for line in demo.stdout if line.strip().startswith("http://127.0.0.1:")
            )
            try:
                page = browser.new_context(**SIZES["light"]).new_page()  # type: ignore[arg-type]
                page.goto(link)
                for colours in ("light", "dark"):
                    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
                    for name, path in OF_DEMO.items():
                        page.goto(link.partition("/enter")[0] + path)
                        if name == "demo-ticket":
                            page.locator(".row .who a").first.click()
                            page.locator("#thread").wait_for()
                        _take(page, folder / f"{name}-{colours}.png")
            finally:
                demo.send_signal(signal.SIGINT)
                demo.stdout.read()


def _open(browser: Browser, address: str, token: str, size: str, height: int | None) -> Page:
    how = SIZES[size]
    if height:
        how = {**how, "viewport": {**how["viewport"], "height": height}}  # type: ignore[dict-item]
    page = signed_in(browser, address, token, **how).new_page()
    page.on("console", lambda message: print("console:", message.text) if message.type == "error" else None)
    return page


def _take(page: Page, file: Path, *, whole: bool = False) -> None:
    page.wait_for_timeout(300)  # what comes in with news
    page.screenshot(path=file, full_page=whole)
    print(file)


def _address(desk: Desk, path: str) -> str:
    head, _, named = path.partition("@")
    if not named:
        return path
    named, slash, rest = named.partition("/")
    rows = desk.queues.page(TicketFilter(), limit=200).tickets
    return head + next(str(row.id) for row in rows if named in (row.username, row.kind)) + slash + rest


def _name(path: str) -> str:
    return path.strip("/").replace("/", "-").replace("@", "").replace("?", "-").replace("&", "-") or "all"


if __name__ == "__main__":
    main()
