"""What a message says about its order and its buyer.

How sure a number is: ``labelled`` when a line of Meta's form announces it (:mod:`.form` says what counts),
when it is the number in the Subject of a claim, or when a link path on one of Meta's hosts holds it; else
``mentioned``. What the sender quotes announces nothing. A buyer's text can imitate a line of the form or
carry a link: where such sources disagree none is sure, and the ownership rule of the decision asks the
directory besides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relaydesk.classify.findings import Candidate, NumberKind, Where
from relaydesk.classify.form import MAX_TEXT
from relaydesk.classify.neutral import neutral, visible
from relaydesk.classify.patterns import first
from relaydesk.message import Address, domain_name, plain_address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from relaydesk.classify.findings import Match
    from relaydesk.classify.form import Form, Line, Mention
    from relaydesk.classify.rules import Rules, Signs
    from relaydesk.message import Message

REASON_TEXT = 4_096
MAX_SUBJECT = 2_000
# "Re:" and what other languages have for it, several in a row; a word of at most five letters.
_REPLY = re.compile(r"\s*+(?:[^\W\d_]{1,5}+\s?+[:\uff1a]\s*+)++")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_ORDERS: dict[str, NumberKind] = {"order": "order", "merchant_ref": "merchant_ref"}
# Of a word too long for a local part no piece is one; and a word is tried once only.
_ADDRESS = re.compile(
    r"(?<![^\s<>@\"',;:()\[\]])([^\s<>@\"',;:()\[\]]{1,64}+)@([a-z0-9.-]{1,255}+)", re.IGNORECASE
)
_STATUS = "message/delivery-status"
_ALIKE = ("other", "case")


@dataclass(frozen=True, slots=True)
class FormText:
    """One body of a message in neutral form: all of it, the sender's own part, and Meta's lines in that."""

    where: Where
    text: str
    own: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class NeutralText:
    """The words of a message in neutral form."""

    subject: str
    bodies: tuple[FormText, ...]

    @property
    def own(self) -> str:
        """What the sender wrote, in every body."""
        return "\n".join(body.own for body in self.bodies)


def words(message: Message, form: Form) -> NeutralText:
    """The words of a message; lines that are quoted are none of the form's."""
    bodies = []
    for body in message.bodies:
        own = neutral(body.own[:MAX_TEXT])
        text = neutral(body.text[:MAX_TEXT]) if body.quoted else own
        bodies.append(FormText(body.source, text, own, tuple(form.lines(own))))
    return NeutralText(neutral(message.subject[:MAX_SUBJECT]), tuple(bodies))


def candidates(
    message: Message, read: NeutralText, rules: Rules, captured: str = ""
) -> tuple[Candidate, ...]:
    """Every number that may be an order's, one candidate for each, labelled before mentioned.

    ``captured`` is the number that the matched rule found in the Subject. Numbers that a look-alike label
    (listing, item, case…) announces anywhere are left out, unless an order label announces them too.
    """
    mentions: list[tuple[Where, Mention]] = [
        (where, mention)
        for where, text in _texts(read)
        for mention in rules.form.mentions(_URL.sub(" ", text))
    ]
    alike = {
        "".join(filter(str.isdigit, line.value))
        for body in read.bodies
        for line in body.lines
        if line.kind in _ALIKE
    }
    alike |= {mention.value for _, mention in mentions if mention.kind in _ALIKE}
    numbers = [Candidate(captured, "order", "subject", "order", "labelled")] if captured else []
    numbers += [
        Candidate(line.value, _ORDERS[line.kind], body.where, line.label, "labelled")
        for body in read.bodies
        for line in body.lines
        if line.kind in _ORDERS
    ]
    numbers += [
        Candidate(number, "order", "link", path, "labelled")
        for number, path in rules.links.orders(message.links)
    ]
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


def _texts(read: NeutralText) -> Iterator[tuple[Where, str]]:
    yield "subject", read.subject
    for body in read.bodies:
        yield body.where, body.text


