"""Attachments on disk: whatever their senders called them, they lie in the directory and replace nothing."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from relaydesk.cli.files import save_file
from relaydesk.message.file_names import LONGEST_NAME, safe_name
from relaydesk.message.message import Attachment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("photo.jpg", "photo.jpg"),
        ("Rechnung Müller.pdf", "Rechnung Müller.pdf"),
        ("荷物の写真.png", "荷物の写真.png"),
        ("../../etc/passwd", "passwd"),
        ("/etc/cron.d/job", "job"),
        ("..\\..\\Windows\\win.ini", "win.ini"),
        ("C:\\autoexec.bat", "autoexec.bat"),
        ("C:evil.exe", "C_evil.exe"),
        ("photo.jpg:stream", "photo.jpg_stream"),
        ("", "file-3"),
        (" ", "file-3"),
        (".", "file-3"),
        ("..", "file-3"),
        ("../..", "file-3"),
        ("folder/", "file-3"),
        ("???", "file-3"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("--help.txt", "help.txt"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("nul.tar.gz", "_nul.tar.gz"),
        ("Com1.log", "_Com1.log"),
        ("LPT9", "_LPT9"),
        ("console.log", "console.log"),
        ("nul\0byte.png", "nul_byte.png"),
        ("line\r\nbreak.png", "line__break.png"),
        ("\x1b]0;title\x07.png", "_]0;title_.png"),
        ("\x9b31m.png", "_31m.png"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("half \ud800.png", "half _.png"),
        ('a<b>"c|d*.txt', "a_b__c_d_.txt"),
        ("trailing. . .", "trailing"),
        ("x" * 300 + ".jpeg", "x" * (LONGEST_NAME - 5) + ".jpeg"),
        ("荷" * 200 + ".png", "荷" * 48 + ".png"),
        ("a." + "y" * 300, ("a." + "y" * 300)[:LONGEST_NAME]),
    ],
)
def test_a_name_is_made_safe(name: str, saved: str) -> None:
    assert safe_name(name, 3) == saved
    assert len(saved.encode()) <= LONGEST_NAME


def attachment(name: str, content: bytes = b"x") -> Attachment:
    return Attachment(name, "image/png", "", len(content), "", content)


def test_no_file_is_overwritten_and_no_link_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    directory = tmp_path / "files"
    directory.mkdir()
    (directory / "link.png").symlink_to(outside)
    (directory / "dangling.png").symlink_to(tmp_path / "nowhere")
    names = ["a.png", "a.png", "../a.png", "link.png", "dangling.png", "", "archive.tar.gz", "archive.tar.gz"]
    paths = [
        save_file(directory, attachment(name, name.encode()), place) for place, name in enumerate(names, 1)
    ]
    assert [path.name for path in paths] == [
        *("a.png", "a-2.png", "a-3.png", "link-2.png", "dangling-2.png", "file-6"),
        *("archive.tar.gz", "archive.tar-2.gz"),
    ]
    assert {path.parent for path in paths} == {directory}
    assert [path.read_bytes() for path in paths] == [name.encode() for name in names]
    assert outside.read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
