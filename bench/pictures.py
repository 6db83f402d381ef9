"""Pictures of the desk's pages, at two sizes and in both colours: ``bench/pictures.py FOLDER [PAGE…]``.

A full desk on a database of its own, at a moment that stands still, seen in a real browser. A PAGE is a path,
such as /queues/case; ``/tickets/@mug.collector`` is the ticket of that buyer.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from relaydesk.store.engine import Store
from relaydesk.store.lists import TicketFilter
from relaydesk_testkit.full_desk import MORNING, full_desk
from relaydesk_testkit.pages import DeskPages, chromium, signed_in
from relaydesk_testkit.past import fill, turned_away

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from relaydesk.desk.desk import Desk

SIZES = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True},
}
PAGES = ("/", "/queues/case", "/tickets/@mug.collector")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*", default=PAGES)
    parser.add_argument("--agent", default="day.agent")
    parser.add_argument("--size", action="append", choices=SIZES)
    parser.add_argument("--past", type=int, default=0, help="so many tickets of the two months before")
    parser.add_argument("--height", type=int, help="of the window, in pixels")
    parser.add_argument("--whole", action="store_true", help="the whole page, not only what fits")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(f"sqlite:///{place}/relaydesk.db", upgrade=True)
        pages = DeskPages(full_desk(store))
        if options.past:
            since, until = MORNING - timedelta(days=60), MORNING
            fill(store, options.past, since=since, until=until, first=10_000)
            turned_away(store, [since + timedelta(days=day) for day in range(60)])
        with pages.served() as address, chromium() as browser:
            for size in options.size or SIZES:
                _take(browser, address, pages, options, size)
        store.close()


def _take(browser: Browser, address: str, pages: DeskPages, options: argparse.Namespace, size: str) -> None:
    how = SIZES[size]
    if options.height:
        how = {**how, "viewport": {**how["viewport"], "height": options.height}}  # type: ignore[dict-item]
    context = signed_in(browser, address, pages.token(options.agent), **how)
    page = context.new_page()
    page.on("console", lambda message: print("console:", message.text) if message.type == "error" else None)
    for path in options.pages:
        page.goto(_address(pages.desk, path))
        page.wait_for_timeout(150)
        file = options.folder / f"{_name(path)}-{size}.png"
        page.screenshot(path=file, full_page=options.whole)
        print(file)
    context.close()


def _address(desk: Desk, path: str) -> str:
    head, _, username = path.partition("@")
    if not username:
        return path
    username, slash, rest = username.partition("/")
    rows = desk.queues.page(TicketFilter(), limit=200).tickets
    return head + next(str(row.id) for row in rows if row.username == username) + slash + rest


def _name(path: str) -> str:
    return path.strip("/").replace("/", "-").replace("@", "").replace("?", "-").replace("&", "-") or "all"


if __name__ == "__main__":
    main()
