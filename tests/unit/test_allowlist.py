"""allowlist.yaml: what it grants, and that every bad line is named."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from relaydesk.policy.allowlist import AllowlistError, parse_allowlist

SHIPPED = Path(__file__).resolve().parents[2] / "allowlist.yaml"

LISTS = """\
networks:
  - 66.220.144.128/25
  - {network: "2001:db8:1::/48", note: six}
relays:
  - 192.0.2.25
  - {network: 198.51.100.0/24, format: exim, note: inner}
  - {network: 198.51.100.7, format: postfix}
  - {network: 209.85.128.0/17, format: google}
  - {network: 40.92.0.0/15, format: m365, shared: false}
proxies:
  - {network: 10.0.0.0/8, xclient: true}
  - "::1"
senders:
  - support.facebook.com
  - {domain: Müller.example, dkim: [FacebookMail.com]}
"""


def problems(text: str) -> dict[int, str]:
    with pytest.raises(AllowlistError) as caught:
        parse_allowlist(text, "list.yaml")
    return {problem.line: problem.text for problem in caught.value.problems}


def test_it_ships_the_five_documented_networks_and_the_sender_domains() -> None:
    shipped = parse_allowlist(SHIPPED.read_text(encoding="utf-8"))
    assert {str(entry.network) for entry in shipped.networks} == {
        "66.220.144.128/25",
        "66.220.155.128/25",
        "69.171.232.128/25",
        "69.63.178.128/25",
        "69.63.184.0/25",
    }
    assert set(shipped.senders) == {
        "support.facebook.com",
        "commerce.facebook.com",
        "support.instagram.com",
        "shopping.instagram.com",
        "marketplace.facebook.com",
        "mx.facebook.com",
    }
    assert (shipped.relays, shipped.proxies) == ((), ())


def test_it_ships_examples_that_work_once_their_comment_signs_are_taken_away() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    start = lines.index("# relays:")
    example = [line.removeprefix("# ") for line in lines[start : lines.index("relays: []")]]
    start = lines.index("# proxies:")
    example += [line.removeprefix("# ") for line in lines[start : lines.index("proxies: []")]]
    found = parse_allowlist("\n".join(example))
    assert {entry.format for entry in found.relays} == {"postfix", "exim", "google", "m365"}
    assert [entry.xclient for entry in found.proxies] == [False, True]


@pytest.mark.parametrize(
    ("ip", "role", "style", "shared"),
    [
        ("66.220.144.130", "origin", "postfix", False),
        ("66.220.144.127", "none", None, None),
        ("::ffff:66.220.144.130", "origin", "postfix", False),
        ("2001:db8:1:2::3", "origin", "postfix", False),
        ("192.0.2.25", "relay", "postfix", False),
        ("198.51.100.6", "relay", "exim", False),
        ("198.51.100.7", "relay", "postfix", False),
        ("209.85.220.41", "relay", "google", True),
        ("40.93.1.1", "relay", "m365", False),
        ("10.9.8.7", "proxy", "postfix", False),
        ("::1", "proxy", "postfix", False),
        ("fe80::1%eth0", "none", None, None),
        ("not an address", "none", None, None),
    ],
)
def test_it_grants_the_role_of_the_narrowest_network(
    ip: str, role: str, style: str | None, shared: bool | None
) -> None:
    granted, entry = parse_allowlist(LISTS).role(ip)
    assert granted == role
    assert (entry.format if entry else None, entry.shared if entry else None) == (style, shared)


def test_it_writes_a_v4_mapped_network_as_ipv4() -> None:
    found = parse_allowlist('networks: ["::ffff:192.0.2.0/120"]')
    assert found.networks[0].network == ip_network("192.0.2.0/24")
    assert found.listed("192.0.2.9")


def test_it_knows_listed_domains_exactly_and_names_below_them_apart() -> None:
    found = parse_allowlist(LISTS)
    assert found.is_sender("Support.Facebook.Com")
    assert found.is_sender("xn--mller-kva.example")
    assert not found.is_sender("evil.support.facebook.com")
    assert found.below_sender("evil.support.facebook.com")
    assert not found.below_sender("support.facebook.com")
    assert not found.below_sender("notsupport.facebook.com")
    assert not found.below_sender("facebook.com")
    assert found.dkim_map == {"xn--mller-kva.example": ("facebookmail.com",)}


def test_it_reports_every_bad_line_with_its_number_and_the_mend() -> None:
    found = problems(
        "networks:\n"
        "  - 66.220.144.130/25\n"
        "  - 300.1.2.3\n"
        "  - 42\n"
        "relays:\n"
        "  - {network: 192.0.2.1, format: sendmail}\n"
        "  - {network: 192.0.2.2, shared: maybe}\n"
        "  - {network: 192.0.2.3,\n"
        "     colour: red}\n"
        "proxies: 10.0.0.1\n"
        "senders:\n"
        "  - support.facebook.com\n"
        "  - '*.facebook.com'\n"
        "  - {domain: instagram.com, dkim: ['a b']}\n"
        "  - Support.facebook.com\n"
        "  - {dkim: [x.example]}\n"
        "friends: []\n"
    )
    assert set(found) == {2, 3, 4, 6, 7, 9, 10, 13, 14, 15, 16, 17}
    assert "66.220.144.128/25" in found[2]
    assert "66.220.144.130" in found[2]
    assert "postfix, exim, google, m365" in found[6]
    assert "true or false" in found[7]
    assert "network, format, shared, note" in found[9]
    assert "without @ or *" in found[13]
    assert "twice" in found[15]
    assert "networks, relays, proxies, senders" in found[17]


def test_it_finds_networks_that_give_one_address_two_roles() -> None:
    found = problems("networks:\n  - 10.1.0.0/16\nrelays:\n  - 10.0.0.0/8\nproxies:\n  - 10.1.2.3\n")
    assert set(found) == {4, 6}
    assert "line 2" in found[4]
    assert "two roles" in found[6]


def test_it_finds_a_network_that_stands_twice() -> None:
    assert "line 2 already" in problems("networks:\n  - 10.1.0.0/16\n  - 10.1.0.0/16\n")[3]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("networks: []\nrelays: []\nnetworks: [192.0.2.1]\n", 3, "networks"),
        ("networks:\n  - {network: 1.2.3.4, network: 1.2.3.5}\n", 2, "network"),
        ("networks: [1.2.3.4\nrelays: {", 2, "YAML"),
        ("", 1, "networks"),
        ("- 1.2.3.4\n", 1, "networks"),
        ("networks: ['1.2.3.4']\n\tx: 1\n", 2, "a tab cannot indent"),
        ("a: &a [*b]\n", 1, "aliases"),
        ("x: \x00\n", 1, "YAML"),
    ],
)
def test_it_says_where_a_file_is_no_list(text: str, line: int, word: str) -> None:
    found = problems(text)
    assert set(found) == {line}
    assert word in found[line]


def test_it_names_the_source_in_the_message() -> None:
    with pytest.raises(AllowlistError, match=r"etc/list\.yaml, line 1: unknown list 'foes'"):
        parse_allowlist("foes: []", "etc/list.yaml")


def test_it_parses_a_long_list_and_looks_up_fast_enough_for_every_connection() -> None:
    lines = "".join(f"  - 10.{i >> 8}.{i & 255}.0/24\n" for i in range(3000))
    found = parse_allowlist(f"networks:\n{lines}")
    assert all(found.listed(f"10.{i >> 8}.{i & 255}.77") for i in range(3000))
    assert not found.listed("10.200.0.1")
