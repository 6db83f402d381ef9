"""Where a message came from, read through relays of each format."""

from __future__ import annotations

import pytest

from relaydesk.policy.allowlist import parse_allowlist
from relaydesk.policy.origin import find_origin

META = "66.220.144.130"
EVIL = "203.0.113.66"
LISTS = parse_allowlist(
    """
networks: [66.220.144.128/25, "2001:db8:face::/48"]
relays:
  - {network: 192.0.2.1, note: outer}
  - 192.0.2.2
  - 192.0.2.3
  - "2001:db8:25::/64"
  - 127.0.0.1
  - {network: 198.51.100.1, format: exim}
  - {network: 209.85.128.0/17, format: google}
  - {network: 40.92.0.0/15, format: m365}
  - {network: 192.0.2.99, shared: true}
proxies: [10.0.0.1]
"""
)
TAIL = " by mx.shop.example (Postfix) with ESMTPS id 4F1 for <help@shop.example>; Mon, 23 Nov 2026 04:00:00"
FORGED = f"from mx-out.facebook.com (mx-out.facebook.com [{META}]){TAIL}"


def postfix(ip: str, helo: str = "mx-out.facebook.com", name: str = "unknown") -> str:
    cipher = "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))"
    return f"from {helo} ({name} [{ip}])\t{cipher}{TAIL}"


def google(ip: str, helo: str = "mx-out.facebook.com", name: str = "mx-out.facebook.com. ") -> str:
    return (
        f"from {helo} ({name}[{ip}])        by mx.google.com with ESMTPS id a1-2b.3.2026.11.23"
        "        for <help@shop.example>        (version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256 bits=128/128);"
        "        Mon, 23 Nov 2026 04:00:00 -0800 (PST)"
    )


GOOGLE_INNER = [
    "by mail-yb1-f182.google.com with SMTP id 3f1490d57ef6-e3a so1.1 for <help@shop.example>; Mon",
    "by 2002:a05:6102:22c6:0:0:0:0 with SMTP id a6csp126141vsh;       Mon, 23 Nov 2026 04:00:00 -0800 (PST)",
]


def m365(
    ip: str, by: str = "DB5EUR01FT015.mail.protection.outlook.com", helo: str = "mx.facebook.com"
) -> str:
    return (
        f"from {helo} ({ip}) by {by} (10.152.4.132) with Microsoft SMTP Server (version=TLS1_2, "
        "cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.9412.8 via Frontend Transport; Mon"
    )


M365_INNER = [
    "from AM6PR08MB3456.eurprd08.prod.outlook.com ([fe80::1b2:3c4:5d6:7e8]) by "
    "AM6PR08MB3456.eurprd08.prod.outlook.com ([fe80::1b2:3c4:5d6:7e8%5]) with mapi id 15.20.9412.8; Mon",
    m365("2603:10a6:10:2bb:cafe::47", "DU2PR04CA0123.outlook.office365.com", "DB5EUR01FT015.eop-EUR01.prod"),
]


def test_it_takes_a_listed_peer_as_the_origin_whatever_received_says() -> None:
    origin = find_origin(META, "peer", [postfix(EVIL)], LISTS)
    assert (origin.ip, origin.role, origin.allowlisted, origin.how) == (META, "origin", True, "peer")
    assert origin.network == "66.220.144.128/25"


def test_it_takes_a_stranger_as_its_own_origin_without_a_role() -> None:
    origin = find_origin(EVIL, "xclient", [FORGED], LISTS)
    assert (origin.ip, origin.role, origin.allowlisted, origin.how) == (EVIL, "none", False, "xclient")


def test_it_writes_a_v4_mapped_peer_as_ipv4() -> None:
    assert find_origin(f"::ffff:{META}", "peer", [], LISTS).ip == META


@pytest.mark.parametrize(("ip", "how"), [("10.0.0.1", "peer"), (None, "proxy"), (None, "xclient")])
def test_it_never_takes_a_proxy_as_an_origin(ip: str | None, how: str) -> None:
    origin = find_origin(ip, how, [FORGED], LISTS)  # type: ignore[arg-type]
    assert (origin.ip, origin.role, origin.allowlisted, origin.how) == (None, "proxy", False, "unknown")


def test_it_gives_no_role_to_a_peer_that_is_no_address() -> None:
    assert find_origin("nonsense", "peer", [FORGED], LISTS).role == "none"


