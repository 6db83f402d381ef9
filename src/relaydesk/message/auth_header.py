"""The report as the value of an Authentication-Results header (RFC 8601)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relaydesk.message.charsets import printable

if TYPE_CHECKING:
    from relaydesk.message.auth_results import AuthResults

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+./^_`{|}~-]+")  # RFC 2045 §5.1 without what would end a value


def authentication_results(report: AuthResults, authserv_id: str) -> str:
    """One unfolded line: ``mx.shop.example; spf=pass smtp.mailfrom=…; dkim=…; dmarc=…``.

    Domains only, no local parts. Foreign text is made printable, so it can break neither line nor syntax.
    """
    spf, dmarc = report.spf, report.dmarc
    scope = "smtp.helo" if spf.identity == "helo" else "smtp.mailfrom"
    parts = [_method("spf", spf.result, spf.reason, {scope: spf.domain})]
    for one in report.dkim:
        # RFC 6008 §4: at least eight characters of b= tell signatures of one domain apart.
        properties = {"header.d": one.domain, "header.s": one.selector, "header.b": one.b[:8]}
        parts.append(_method("dkim", one.result, one.reason, properties))
    if not report.dkim:
        parts.append("dkim=none")
    parts.append(_method("dmarc", dmarc.result, dmarc.reason, {"header.from": dmarc.from_domain}))
    return "; ".join([_value(authserv_id), *parts])


def _method(name: str, result: str, reason: str, properties: dict[str, str]) -> str:
    said = {} if result == "pass" or not reason else {"reason": reason}
    filled = {key: value for key, value in (said | properties).items() if value}
    return " ".join([f"{name}={result}", *(f"{key}={_value(text)}" for key, text in filled.items())])


def _value(text: str) -> str:
    if _TOKEN.fullmatch(text):
        return text
    quoted = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
