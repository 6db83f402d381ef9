"""SPF by the grammar of RFC 7208: what pyspf reads loosely, row by row, and the limits by term."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from relaydesk.mailauth.spf import check_spf
from relaydesk.mailauth.spf_macros import expand_name, expand_text
from relaydesk.mailauth.spf_record import RECORD_LIMIT, TERM_LIMIT, parse_record
from relaydesk_testkit.signing import over

if TYPE_CHECKING:
    from relaydesk.message.auth_results import SpfResult

IP = "192.0.2.1"
Zone = dict[str, list[Any]]
WORLD: Zone = {
    "pass.example": [{"TXT": f"v=spf1 ip4:{IP} -all"}],
    "fail.example": [{"TXT": "v=spf1 -all"}],
    "host.example": [{"A": IP}, {"AAAA": "2001:db8::1"}],
    "other.example": [{"A": "198.51.100.9"}],
    "mx.example": [{"MX": [5, "host.example"]}],
    "why.example": [{"TXT": "Ask %{d} about %{i}, %{c} and %{l-}%_%%%-"}],
    "1.2.0.192.in-addr.arpa": [{"PTR": "host.example"}],
}


async def spf(
    record: str | bytes, *, ip: str = IP, helo: str = "h.example", local: str = "bob", **more: Any
) -> SpfResult:
    text = record if isinstance(record, str) else record.decode("latin-1")
    zone: Zone = {
        **WORLD,
        "d.example": [{"TXT": text}],
        **{name.replace("_", "."): entry for name, entry in more.items()},
    }
    return await check_spf(ip, f"{local}@d.example", helo, over(zone))


@pytest.mark.parametrize(
    "term",
    [
        *(
            "exists:%{i.d.example",
            "exists:%{",
            "exists:a.%{i",
            "exists:%{i}.%{d.example",
            "a:%",
            "a:x.%.example",
        ),
        *(
            "exists:%{d0}",
            "exists:%{d00}",
            "exists:%{i0r}.d.example",
            "exists:%{d1x}",
            "exists:%{dr1}",
            "a:%{rd}",
        ),
        *(
            "exists:%{x}",
            "exists:%{}",
            "exists:%{dd}",
            "exists:%{d*}",
            "exists:%{d r}",
            "exists:%{d.r}",
            "a:%{ü}",
        ),
        *("exists:%x.d.example", "exists:%(i).d.example", "exists:%i", "exists:%%%.d.example", "mx:%{-d}"),
        *("exists:%{c}.d.example", "exists:%{r}.d.example", "include:%{t}.d.example", "a:%{T}"),
        *(
            "redirect=%{d",
            "redirect=%{z}.d.example",
            "exp=%{",
            "exp=%{d0}.example",
            "foo=%{",
            "foo=%x",
            "foo=%{d0}",
        ),
        *("all:x", "all/8", "all.", "al", "-", "+", "?", "--all", "!all", "=all", "x", "ip5:1.2.3.4"),
        *("a:", "mx:", "ptr:", "include", "include:", "exists", "exists:", "redirect=", "exp="),
        *("a:localhost", "a:host.example:80", "a:x..", "a:.", "a:x.1", "a:x.a-", "a:x.-a", "include:_spf"),
        *("a:192.0.2.1", "a:x.example,", "a:x_y", "a:d.example/", "a:x.ex_mple", "mx:x.exa%ple"),
        *(
            "a/33",
            "a/-1",
            "a/032",
            "a/",
            "a//129",
            "a//",
            "a/24/64",
            "a/24//064",
            "mx/1000",
            "a///64",
            "a/24//",
        ),
        *(
            "a:host.example/33",
            "mx:mx.example//129",
            "ptr/24",
            "ptr:host.example/24",
            "exists:host.example/24",
        ),
        *(
            "include:pass.example/24",
            "ip4",
            "ip4:",
            "ip4:1.2.3",
            "ip4:1.2.3.4.5",
            "ip4:1.2.3.256",
            "ip4:01.2.3.4",
        ),
        *("ip4:1.2.3.4/33", "ip4:1.2.3.4/08", "ip4:1.2.3.4/", "ip4:1.2.3.4//24", "ip4:::1", "ip4:d.example"),
        *(
            "ip6:::1/129",
            "ip6:::g",
            "ip6:1.2.3.4",
            "ip6:::1//64",
            "ip6:",
            "ip6:::1/064",
            "ip6:fe80::1%eth0",
            "ip6:::1%",
        ),
        *(
            "ip6:1:2:3:4:5:6:7:8:9",
            "ip6:1::2::3",
            "ip6:12345::",
            "a\tmx",
            "-redirect=pass.example",
            "9x=1",
            "_x=1",
        ),
        *(
            "redirect=pass.example REDIRECT=pass.example",
            "exp=why.example Exp=why.example",
            "redirect=localhost",
        ),
        *(
            "foo=a\tb",
            "foo=\x7f",
            f"foo={'x' * 600}",
            f"a:{'x' * 600}.example",
            "prt",
            "ip:1.2.3.4",
            "ipv4:1.2.3.4",
        ),
    ],
)
@pytest.mark.parametrize("place", ["v=spf1 {} -all", "v=spf1 ip4:192.0.2.1 -all {}", "v=spf1  -all  {}  "])
async def test_a_syntax_error_anywhere_is_a_permanent_error(term: str, place: str) -> None:  # §4.6, §7.1, §12
    result = await spf(place.format(term))
    assert result.result == "permerror", result.reason


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ("v=spf1 REDIRECT=pass.example", "pass"),
        ("v=spf1 Redirect=pass.example", "pass"),
        ("v=spf1 rEdIrEcT=PASS.example.", "pass"),
        ("v=spf1 ReDirect=%{d}x.example redirect2=x", "permerror"),
        ("V=SPF1 IP4:192.0.2.1 -ALL", "pass"),
        ("v=spf1 A:Host.Example -all", "pass"),
        ("v=spf1 MX:mx.example -aLL", "pass"),
        ("v=spf1 INCLUDE:pass.example -all", "pass"),
        ("v=spf1 EXISTS:host.example -all", "pass"),
        ("v=spf1 PTR:host.example -all", "pass"),
        ("v=spf1 IP6:2001:DB8::/32 -all", "fail"),
        ("v=spf1 -all redirect=pass.example", "fail"),
        ("v=spf1 redirect=pass.example -all", "fail"),
        ("v=spf1 redirect=pass.example ?all", "neutral"),
        ("v=spf1 redirect=pass.example ip4:198.51.100.0/24", "pass"),
        ("v=spf1 redirect=none.example", "permerror"),
        ("v=spf1 include:none.example ip4:192.0.2.1", "permerror"),
        ("v=spf1 foo=1 foo=2 foo=1 ip4:192.0.2.1 -all", "pass"),
        ("v=spf1 foo= a=b all=x ip4=9 default=fail op=x ip4:192.0.2.1 -all", "pass"),
        ("v=spf1 foo=%{c}%{r}%{t}%{s}%%%_%- ip4:192.0.2.1", "pass"),
        ("v=spf1 moo.cow-far_out=man:dog/cat -all", "fail"),
        ("v=spf1 ip4:192.0.2.1 foo=%{p}.example.com", "pass"),
        ("v=spf1", "neutral"),
        ("v=spf1 ", "neutral"),
        ("v=spf1   ip4:192.0.2.1   ", "pass"),
        ("v=spf10 -all", "none"),
        ("v=spf1-all", "none"),
        (" v=spf1 -all", "none"),
        ("v=spf1\t-all", "none"),
        ("v=spf1 a:host.example/32//128", "pass"),
        ("v=spf1 a:other.example/0 -all", "pass"),
        ("v=spf1 a:host.example//64 -all", "pass"),
        ("v=spf1 ip4:192.0.2.99/24 -all", "pass"),
        ("v=spf1 ip4:0.0.0.0/0", "pass"),
        ("v=spf1 ip4:192.0.2.1/32 ip6:::/0", "pass"),
        ("v=spf1 ip6:::ffff:192.0.2.1 -all", "fail"),
        ("v=spf1 exists:%{d}.host.example -all", "fail"),
        ("v=spf1 a:%{h}", "neutral"),
        ("v=spf1 a:%{o1}%{d} exists:x%{d9} -all", "fail"),
        ("v=spf1 a:%{o1}%{d}. -all", "permerror"),
        ("v=spf1 exists:a/b~c!.host.example -all", "fail"),
        ("v=spf1 a:1-2.example a:x.1-2 -all", "fail"),
        ("v=spf1 +ip4:192.0.2.1", "pass"),
        ("v=spf1 ~ip4:192.0.2.1 -all", "softfail"),
        ("v=spf1 ?ip4:192.0.2.1 -all", "neutral"),
        ("v=spf1 -ip4:192.0.2.1 +all", "fail"),
        (b"v=spf1 ip4:192.0.2.1 \xe9", "permerror"),
    ],
)
async def test_records_and_their_results(record: str | bytes, wanted: str) -> None:
    result = await spf(record)
    assert result.result == wanted, result.reason


@pytest.mark.parametrize(
    ("ip", "record", "wanted"),
    [
        ("::ffff:192.0.2.1", "v=spf1 ip4:192.0.2.1 -all", "pass"),
        ("::ffff:192.0.2.1", "v=spf1 a:host.example -all", "pass"),
        ("::ffff:192.0.2.1", "v=spf1 ip6:::ffff:192.0.2.1 -all", "fail"),
        ("2001:db8::1", "v=spf1 a:host.example -all", "pass"),
        ("2001:db8::2", "v=spf1 a:host.example/0 -all", "fail"),
        ("2001:db8::2", "v=spf1 a:host.example//64 -all", "pass"),
        ("2001:db8::2", "v=spf1 mx:mx.example/8//127 -all", "fail"),
        ("2001:db8::2", "v=spf1 ip4:0.0.0.0/0 -all", "fail"),
        ("2001:db8::2", "v=spf1 ip6:2001:db8::/32 -all", "pass"),
        ("2001:db8::2", "v=spf1 exists:host.example -all", "pass"),
    ],
)
async def test_addresses_of_both_families(ip: str, record: str, wanted: str) -> None:
    assert (await spf(record, ip=ip)).result == wanted


@pytest.mark.parametrize(
    ("size", "wanted"), [(RECORD_LIMIT, "pass"), (RECORD_LIMIT + 1, "permerror"), (60_000, "permerror")]
)
async def test_a_record_of_more_than_4_kb_is_an_error(size: int, wanted: str) -> None:
    record = f"v=spf1 ip4:{IP} "
    terms = ("x=" + "y" * 97 + " ") * (size // 100 + 1)
    text = (record + terms)[: size - 4] + "all "
    assert (await spf((text + " " * size)[:size])).result == wanted


@pytest.mark.parametrize(("size", "wanted"), [(TERM_LIMIT, "pass"), (TERM_LIMIT + 1, "permerror")])
async def test_a_term_of_more_than_512_characters_is_an_error(size: int, wanted: str) -> None:
    for term in ("exists:" + "x." * size, "foo=" + "x" * size):
        assert (await spf(f"v=spf1 ip4:{IP} {term[: size - 4]}.com -all")).result == wanted


async def test_a_warm_cache_changes_no_result() -> None:
    """What is kept from run to run must not change what is counted, nor whose name ``%{p}`` is."""
    names = ["a.d.example", "a.inner.example"]
    zone: Zone = {
        "1.2.0.192.in-addr.arpa": [{"PTR": name} for name in names],
        **{name: [{"A": IP}] for name in names},
        "d.example": [{"TXT": "v=spf1 exists:%{p}.x.example include:inner.example -all"}],
        "inner.example": [{"TXT": "v=spf1 a:gone.example exists:%{p}.y.example -all"}],
        "a.inner.example.y.example": [{"A": "127.0.0.2"}],
    }
    resolver = over(zone)
    cold = await check_spf(IP, "bob@d.example", "h.example", resolver)
    assert cold.result == "pass"
    assert await check_spf(IP, "bob@d.example", "h.example", resolver) == cold
    unnamed = over({**zone, "1.2.0.192.in-addr.arpa": []})
    cold = await check_spf(IP, "bob@d.example", "h.example", unnamed)
    assert cold.result == "permerror"
    assert await check_spf(IP, "bob@d.example", "h.example", unnamed) == cold


NOTHING: Zone = {
    f"mx{n}.void.example": [{"MX": [n, f"gone{k}.void.example"]} for k in range(5)] for n in range(4)
}


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        ("a:gone.example exists:gone.example", "pass"),
        ("a:gone.example exists:gone.example mx:gone.example", "permerror"),
        ("a:gone.example a:gone.example a:gone.example", "permerror"),
        ("mx:mx0.void.example mx:mx1.void.example", "pass"),
        ("mx:mx0.void.example mx:mx1.void.example a:gone.example", "permerror"),
        ("a:host2.void.example mx:mx0.void.example", "pass"),
        ("mx:host2.void.example mx:host2.void.example mx:host2.void.example", "permerror"),
        ("ptr:nobody.example a:gone.example exists:x.gone.example", "pass"),
        ("a:gone.example include:inner.void.example exists:gone.example", "permerror"),
        ("a:gone.example include:inner.void.example", "pass"),
        ("exists:%{p}.gone.example a:gone.example", "pass"),
    ],
)
async def test_void_look_ups_are_counted_by_term(terms: str, wanted: str) -> None:  # §4.6.4
    zone: Zone = {**NOTHING, "inner.void.example": [{"TXT": "v=spf1 a:gone.void.example -all"}]}
    zone["host2.void.example"] = [{"A": "198.51.100.7"}]
    zone |= {**WORLD, "d.example": [{"TXT": f"v=spf1 {terms} ip4:{IP} -all"}]}
    result = await check_spf(IP, "bob@d.example", "h.example", over(zone))
    assert result.result == wanted, result.reason


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ("a:other.example " * 10 + f"ip4:{IP}", "pass"),
        ("a:other.example " * 11 + f"ip4:{IP}", "permerror"),
        (f"ip4:{IP} " + "a:other.example " * 40, "pass"),
        ("a:other.example " * 9 + "a:host.example redirect=fail.example", "pass"),
        ("a:other.example " * 9 + "redirect=pass.example", "pass"),
        ("a:other.example " * 10 + "redirect=pass.example", "permerror"),
        ("a:other.example " * 10 + "redirect=pass.example ?all", "neutral"),
        ("a:other.example " * 9 + "include:pass.example", "pass"),
        ("a:other.example " * 9 + "include:one.example", "permerror"),
        ("a:other.example " * 8 + "redirect=onward.example", "pass"),
        ("a:other.example " * 9 + "redirect=onward.example", "permerror"),
        ("include:loop.example", "permerror"),
        ("redirect=d.example", "permerror"),
        ("include:d.example", "permerror"),
        ("include:%{d}", "permerror"),
    ],
)
async def test_terms_are_counted_as_they_are_evaluated(record: str, wanted: str) -> None:  # §4.6.4
    more: Zone = {
        "one.example": [{"TXT": f"v=spf1 a:other.example ip4:{IP} -all"}],
        "onward.example": [{"TXT": "v=spf1 redirect=pass.example"}],
        "loop.example": [{"TXT": "v=spf1 include:loop.example include:d.example"}],
    }
    zone = {**WORLD, **more, "d.example": [{"TXT": f"v=spf1 {record}"}]}
    result = await check_spf(IP, "bob@d.example", "h.example", over(zone))
    assert result.result == wanted, result.reason


@pytest.mark.parametrize(("hosts", "wanted"), [(10, "pass"), (11, "permerror")])
async def test_an_mx_has_at_most_ten_hosts(hosts: int, wanted: str) -> None:
    zone: Zone = {"many.example": [{"MX": [n, f"m{n}.example"]} for n in range(hosts)]}
    zone |= {f"m{n}.example": [{"A": f"192.0.2.{n + 2 if n < 9 else 1}"}] for n in range(hosts)}
    zone["d.example"] = [{"TXT": "v=spf1 mx:many.example -all"}]
    assert (await check_spf(IP, "bob@d.example", "h.example", over(zone))).result == wanted


async def test_only_ten_names_of_a_client_are_looked_at() -> None:
    hosts = [f"m{n}.example" for n in range(12)]
    zone: Zone = {"1.2.0.192.in-addr.arpa": [{"PTR": host} for host in hosts]}
    zone |= {host: [{"A": IP}] for host in hosts}
    for name, wanted in (("m9.example", "pass"), ("m10.example", "fail")):
        zone["d.example"] = [{"TXT": f"v=spf1 ptr:{name} -all"}]
        assert (await check_spf(IP, "bob@d.example", "h.example", over(zone))).result == wanted


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("%{d}", "email.example.com"),
        ("%{d1}.x.org", "com.x.org"),
        ("%{d2}", "example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d128}", "email.example.com"),
        ("%{d99999999999999999999}", "email.example.com"),
        ("%{d01}.x.org", "com.x.org"),
        ("%{dr}", "com.example.email"),
        ("%{d2R}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{s2-}", "strong.bad@email.example.com"),
        ("%{s@}x.org".replace("@", "-."), "strong.bad@email.example.comx.org"),
        ("%{h-}.x", "my.mail.example.org.x"),
        ("%{L}.%{S}", "strong-bad.strong-bad%40email.example.com"),
        ("%%%_%-.x", "% %20.x"),
        ("%{p}.x.", "unknown.x"),
        ("%{d-+,/_=.}", "email.example.com"),
        ("a." * 130 + "example.com", "a." * 121 + "example.com"),
        ("%{d}." * 20 + "x.org", "example.com." + "email.example.com." * 13 + "x.org"),
    ],
)
def test_macros_expand(spec: str, name: str) -> None:  # §7.3, §7.4
    domain = "email.example.com"
    names = {"d": domain, "o": domain, "h": "my-mail.example.org", "p": "unknown"}
    values = names | {"s": f"strong-bad@{domain}", "l": "strong-bad", "i": "192.0.2.3", "v": "in-addr"}
    expanded = expand_name(spec, values.__getitem__)
    assert len(expanded) <= 253
    assert expanded == name


def test_the_letters_of_explanations_expand_there_only() -> None:
    assert expand_text("%{c} %{r} %{t}", str.upper) == "C R T"
    for letter in "crt":
        with pytest.raises(ValueError, match="is no macro"):
            expand_name(f"%{{{letter}}}.x", str.upper)


@pytest.mark.parametrize(
    ("record", "explanation"),
    [
        ("v=spf1 -all exp=why.example", "Ask d.example about 192.0.2.1, 192.0.2.1 and bob %%20"),
        ("v=spf1 -all EXP=why.example", "Ask d.example about 192.0.2.1, 192.0.2.1 and bob %%20"),
        ("v=spf1 exp=why.example ~all", ""),
        ("v=spf1 -all exp=gone.example", ""),
        ("v=spf1 -all exp=bad.example", ""),
        ("v=spf1 -all exp=two.example", ""),
        ("v=spf1 -all exp=long.example", ""),
        ("v=spf1 -all exp=eight.example", ""),
        ("v=spf1 -all exp=slow.example", ""),
        ("v=spf1 redirect=explained.example exp=bad.example", "By explained.example"),
        ("v=spf1 redirect=fail.example exp=why.example", ""),
        ("v=spf1 include:explained.example -all", ""),
        (
            "v=spf1 -include:pass.example exp=why.example",
            "Ask d.example about 192.0.2.1, 192.0.2.1 and bob %%20",
        ),
    ],
)
async def test_an_explanation_is_fetched_for_a_fail_and_decides_nothing(
    record: str, explanation: str
) -> None:
    more: Zone = {
        "bad.example": [{"TXT": "Broken %{x}"}],
        "two.example": [{"TXT": "one"}, {"TXT": "two"}],
        "long.example": [{"TXT": "%{l}" * 2000}],
        "eight.example": [{"TXT": "\u00fc"}],
        "slow.example": ["TIMEOUT"],
        "explained.example": [{"TXT": "v=spf1 -all exp=by.example"}],
        "by.example": [{"TXT": "By %{d}"}],
    }
    resolver = over({**WORLD, **more, "d.example": [{"TXT": record}]})
    result = await check_spf(IP, "bob@d.example", "h.example", resolver)
    assert result.result == ("softfail" if "~" in record else "fail")
    assert result.explanation == explanation
    if result.result != "fail":
        assert resolver.cached("why.example", "TXT") is None


@pytest.mark.parametrize(
    ("helo", "wanted"),
    [
        ("d.example", "pass"),
        ("D.Example.", "pass"),
        ("[192.0.2.1]", "none"),
        ("localhost", "none"),
        ("", "none"),
    ],
)
async def test_the_null_sender_is_judged_by_helo(helo: str, wanted: str) -> None:  # §2.4
    zone: Zone = {**WORLD, "d.example": [{"TXT": "v=spf1 exists:%{l}.%{o}.ok.example -all"}]}
    zone["postmaster.d.example.ok.example"] = [{"A": "127.0.0.2"}]
    result = await check_spf(IP, "", helo, over(zone))
    assert (result.result, result.identity) == (wanted, "helo")


def test_what_cannot_matter_is_not_handed_on() -> None:
    record = parse_record("v=spf1 ip4:10.0.0.0/8 ip6:::1 a foo=%{p} Exp=w.example -all mx Redirect=x.example")
    assert record.text_for(ip_address("10.1.1.1")) == "v=spf1 ip4:10.0.0.0/8 a -all"
    assert record.text_for(ip_address("192.0.2.1")) == "v=spf1 a -all"
    many = parse_record("v=spf1 " + "a " * 100 + "Redirect=x.example")
    assert many.text_for(ip_address(IP)).count(" a") == 11