def captured_order(shown: Signs, match: Match, rules: Rules) -> str:
    """The order number in the Subject of the matched rule's mail ("" for none).

    It is what the rule's pattern captures; in a claim or chargeback of Meta's own, whose wording no pattern
    knows, the one number of an order's shape.
    """
    rule = next((rule for rule in rules.rules if match.rule and rule.name == match.rule), None)
    if rule is None:
        return ""
    capture = first(rule.subject, shown.subject)
    if number := (capture.groupdict().get("order") or "") if capture else "":
        return number
    if match.kind not in ("claim", "chargeback") or not shown.role:
        return ""
    numbers = rules.form.orders(shown.subject)
    return numbers[0] if len(numbers) == 1 else ""


def case_number(read: NeutralText, rules: Rules) -> str:
    """The case number that the text shows ("" for none): labelled in the form, else announced in prose."""
    for body in read.bodies:
        for line in body.lines:
            if line.kind == "case":
                return line.value
    for text in (read.subject, *(body.own for body in read.bodies)):
        for mention in rules.form.mentions(text):
            if mention.kind == "case" and rules.form.fits("case", mention.value):
                return mention.value
    return ""


def relay(sender: Address, rules: Rules, sender_domains: Collection[str]) -> tuple[str, str]:
    """The relay address and the case token ("" each) that the From address is, inside the sender domains.

    Every local part of a listed sender is one that is no role name. Whatever kind the message is: an
    unsorted message from a relay address can still be answered there.
    """
    if sender.domain not in sender_domains or sender.local in rules.roles:
        return "", ""
    if plain_address(sender.addr) is None:
        return "", ""
    return sender.addr, next((token for rule in rules.rules if (token := rule.token(sender.addr))), "")


def failed_recipient(message: Message, rules: Rules, sender_domains: Collection[str]) -> str:
    """The relay address that a bounce notice says it could not reach ("" for none).

    Sought in the text, then in a delivery status (RFC 3464).
    """
    own_domain = message.from_[0].domain if message.from_ else ""
    status = (part.content[:8_192] for part in message.attachments if part.declared_type == _STATUS)
    for text in (message.text[:MAX_TEXT], *(part.decode("utf-8", "replace") for part in status)):
        for match in _ADDRESS.finditer(text):
            domain = domain_name(match[2].rstrip(".")) or ""
            if domain == own_domain:
                continue  # the daemon's own host: its postmaster, its Message-IDs
            address, _ = relay(Address("", match[1], domain), rules, sender_domains)
            if address:
                return address
    return ""


def foreign_reply_to(message: Message, sender_domains: Collection[str]) -> str:
    """The first Reply-To domain outside the sender domains ("" for none). Reply-To is never followed."""
    return next((address.domain for address in message.reply_to if address.domain not in sender_domains), "")


def username(subject: str, rules: Rules) -> str:
    """The buyer's name from the Subject of a case, with its letters as the buyer wrote them."""
    for text in (visible(subject[:MAX_SUBJECT]), neutral(subject[:MAX_SUBJECT])):
        for shown in dict.fromkeys((text, _without_reply(text))):
            if match := first(rules.username, shown):
                return (match.groupdict().get("username") or "").strip()[:200]
    return ""


def _without_reply(subject: str) -> str:
    prefix = _REPLY.match(subject)
    return subject[prefix.end() :] if prefix else subject


def contact_reason(read: NeutralText, rules: Rules) -> str:
    """The code of the reason for contact: from the form's line, else from Subject and start of the text."""
    stated = [line.value for body in read.bodies for line in body.lines if line.kind == "reason"]
    if stated:
        return next((code for text in stated if (code := rules.stated_reason(text))), "")
    start = read.bodies[0].own[:REASON_TEXT] if read.bodies else ""
    return rules.worded_reason(read.subject) or rules.worded_reason(start)
