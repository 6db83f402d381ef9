"""What a message says about its order and its buyer.

How sure a number is: ``labelled`` when a line of Meta's form announces it (:mod:`.form` says what counts),
when the Subject pattern of the matched rule captures it, or when a link path on one of Meta's hosts holds
it; else ``mentioned``. A buyer's text can imitate a line of the form or carry a link: where such sources
disagree none is sure, and the ownership rule of the decision asks the directory besides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from relaydesk.classify.findings import Candidate, NumberKind, Where
from relaydesk.classify.form import MAX_TEXT
from relaydesk.classify.patterns import first
from relaydesk.message import Address, domain_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from relaydesk.classify.form import Form, Line, Mention
    from relaydesk.classify.rules import Rules
    from relaydesk.message import Message

REASON_TEXT = 4_096
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_ORDERS: dict[str, NumberKind] = {"order": "order", "merchant_ref": "merchant_ref"}
_ADDRESS = re.compile(r"([^\s<>@\"',;:()\[\]]{1,64})@([a-z0-9.-]{1,255})", re.IGNORECASE)
_STATUS = "message/delivery-status"
_ALIKE = ("other", "case")


@dataclass(frozen=True, slots=True)
class FormText:
    """One body of a message, and the lines of Meta's form in what its sender wrote there."""

    where: Where
    text: str
    lines: tuple[Line, ...]


def bodies(message: Message, form: Form) -> tuple[FormText, ...]:
    """The bodies of a message; lines that are quoted are none of the form's."""
    return tuple(
        FormText(body.source, body.text[:MAX_TEXT], tuple(form.lines(body.own[:MAX_TEXT])))
        for body in message.bodies
    )


def candidates(
    message: Message, read: tuple[FormText, ...], rules: Rules, captured: str = ""
) -> tuple[Candidate, ...]:
    """Every number that may be an order's, one candidate for each, labelled before mentioned.

    ``captured`` is the number that the matched rule found in the Subject. Numbers that a look-alike label
    (listing, item, case…) announces anywhere are left out, unless an order label announces them too.
    """
    mentions: list[tuple[Where, Mention]] = [
        (where, mention)
        for where, text in _texts(message, read)
        for mention in rules.form.mentions(_URL.sub(" ", text))
    ]
    alike = {
        "".join(filter(str.isdigit, line.value))
        for body in read
        for line in body.lines
        if line.kind in _ALIKE
    }
    alike |= {mention.value for _, mention in mentions if mention.kind in _ALIKE}
    numbers = [Candidate(captured, "order", "subject", "order", "labelled")] if captured else []
    numbers += [
        Candidate(line.value, _ORDERS[line.kind], body.where, line.label, "labelled")
        for body in read
        for line in body.lines
        if line.kind in _ORDERS
    ]
    numbers += _linked(message.links, rules)
    for where, mention in mentions:
        if mention.value not in alike:
            number_kind = _ORDERS.get(mention.kind, "order")
            numbers.append(Candidate(mention.value, number_kind, where, mention.label, "mentioned"))
    once: dict[str, Candidate] = {}
    for candidate in numbers:
        once.setdefault(candidate.value, candidate)
    return _agreed(tuple(once.values()))


def _agreed(numbers: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Only what one source announces alone stays labelled.

    The Subject goes before the lines, and these before the links. Where lines disagree somebody has
    imitated one, and it is unknown which: then none is sure, and a person chooses.
    """
    sure: set[str] = set()
    for number_kind in _ORDERS.values():
        for places in (("subject",), ("text", "html"), ("link",)):
            named = {
                c.value
                for c in numbers
                if c.what == number_kind and c.where in places and c.sure == "labelled"
            }
            if named:
                sure |= named if len(named) == 1 else set()
                break
    return tuple(c if c.value in sure else replace(c, sure="mentioned") for c in numbers)


def _texts(message: Message, read: tuple[FormText, ...]) -> Iterator[tuple[Where, str]]:
    yield "subject", message.subject
    for body in read:
        yield body.where, body.text


def _linked(links: tuple[str, ...], rules: Rules) -> Iterator[Candidate]:
    for link in links:
        try:
            parts = urlsplit(link)
            host = (parts.hostname or "").rstrip(".")
        except ValueError:
            continue
        if not any(host == own or host.endswith("." + own) for own in rules.hosts):
            continue
        asked = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if order := first(rules.order_links, asked):
            number = order.group("order") or ""
            announced = (order.group() or "").partition(number)[0].strip("?&")
            yield Candidate(number, "order", "link", announced, "labelled")


def case_number(message: Message, read: tuple[FormText, ...], rules: Rules) -> str:
    """The case number that the text shows ("" for none): labelled in the form, else announced in prose."""
    for body in read:
        for line in body.lines:
            if line.kind == "case":
                return line.value
    for text in (message.subject, *(body.text for body in read)):
        for mention in rules.form.mentions(text):
            if mention.kind == "case" and rules.form.fits("case", mention.value):
                return mention.value
    return ""


def relay(sender: Address, rules: Rules, sender_domains: Collection[str]) -> tuple[str, str]:
    """The relay address and the case token ("" each) that the From address is, inside the sender domains.

    Whatever kind the message is: an unsorted message from a relay address can still be answered there.
    """
    if sender.domain not in sender_domains:
        return "", ""
    for rule in rules.rules:
        if rule.relay and (match := rule.sent(sender.addr, rules.roles)):
            return sender.addr, match.groupdict().get("token") or ""
    return "", ""


def failed_recipient(message: Message, rules: Rules, sender_domains: Collection[str]) -> str:
    """The relay address that a bounce notice says it could not reach ("" for none).

    Sought in the text, then in a delivery status (RFC 3464).
    """
    status = (part.content[:8_192] for part in message.attachments if part.declared_type == _STATUS)
    for text in (message.text[:MAX_TEXT], *(part.decode("utf-8", "replace") for part in status)):
        for match in _ADDRESS.finditer(text):
            domain = domain_name(match[2].rstrip(".")) or ""
            address, _ = relay(Address("", match[1], domain), rules, sender_domains)
            if address:
                return address
    return ""


def foreign_reply_to(message: Message, sender_domains: Collection[str]) -> str:
    """The first Reply-To domain outside the sender domains ("" for none). Reply-To is never followed."""
    return next((address.domain for address in message.reply_to if address.domain not in sender_domains), "")


def username(subject: str, rules: Rules) -> str:
    """The buyer's name from the Subject of a case."""
    match = first(rules.username, subject)
    return ((match.groupdict().get("username") or "").strip()[:200]) if match else ""


def contact_reason(message: Message, read: tuple[FormText, ...], rules: Rules) -> str:
    """The code of the reason for contact: from the form's line, else from Subject and start of the text."""
    stated = [line.value for body in read for line in body.lines if line.kind == "reason"]
    for text in stated or [message.subject, *(body.text[:REASON_TEXT] for body in read[:1])]:
        for code, patterns in rules.reasons:
            if first(patterns, text):
                return code
    return ""
