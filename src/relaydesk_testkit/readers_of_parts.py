"""What reads the pieces of a session and of a message: command lines, fields, structure, encodings, texts."""

from __future__ import annotations

from functools import partial

from relaydesk.bounces import sealed_by_us
from relaydesk.message import (
    addresses,
    charsets,
    colours,
    content_type,
    domain_name,
    headers,
    html,
    html_charset,
    index_words,
    markup,
    normal_address,
    parts,
    plain_address,
    query_words,
    quote_elements,
    quotes,
    signed,
    styles,
    text_forms,
    transfer_encoding,
)
from relaydesk.message.flowed import unflowed
from relaydesk.smtpd import Limits
from relaydesk.smtpd.data_reader import DataReader, read_flaw
from relaydesk.smtpd.paths import parse_helo, parse_mail, parse_rcpt
from relaydesk.smtpd.xclient import read as read_xclient
from relaydesk_testkit import shapes as of
from relaydesk_testkit.reader import MESSAGE, Reader, each

SECRET = b"s" * 32

_LABELS = (
    "",
    "utf-8",
    "iso-2022-jp",
    "shift_jis",
    "gb18030",
    "big5",
    "utf-16",
    "utf-7",
    "hz",
    "iso-2022-kr",
    "euc-jp",
)


def _data(raw: bytes) -> None:
    for step in (len(raw), 1 << 16, 997):
        reader = DataReader(Limits())
        for start in range(0, len(raw), step or 1):
            reader.feed(raw[start : start + step])
        reader.content()
    read_flaw(raw, Limits())


