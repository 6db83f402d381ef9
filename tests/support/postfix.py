"""A Postfix of the test's own on loopback: configuration, queue and mailbox in one folder."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAEMONS = Path("/usr/lib/postfix/sbin")

MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {home}/mail.log
maillog_file_prefixes = {home}
myhostname = mail.desk.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtputf8_enable = no
alias_maps =
virtual_mailbox_domains = desk.example
virtual_mailbox_base = {home}/boxes
virtual_mailbox_maps = static:desk/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_sasl_security_options = noanonymous
smtp_sasl_tls_security_options = noanonymous
bounce_notice_recipient = postmaster@desk.example
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
{more}
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


class Postfix:
    """A running Postfix that takes mail at ``port`` and keeps that for desk.example in a Maildir."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port

    def mails(self, count: int = 1) -> list[bytes]:
        """The mail that was delivered, with CR LF line ends, once there are so many."""
        box = self.home / "boxes" / "desk" / "new"
        self.until(lambda: box.is_dir() and len(list(box.iterdir())) >= count)
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in sorted(box.iterdir())]

    def log(self) -> str:
        """What Postfix wrote down so far."""
        path = self.home / "mail.log"
        return path.read_text() if path.exists() else ""

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait; with Postfix's own log when it does not happen."""
        ends = time.monotonic() + 30
        while not happened():
            assert time.monotonic() < ends, self.log()[-4000:]
            time.sleep(0.05)


def demand() -> None:
    """Skips, saying why, where Postfix cannot be run; in CI that is a failure where it could be installed."""
    missing = "" if (DAEMONS / "master").exists() else "Postfix is not installed (apt-get install postfix)"
    if not missing and os.geteuid() != 0:
        missing = "Postfix can be started by root only"
    if not missing:
        return
    if os.environ.get("CI") == "true" and os.geteuid() == 0:
        pytest.fail(f"{missing}.")
    pytest.skip(f"{missing}: gateway and forward were not tried against a real one.")


@contextmanager
def running(**settings: str) -> Iterator[Postfix]:
    """A Postfix with these further settings of main.cf."""
    demand()
    home = Path(tempfile.mkdtemp(prefix="relaydesk-postfix-", dir="/tmp"))
    home.chmod(0o755)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    _furnish(home)
    owner = pwd.getpwnam("postfix")
    more = "\n".join(f"{name} = {value}" for name, value in settings.items())
    facts = {"home": home, "daemons": DAEMONS, "uid": owner.pw_uid, "gid": owner.pw_gid, "more": more}
    (home / "etc" / "main.cf").write_text(MAIN.format(**facts))
    (home / "etc" / "master.cf").write_text(MASTER.format(port=port))
    postfix = Postfix(home, port)
    # Not by `postfix start`, which looks the whole system over for two seconds.
    master = subprocess.Popen(
        [DAEMONS / "master", "-c", home / "etc"],
        cwd=home / "queue",
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "MAIL_CONFIG": str(home / "etc")},
        start_new_session=True,
    )
    try:
        postfix.until(lambda: _listens(port))
        yield postfix
    finally:
        master.terminate()  # it ends its whole process group
        master.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def _furnish(home: Path) -> None:
    """The folders of a Postfix, as its own post-install script makes them."""
    for name in ("etc", "queue", "queue/pid"):
        (home / name).mkdir()
    for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
                 "saved", "trace"):  # fmt: skip
        _own(home / "queue" / name, 0o700, "postfix")
    _own(home / "queue" / "public", 0o710, "postdrop")
    _own(home / "queue" / "maildrop", 0o1730, "postdrop")
    for name in ("data", "boxes"):
        _own(home / name, 0o700, "postfix")


def _own(folder: Path, mode: int, group: str) -> None:
    folder.mkdir()
    os.chown(folder, pwd.getpwnam("postfix").pw_uid, grp.getgrnam(group).gr_gid)
    folder.chmod(mode)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
