"""The arguments of HELO, MAIL and RCPT, checked strictly (RFC 5321 §4.1.2, RFC 6531 §3.3).

Two limits of the RFC are left out on purpose. The 64 octets of a local part: forwarders that rewrite the
sender (SRS, VERP) exceed them daily. And the underscore in a domain, which real bounce domains have.
Source routes, which RFC 5321 §3.3 lets a server decline, are declined.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from relaydesk.message import MAX_ADDRESS, canonical_ip, domain_name

# Letters beyond ASCII may stand in all of these, so each class names what of ASCII may not: Python takes
# 30 ms to compile the same classes with all of Unicode in them.
_ATOM = r'[^\x00-\x20"(),.:;<>@\[\\\]\x7f]+'
_QUOTED = r'"(?:[^\x00-\x1f"\\\x7f]|\\[ -~])*"'
_ALNUM = r"[^\x00-/:-@\[-^`{-\x7f]"  # or an underscore
_LABEL = rf"{_ALNUM}(?:[^\x00-,./:-@\[-^`{{-\x7f]{{0,61}}{_ALNUM})?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_LITERAL = r"\[(?P<literal>[0-9A-Za-z:.]{3,51})\]"
_MAILBOX = re.compile(rf"(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:(?P<domain>{_DOMAIN})|{_LITERAL})")
_PATH = re.compile(r'<((?:"(?:[^"\\]++|\\.)*+"|[^<>"]++)*+)>(?: ++(.*+))?')
_HELO = re.compile(rf"(?:{_DOMAIN}\.?|\[[0-9A-Za-z:.-]{{3,253}}\])")
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870 §3
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~]+))?")


class PathError(ValueError):
    """The argument is malformed; ``reply`` names the reply it gets."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class MailArgument:
    """What ``MAIL FROM:<…>`` said: ``address`` is "" for the null sender, ``size`` 0 when not declared."""

    address: str
    size: int = 0
    utf8: bool = False


def parse_helo(argument: str) -> str:
    """The name of HELO or EHLO: a domain or an address literal. PathError otherwise."""
    if not argument.isascii() or not _HELO.fullmatch(argument) or len(argument) > MAX_ADDRESS:
        raise PathError("syntax")
    return argument


def parse_mail(argument: str, *, extended: bool) -> MailArgument:
    """Read ``FROM:<path> [parameters]``; parameters only after EHLO. PathError names the reply."""
    path, parameters = _split(argument, "FROM:", "bad_sender")
    if parameters and not extended:
        raise PathError("unknown_parameter")
    size = 0
    utf8 = False
    for key, value in parameters.items():
        if key == "SIZE" and value is not None and _SIZE.fullmatch(value):
            size = int(value)
        elif key == "BODY" and (value or "").upper() in ("7BIT", "8BITMIME"):
            pass  # the data is taken as it comes in both cases (RFC 6152)
        elif key == "SMTPUTF8" and value is None:
            utf8 = True
        else:
            raise PathError("syntax" if key in ("SIZE", "BODY", "SMTPUTF8") else "unknown_parameter")
    if path:
        _check(path, "bad_sender", utf8=utf8)
    return MailArgument(path, size, utf8)


def parse_rcpt(argument: str, *, utf8: bool) -> str:
    """Read ``TO:<path>``; ``utf8`` says whether MAIL asked for SMTPUTF8. No parameters are known."""
    path, parameters = _split(argument, "TO:", "bad_recipient")
    if parameters:
        raise PathError("unknown_parameter")
    if path.lower() != "postmaster":  # RFC 5321 §4.1.1.3: the one name without a domain
        _check(path, "bad_recipient", utf8=utf8)
    return path


def _split(argument: str, keyword: str, bad: str) -> tuple[str, dict[str, str | None]]:
    if argument[: len(keyword)].upper() != keyword:
        raise PathError("syntax")
    match = _PATH.fullmatch(argument[len(keyword) :].strip(" "))
    if match is None:
        raise PathError(bad)
    parameters: dict[str, str | None] = {}
    for word in (match[2] or "").split():
        parameter = _PARAMETER.fullmatch(word)
        if parameter is None or parameter[1].upper() in parameters:
            raise PathError("syntax")
        parameters[parameter[1].upper()] = parameter[2]
    return match[1], parameters


def _check(path: str, bad: str, *, utf8: bool) -> None:
    mailbox = _MAILBOX.fullmatch(path)
    if mailbox is None or not path.isprintable() or len(path.encode("utf-8", "replace")) > MAX_ADDRESS:
        raise PathError(bad)
    if mailbox["literal"] and canonical_ip(re.sub("(?i)^IPv6:", "", mailbox["literal"])) is None:
        raise PathError(bad)
    if not path.isascii() and not utf8:
        raise PathError("needs_smtputf8")
    if mailbox["domain"] and not mailbox["domain"].isascii() and domain_name(mailbox["domain"]) is None:
        raise PathError(bad)  # no U-label (RFC 6531 §3.3): a look-alike of another name