@pytest.mark.parametrize(
    ("relay", "line", "expected"),
    [
        ("192.0.2.1", postfix(META), META),
        ("192.0.2.1", postfix(EVIL, helo=f"[{META}]"), EVIL),
        ("192.0.2.1", postfix(EVIL, helo="[IPv6:2001:db8:face::1]"), EVIL),
        ("192.0.2.1", postfix("IPv6:2001:db8:face::1"), "2001:db8:face::1"),
        ("192.0.2.1", postfix("IPv6:::ffff:66.220.144.130"), META),
        ("2001:db8:25::9", postfix(META, name="mx-out.facebook.com"), META),
        ("192.0.2.1", f"from {META} by mx.shop.example (Postfix) with SMTP id 1; Mon", None),
        ("192.0.2.1", f"from [{META}] by mx.shop.example (Postfix) with SMTP id 1; Mon", None),
        ("192.0.2.1", "by mx.shop.example (Postfix, from userid 0) id 77; Mon", None),
        ("192.0.2.1", f"from a (b [{META}]) (c [{EVIL}]) by d by e; Mon", None),
        ("192.0.2.1", "from a (unknown [999.1.1.1])" + TAIL, None),
        ("192.0.2.1", "from a (unknown [unknown])" + TAIL, None),
        ("192.0.2.1", "", None),
        ("198.51.100.1", f"from mx-out.facebook.com ([{META}]) by mx with esmtps (TLS1.3) id 1; Mon", META),
        (
            "198.51.100.1",
            f"from mx.facebook.com ([{META}]:4711 helo=[{EVIL}] ident=x) by mx with esmtp; M",
            META,
        ),
        ("198.51.100.1", f"from [{META}] (helo=mx.facebook.com) by mx with esmtp (Exim 4.98); Mon", META),
        ("198.51.100.1", f"from [{META}]:25 (port=25 helo=x) by mx with esmtp (Exim 4.98); Mon", META),
        ("198.51.100.1", f"from [{META}] by mx with esmtp (Exim 4.98) id 1; Mon", META),
        (
            "198.51.100.1",
            "from x.example ([2001:db8:face::1] helo=y) by mx with esmtp; Mon",
            "2001:db8:face::1",
        ),
        ("198.51.100.1", f"from [{EVIL}] (helo=[{META}]) by mx with esmtp (Exim 4.98); Mon", EVIL),
        ("198.51.100.1", f"from [{META}] ([{EVIL}] helo=x) by mx with esmtp (Exim 4.98); Mon", None),
        ("198.51.100.1", "from root by mx with local (Exim 4.98) id 1; Mon", None),
        ("209.85.220.41", google(META), META),
        ("209.85.220.41", google(META, name=""), META),
        ("209.85.220.41", google("2001:db8:face::1"), "2001:db8:face::1"),
        ("209.85.220.41", google(EVIL, helo=f"[{META}]"), EVIL),
        ("209.85.220.41", f"from x (y. [{META}]) by mx.google.com with ESMTP id 1 " + google(EVIL), None),
        ("209.85.220.41", f"from 485 named unknown by gmailapi.google.com with HTTPREST; ([{META}])", None),
        ("209.85.220.41", f"from x (y. [{META}]) by evil.example with ESMTPS id 1; Mon", None),
        ("40.92.1.1", m365(META), META),
        ("40.92.1.1", m365("2001:db8:face::1"), "2001:db8:face::1"),
        ("40.92.1.1", m365(EVIL, helo=f"[{META}]"), EVIL),
        ("40.92.1.1", m365(META, by="mail.evil.example"), None),
    ],
)
def test_it_reads_the_address_that_the_relay_saw(relay: str, line: str, expected: str | None) -> None:
    origin = find_origin(relay, "peer", [line, FORGED], LISTS)
    assert (origin.ip, origin.role) == (expected, "relay")
    assert origin.how == ("received" if expected else "unknown")
    assert origin.allowlisted == (expected in (META, "2001:db8:face::1"))


def test_it_walks_through_three_trusted_hops_and_stops_at_the_first_stranger() -> None:
    hops = [postfix("192.0.2.2"), postfix("127.0.0.1", name="localhost"), postfix("192.0.2.3")]
    assert find_origin("192.0.2.1", "peer", [*hops, postfix(META), postfix(EVIL)], LISTS).ip == META
    assert find_origin("192.0.2.1", "peer", [*hops, postfix(EVIL), FORGED], LISTS).ip == EVIL


def test_it_reads_each_hop_by_its_own_format() -> None:
    exim = f"from [{META}] (helo=x) by inner with esmtp (Exim 4.98) id 1; Mon"
    assert find_origin("192.0.2.1", "peer", [postfix("198.51.100.1"), exim], LISTS).ip == META
    assert find_origin("192.0.2.1", "peer", [postfix("198.51.100.1"), FORGED], LISTS).ip is None


def test_it_never_looks_below_a_line_that_does_not_match() -> None:
    assert find_origin("192.0.2.1", "peer", ["from nowhere", FORGED], LISTS).ip is None
    assert find_origin("192.0.2.1", "peer", [], LISTS).ip is None


def test_it_passes_over_the_inner_hand_overs_of_a_provider() -> None:
    assert find_origin("209.85.220.41", "peer", [*GOOGLE_INNER, google(META)], LISTS).ip == META
    assert find_origin("40.92.1.1", "peer", [*M365_INNER, m365(META)], LISTS).ip == META
    assert find_origin("192.0.2.1", "peer", [GOOGLE_INNER[0], FORGED], LISTS).ip is None


def test_it_tells_when_a_hop_on_the_way_also_relays_strangers() -> None:
    assert not find_origin("192.0.2.1", "peer", [postfix(META)], LISTS).shared
    assert find_origin("192.0.2.99", "peer", [postfix(META)], LISTS).shared
    assert find_origin("192.0.2.1", "peer", [postfix("209.85.220.41"), google(META)], LISTS).shared
    assert find_origin("209.85.220.41", "peer", [], LISTS).shared


def test_it_gives_up_after_the_given_number_of_hops() -> None:
    endless = [postfix("192.0.2.2")] * 60
    assert find_origin("192.0.2.1", "peer", [*endless, postfix(META)], LISTS).ip is None
    assert find_origin("192.0.2.1", "peer", [*endless, postfix(META)], LISTS, max_hops=70).ip == META
