"""Enclosures: the bytes say what a file is, never its name."""

from __future__ import annotations

import pytest

from relaydesk.outbound.answer import AnswerRefused, AttachedFile
from relaydesk.outbound.attachments import attach_files, safe_name

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF"


def test_it_takes_labels_and_photos():
    found = attach_files([("label.pdf", PDF), ("photo.png", PNG), ("photo.jpeg", JPEG)])
    assert found == (
        AttachedFile("label.pdf", "application/pdf", PDF),
        AttachedFile("photo.png", "image/png", PNG),
        AttachedFile("photo.jpeg", "image/jpeg", JPEG),
    )


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("label.pdf", b"MZ\x90\0" + b"\0" * 60, "image/png, image/jpeg may be attached"),
        ("label.pdf", b"<html><script>alert(1)</script>", "of an unknown type"),
        ("label.pdf", b"PK\x03\x04" + b"\0" * 40, "label.pdf is application/zip"),
        ("label.pdf", b"", "is empty"),
        ("label.pdf", PDF + b"\0" * 100, "at most 100 are allowed"),
    ],
)
def test_it_refuses_what_may_not_go(name, content, told):
    with pytest.raises(AnswerRefused, match=told):
        attach_files([(name, content)], each_bytes=100)


def test_it_counts_all_together():
    files = [("a.pdf", PDF), ("b.pdf", PDF)]
    assert len(attach_files(files, total_bytes=2 * len(PDF))) == 2
    with pytest.raises(AnswerRefused, match="bytes together"):
        attach_files(files, total_bytes=2 * len(PDF) - 1)


def test_it_takes_other_types_where_the_settings_say_so():
    gif = b"GIF89a" + b"\0" * 20
    assert attach_files([("a.gif", gif)], types=("image/gif",))[0].type == "image/gif"
    with pytest.raises(AnswerRefused, match="only image/gif may be attached"):
        attach_files([("a.pdf", PDF)], types=("image/gif",))


@pytest.mark.parametrize(
    ("name", "extension", "safe"),
    [
        ("label.pdf", "pdf", "label.pdf"),
        ("LABEL.PDF", "pdf", "LABEL.PDF"),
        ("photo.JPEG", "jpg", "photo.JPEG"),
        ("photo.exe", "png", "photo.exe.png"),
        ("../../etc/passwd", "pdf", "passwd.pdf"),
        ("C:\\Labels\\one two.pdf", "pdf", "one two.pdf"),
        ('a";\r\nX: y.pdf', "pdf", "a_X_ y.pdf"),
        ("invoice\u202efdp.exe", "pdf", "invoice_fdp.exe.pdf"),
        ("Ä" * 100 + ".pdf", "pdf", "Ä" * 50 + ".pdf"),
        (".pdf", "pdf", "pdf.pdf"),
        ("", "png", "enclosure.png"),
        ("\0\ud800", "png", "enclosure.png"),
    ],
)
def test_its_names_are_safe_and_end_as_the_type_does(name, extension, safe):
    assert safe_name(name, extension) == safe
