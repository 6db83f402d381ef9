"""Who writes notifications: the names that mail servers sign them with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relaydesk.bounces.words import folded, holds, phrases

if TYPE_CHECKING:
    from relaydesk.message import Message

_LETTERS = re.compile(r"[^a-z]+")
_LOCAL_PARTS = frozenset((
    "mailerdaemon", "mailerdeamon", "maildaemon", "maildeamon", "mdaemon", "daemon", "smtpdaemon",
    "postmaster", "maildeliverysystem", "maildeliverysubsystem", "maildelivery", "deliverysystem",
    "systemadministrator",
))  # fmt: skip
_LOCAL_PART_BEGINS = ("mailer-daemon", "mailer_daemon", "mailerdaemon", "postmaster-", "microsoftexchange")
_SERVICE_MARK = "X-Amz-Sns-Message-Id"  # Amazon SES by way of SNS: the notification is JSON
_DISPLAY_NAMES = phrases("""
mailer-daemon | mailer daemon | mailerdaemon | mail daemon | mail-daemon | mail delivery s
mail delivery fail | mail delivery agent | delivery subsystem | mail administrator | system administrator
systemadministrator | e-mail administrator | mail system | email system | mail router
internet mail delivery | postmaster | mail transfer | smtp mail service | smtp server | mail gateway
mail server | mailserver | bounce handler | non-delivery | returned mail | undeliverable
aws notifications | interscan | content-filter
administrateur système | administrateur du système | administrador del sistema | administrador do sistema
amministratore di sistema | amministratore sistema | systeembeheerder | systemadministratör
administrator systemu | системный администратор | メール配信 | 系统管理员 | 系統管理員 | 시스템 관리자
""")


def from_daemon(message: Message) -> bool:
    """Whether From names a mail server: by local part, by display name, or by naming nobody at all."""
    written = message.header("From") or ""
    if not written.strip() or "<>" in written.replace(" ", "") or message.header(_SERVICE_MARK):
        return True
    if any(daemon_address(sender.local) for sender in message.from_):
        return True
    if not message.from_ and daemon_address(written.partition("<")[2].strip(" >") or written):
        return True
    words = [word for word in written.split() if "@" not in word]
    return holds(folded(" ".join(words)), _DISPLAY_NAMES)


def daemon_address(local: str) -> bool:
    """Whether a local part (or an address without a domain) is a daemon's; not if it only ends so."""
    name = local.partition("@")[0].lower()
    return _LETTERS.sub("", name) in _LOCAL_PARTS or name.strip(' "').startswith(_LOCAL_PART_BEGINS)
