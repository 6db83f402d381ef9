"""All attacks, in the order in which they are made."""

from __future__ import annotations

from relaydesk_testkit.campaign import connections, content, desks, floods, letters, names, trouble, wire
from relaydesk_testkit.campaign.attack import Attack

ZONE = names.ZONE
QUICK_DNS: dict[str, object] = {"dns_timeout": 3.0}

ATTACKS = (
    Attack("smuggled messages", wire.smuggling, beside=False),
    Attack("foreign recipients", wire.relaying, beside=False),
    Attack("words before TLS", wire.injection, beside=False),
    Attack("1,000 idle strangers", connections.idle),
    Attack("strangers who come back", connections.returning),
    Attack("slow clients", connections.slow),
    Attack("no TLS handshake", connections.no_handshake, settings={"gateway_tls": "implicit"}),
    Attack("no TLS at all", connections.no_tls, beside=False, settings={"gateway_tls": "implicit"}),
    Attack("no descriptors left", connections.descriptors, descriptors=256),
    Attack("refused recipients", floods.refusals),
    Attack("guessed passwords", floods.guessing),
    Attack("packets of one byte", floods.tiny_packets),
    Attack("commands without end", floods.commands),
    Attack("hostile HTML", content.hostile_html),
    Attack("hostile text", content.hostile_text),
    Attack("hostile MIME", content.hostile_mime),
    Attack("dear signatures", content.signatures),
    Attack("domains that do not answer", names.slow, settings=QUICK_DNS, seconds=12),
    Attack("dear policies", names.dear, settings=QUICK_DNS),
    Attack("hostile HTML at the gateway", desks.hostile_html),
    Attack("HTML that does something", letters.active_html, beside=False),
    Attack("8 answers of 15 MB", desks.big_answers),
    Attack("foreign recipients at the gateway", desks.foreign, beside=False),
    Attack("a log that cannot be written", trouble.log_gone, beside=False),
    Attack("a full disk", trouble.disk_full, beside=False, engines=("sqlite",)),
    Attack("25 mails of 25 MB at once", trouble.big_mails, beside=False),
    Attack("two mails of 25 MB at a time", trouble.beside_big_mail),
)