READERS: dict[str, Reader] = {
    # The command lines of an SMTP session.
    "smtpd.paths": Reader(
        each(
            parse_helo,
            lambda text: parse_mail(f"FROM:<{text}", extended=True),
            lambda text: parse_mail(f"FROM:<a@b.example> {text}", extended=True),
            lambda text: parse_mail(text, extended=True),
            lambda text: parse_rcpt(f"TO:<{text}>", utf8=True),
        ),
        of.PATHS,
        2048,
        65_536,
        text=True,
    ),
    "smtpd.xclient": Reader(
        each(read_xclient, lambda text: read_xclient(f"NAME={text}")), of.PATHS, 2048, 65_536, text=True
    ),
    "smtpd.data_reader": Reader(
        _data, (*of.MIME, ".", "\r\n.\r\n", "\r\r\n", "Received: from a\r\n"), MESSAGE, 1 << 16
    ),
    # The header section.
    "message.headers": Reader(
        each(
            headers.header_section,
            headers.header_fields,
            headers.start_of,
            lambda raw: headers.header_values(raw, "to"),
        ),
        (*of.HEADER, "From a\n", "a: b\r\n", "Content-Type:", "\r\n\r\n", "x y\r\nContent-Type: a\r\n", "--"),
        MESSAGE,
        65_536,
    ),
    "message.addresses of From": Reader(lambda raw: addresses.mailboxes([raw], []), of.HEADER, 8_192, 8_192),
    "message.addresses of ids and dates": Reader(
        each(lambda raw: addresses.message_ids([raw]), addresses.date),
        (*of.HEADER, "Mon, ", "1 Jan 2026 ", "+0000", "1"),
        8_192,
        8_192,
    ),
    "message.addresses of one": Reader(
        each(
            domain_name,
            plain_address,
            normal_address,
            addresses.split_address,
            addresses.domain_of,
            lambda text: sealed_by_us(SECRET, text),
        ),
        of.PATHS,
        8_192,
        8_192,
        text=True,
    ),
    "message.charsets of a field": Reader(
        each(charsets.decode, charsets.charset_of_words), of.HEADER, 65_536
    ),
    "message.content_type": Reader(
        each(
            lambda raw: content_type.described([("Content-Type", raw)], "text/plain"),
            lambda raw: content_type.described([("Content-Type", b"multipart/mixed; " + raw)], "text/plain"),
            lambda raw: content_type.described(
                [
                    ("Content-Disposition", b"attachment; " + raw),
                    ("Content-Transfer-Encoding", raw),
                    ("Content-ID", raw),
                ],
                "a/b",
            ),
        ),
        of.PARAMETERS,
        8_192,
        8_192,
    ),
    # The structure and the encodings of a body.
    "message.parts": Reader(
        lambda raw: parts.message_parts(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + raw, []),
        of.MIME,
        MESSAGE,
        1 << 17,
    ),
    "message.parts, which name no delimiter": Reader(
        lambda raw: parts.message_parts(b"Content-Type: multipart/mixed\r\n\r\n" + raw, []),
        of.MIME,
        MESSAGE,
        1 << 17,
    ),
    "message.transfer_encoding": Reader(
        each(
            *(
                lambda raw, name=name: transfer_encoding.undone(raw, name, is_text=True)
                for name in ("base64", "quotedprintable", "uuencode")
            ),
            lambda raw: transfer_encoding.undone(b"begin 644 a\n" + raw, "uuencode", is_text=True),
            transfer_encoding.without_uuencoded,
            transfer_encoding.uu_name,
        ),
        of.ENCODED,
        MESSAGE,
        1 << 16,
    ),
    "message.transfer_encoding of much base64": Reader(
        lambda raw: transfer_encoding.large_base64(memoryview(raw)), of.ENCODED, MESSAGE, 1 << 16
    ),
    **{
        f"message.charsets of {charset or 'no label'}": Reader(
            partial(charsets.to_text, charset=charset, otherwise="koi8-r"),
            of.CHARSETS,
            1 << 20,
            1 << 12,
        )
        for charset in _LABELS
    },
    "message.html_charset": Reader(
        html_charset, (*of.TAGS, "<meta charset=", "charset=", "<?xml encoding="), 4_096, 65_536
    ),
    "message.signed": Reader(
        each(
            signed.signed_content,
            lambda raw: signed.signed_content(b"0\x80\x06\x09*\x86H\x86\xf7\r\x01\x07\x02\xa0\x80" + raw),
        ),
        (
            "0\u0080",
            "0\x80",
            "$\x80",
            "\x04\x01a",
            "\x04\x00",
            "\0\0",
            "\x31\x00",
            "\xa0\x80",
            "\x06\x01a",
            "\x02\x01\x01",
        ),
        MESSAGE,
        65_536,
    ),
    # Texts.
    "message.flowed": Reader(
        lambda text: unflowed(text, delete_space=True), of.LINES, 1 << 20, 1 << 16, text=True
    ),
    "message.text_forms": Reader(
        each(
            text_forms.calendar_text,
            lambda text: text_forms.calendar_text(f"BEGIN:VEVENT\n{text}"),
            text_forms.enriched_text,
            text_forms.rtf_text,
        ),
        of.FORMS,
        1 << 20,
        1 << 13,
        text=True,
    ),
    "message.quotes": Reader(quotes.passages, of.LINES, 1 << 18, 1 << 13, text=True),
    "message.words": Reader(
        each(lambda text: index_words([text]), query_words), of.LINES, 1 << 18, 1 << 13, text=True
    ),
    "message.html": Reader(html.read, (*of.TAGS, "<style>.a{b:c}</style>"), 1 << 18, 1 << 13, text=True),
    "message.markup": Reader(
        each(markup.rewritten, markup.attributes_of), of.TAGS, 1 << 18, 1 << 14, text=True
    ),
    "message.styles": Reader(
        each(
            styles.declarations,
            lambda text: styles.Sheet([f"<style>{text}"]),
            lambda text: styles.visibility("p", {"style": text}, styles.Sheet([])),
            lambda text: styles.visibility(
                "p", {"class": text, "id": text}, styles.Sheet([">.a{b:c} #b{c:d} a{e:f}"])
            ),
            *(
                lambda text, name=name: styles.visibility("p", {"style": f"{name}:{text}"}, styles.Sheet([]))
                for name in (
                    "transform",
                    "clip-path",
                    "font",
                    "color",
                    "background",
                    "opacity",
                    "text-indent",
                    "height",
                )
            ),
            colours.colour_of,
            colours.share,
            lambda text: quote_elements.quotation_of("p", {"id": text, "class": text, "style": text}),
        ),
        of.STYLES,
        65_536,
        16_384,
        text=True,
    ),
}
