"""Every reader that foreign bytes reach, by name.

A message, a header field, a command line, a DNS record, a help desk's answer, a file of the shop's. What is
larger than a reader's ``cap`` never reaches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaydesk_testkit import readers_of_answers, readers_of_mail, readers_of_parts

if TYPE_CHECKING:
    from relaydesk_testkit.reader import Reader

READERS: dict[str, Reader] = readers_of_parts.READERS | readers_of_mail.READERS | readers_of_answers.READERS


# Texts that lead to what random sentences of the tokens do not.
SAMPLES: dict[str, tuple[str, ...]] = {
    "message.charsets of iso-2022-jp": ("\x1b$(D0!\x1b(B", "\x1b$B0!\x1b(B"),
    "message.charsets of euc-jp": ("\udcad\udca1", "\udc8f\udcb0\udca1"),
    "message.styles": ("rgb(1,2,3)", "a:hover{color:red}", "hsl(0 0% 0%)"),
    "message.signed": (
        "\u0002\x01\x011\0000\udc80\x06\x01a\udca0\udc80$\udc80\x04\x01a\0\0",
        "\x30\udc80\x02\x01\x011\udc80\0\0000\udc80\x06\x01a\udca0\udc80$\udc80\x04\x01a\0\0",
    ),
    "message.quotes": (
        "a\nb <a@b.example>\n1.2.2025 14:03 wrote:\n> a\n",
        "Hi\nOn 1 May 2025\nAlice wrote:\n> a",
    ),
    "a message's text": (
        "Order number:\r\n1234567890123456\r\nReason for contact: Return\r\nCase number: 12345678901\r\n",
        "On 1 May 2025 at 14:03,\r\nAlice A <a@b.example>\r\nwrote:\r\n> a\r\n",
        "order 1234567890123456 case 12345678901",
        "Order number: 1234 5678 9012 3456\r\nCase number: 12345678901\r\n",
        "Hello\r\n\r\nalice wrote:\r\n\r\nWhere is it?\r\n",
    ),
    "a message's HTML": (
        "<img src='cid:a'><script>x</script><a href='https://a.example/x'>y</a>",
        "<a href='https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.facebook.com%2Forders%2F1'>y</a>",
    ),
    "a bounce": ("The message could not be delivered to <case++abcdefghij@support.instagram.com>\r\n",),
    "a bounce's report": ("\r\n--b--\r\n",),
    "gateway.html": (
        "<img src='data:image/png;base64,YQ=='><a href='https://l.example/?redirect=https://x.example/'>y</a>",
        "<a href='https://email.shop.example/c/?url=https%3A%2F%2Fx.example'>y</a>",
    ),
    "gateway.submission of HTML": ("<!DOCTYPE html><br/><meta charset=utf-8><img src='cid:a'>",),
    "gateway.submission of files": (
        "--b\r\nContent-Type: text/html\r\n\r\n<img src='cid:a'>\r\n"
        "--b\r\nContent-ID: <a>\r\nContent-Type: image/png; name=a\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Type: text/plain; charset=x\r\n\r\n\udcff\r\n--b--\r\n",
    ),
    "policy.origin": ("from a (a [198.51.100.1]) by b with ESMTP id c",),
    "a message's parts": (
        "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: text/html\r\n\r\ny\r\n--b--\r\n",
        "--b\r\nContent-ID: <a>\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n",
    ),
    "mailauth.spf": ("ptr:a.example -all",),
    "mailauth": (
        "exists:%{p}.a.example -all",
        "exists:%{d1r-}.a.example exp=a.example -all",
        "ptr -all",
        "psd=y; np=reject; sp=none",
    ),
    "mailauth.dkim": (
        "v=1; a=rsa-sha256; c=relaxed/simple; d=b.example; s=s; t=1; x=2; h=from; bh=AAAA; b=AAAA",
    ),
    "smtpd.xclient": ("ADDR=192.0.2.1",),
    "orders of CSV": ('order_id,a\n1,"x"y\n',),
    "orders of JSON": ('{"data":[{"order_id":"1234567890123","items":"a x 1"}]}',),
    "orders' cells": (
        "2026-01-01T10:00:00Z",
        "a x 1 @ 2; b",
        '[{"id":"1","quantity":"1"}]',
        "1",
        "USD",
        "yes",
        "a@b.example",
    ),
}
