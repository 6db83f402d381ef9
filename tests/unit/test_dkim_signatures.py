"""Signatures as they are written in the world, made by a signer that shares nothing with the verifier.

Each row is one shape that RFC 6376 allows (or forbids), with its section.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import dkim
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from relaydesk.mailauth.body_hash import canonical_body
from relaydesk.mailauth.dkim import verify_dkim
from relaydesk.mailauth.signing import dkim_key_record
from relaydesk_testkit.signing import DOMAIN, SELECTOR, key, over
from tests.support.dkim_signer import body_form, write_signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaydesk.message.auth_results import DkimResult

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
KEY_NAME = f"{SELECTOR}._domainkey.{DOMAIN}"
FIELDS = (
    b"Received: from a.example ([192.0.2.9])\r\n\tby mx.example.net with ESMTP id 1;\r\n Thu\r\n",
    b"Date: Thu, 26 Nov 2026 10:00:00 +0000\r\n",
    b"To: Help <help@shop.example>\r\n",
    b"Subject: A \ttest\r\n  of   folding \r\n",
    b"From: Alice <alice@support.instagram.com>\r\n",
)
BODY = b"Hello,\r\n\r\nthis is  a \tbody. \r\n\r\nBye \r\n\r\n\r\n"
TAGS = (
    b"v=1; a=rsa-sha256; d=support.instagram.com; s="
    + SELECTOR.encode()
    + b"; h=from:to:subject:date; bh=@BH@"
)
FORMS = [("simple", "simple"), ("simple", "relaxed"), ("relaxed", "simple"), ("relaxed", "relaxed")]
Zone = dict[str, list[Any]]


def template(head: bytes, forms: tuple[str, str] = ("relaxed", "relaxed")) -> bytes:
    """``head`` with TAGS for the usual tags and the canonical forms."""
    return head.replace(b"TAGS", TAGS + b"; c=" + "/".join(forms).encode())


def usual(extra: bytes = b"", forms: tuple[str, str] = ("relaxed", "relaxed")) -> bytes:
    return template(b"DKIM-Signature: TAGS" + extra + b"; b=@B@", forms)


def record(bits: int = 1024, **how: str) -> Zone:
    return {KEY_NAME: [{"TXT": dkim_key_record(key(bits), **how)}]}


async def judge(raw: bytes, zone: Zone | None = None) -> DkimResult:
    (result,) = await verify_dkim(raw, over(zone or record(extra="")), NOW)
    return result


@pytest.mark.parametrize("forms", FORMS)
@pytest.mark.parametrize(
    "head",
    [
        b"DKIM-Signature: TAGS; b=@B@",
        b"DKIM-Signature: b=@B@ ; TAGS",
        b"DKIM-Signature: b=@B@\t; TAGS",
        b"DKIM-Signature: b=@B@\r\n\t; TAGS",
        b"DKIM-Signature: b= @B@ ;TAGS",
        b"DKIM-Signature: b=\r\n @B@\r\n ;\r\n TAGS",
        b"DKIM-Signature: b =@B@; TAGS",
        b"DKIM-Signature: b\r\n\t=\r\n\t@B@; TAGS",
        b"DKIM-Signature:b=@B@; TAGS",
        b"DKIM-Signature:b=@B@;TAGS",
        b"DKIM-Signature:\r\n\tb=@B@; TAGS",
        b"DKIM-Signature : b=@B@; TAGS",
        b"dkim-signature:\tTAGS;b=@B@",
        b"DKIM-SIGNATURE: TAGS; b=@B@;",
        b"DKIM-Signature: TAGS; b=@B@; ",
        b"DKIM-Signature: TAGS; b=@B@ \t",
        b"DKIM-Signature: TAGS; b=@B@;\r\n ",
        b"DKIM-Signature: TAGS; b=@B@; foo=bar \t",
        b"DKIM-Signature: TAGS; b=@B@; foo=bar;\r\n\t",
        b"DKIM-Signature: TAGS; z=From:a|Subject:A=20test\r\n\tb=3D5; b=@B@",
        b"DKIM-Signature: TAGS; z=a b=5 b=6; b=@B@",
        b"DKIM-Signature: b=@B@; TAGS; z=a|Subject: b=5",
        b"DKIM-Signature: TAGS; B=abc; b=@B@",
        b"DKIM-Signature: TAGS; bb=abc; xb= b=d; b=@B@",
        b"DKIM-Signature: TAGS; foo=; b=@B@",
        b"DKIM-Signature: TAGS; foo=a=b=c; b=@B@; b2=x",
        b"DKIM-Signature:  TAGS;   b=@B@",
        b"DKIM-Signature: TAGS; n=\xc3\xbc \xff; b=@B@",
    ],
)
async def test_only_the_value_of_b_is_left_out(head: bytes, forms: tuple[str, str]) -> None:  # D13, D14
    result = await judge(write_signature(template(head, forms), FIELDS, BODY, key(), forms=forms))
    assert result.result == "pass", result.reason


@pytest.mark.parametrize("field", [b"bh=@BH@", b"b=@B@"])
@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.rstrip(b"="),
        lambda text: b" ".join([text[:7], text[7:20], text[20:]]),
        lambda text: text[:20] + b"\r\n\t" + text[20:],
        lambda text: text[:-1] + b" " + text[-1:],
        lambda text: b"\r\n " + text + b"\r\n ",
    ],
)
@pytest.mark.parametrize("bits", [1024, 0])
async def test_base64_may_be_folded_and_lack_its_padding(  # D15; §2.10
    bits: int, write: Callable[[bytes], bytes], field: bytes
) -> None:
    head = usual().replace(b"a=rsa-sha256", b"a=ed25519-sha256" if bits == 0 else b"a=rsa-sha256")
    raw = write_signature(head, FIELDS, BODY, key(bits), write=write)
    assert field in head
    result = await judge(raw, record(bits, extra=""))
    assert result.result == "pass", result.reason
    plain = await judge(write_signature(head, FIELDS, BODY, key(bits)), record(bits, extra=""))
    assert len(base64.b64decode(result.b)) == len(base64.b64decode(plain.b))


@pytest.mark.parametrize("b", [b"A", b"AAAAA", b"AA=AAA", b"AAA===", b"*", b"=", b"AA-_"])
async def test_it_does_not_read_what_is_no_base64(b: bytes) -> None:
    assert (
        await judge(usual().replace(b"@B@", b).replace(b"@BH@", b"AAAA") + b"\r\n" + b"".join(FIELDS))
    ).result == ("permerror")


@pytest.mark.parametrize(
    "field",
    [
        b"Subject : a\r\n",
        b"Subject\t: a\r\n",
        b"SUBJECT:a\r\n",
        b"Subject:\r\n\ta\r\n",
        b"Subject: a \t\r\n",
        b"Subject: a\r\n \r\n\tb\r\n",
        b"Subject: a\x0b\x0c\r\n",
        b"Subject: \x0ba\r\n",
        b"Subject:\x0ba  \x0c b\r\n",
        b"Subject: \xff\xfe\x00 \xc3\xbc\r\n",
        b"Subject: a\nb\r\n",
        b"Subject: a\rb\r\n",
        b"Subject:\r\n",
        b"Subject: \xa0a\xa0\r\n",
        b"Subject: " + b"word " * 2000 + b"\r\n",
    ],
)
@pytest.mark.parametrize("forms", FORMS)
async def test_a_field_is_hashed_as_it_stands(
    field: bytes, forms: tuple[str, str]
) -> None:  # D14; §2.8, §3.4
    fields = (*FIELDS[:3], *FIELDS[4:], field)
    raw = write_signature(usual(forms=forms), fields, BODY, key(), forms=forms)
    result = await judge(raw)
    assert result.result == "pass", result.reason


@pytest.mark.parametrize(
    ("before", "after", "simple", "relaxed"),
    [
        (b"Subject:", b"Subject :", "fail", "pass"),
        (b"Subject:", b"subject:", "fail", "pass"),
        (b"folding \r\n", b"folding\r\n", "fail", "pass"),
        (b"A \ttest", b"A test", "fail", "pass"),
        (b"A \ttest", b"A\r\n test", "fail", "pass"),
        (b"A \ttest", b"A\x0btest", "fail", "fail"),
        (b"A \ttest", b"Atest", "fail", "fail"),
        (b"folding \r\n", b"folding\x0c\r\n", "fail", "fail"),
        (b"DKIM-Signature: v", b"DKIM-Signature:v", "fail", "pass"),
        (b"; b=", b"; b= ", "pass", "pass"),
        (b"; b=", b";b=", "fail", "fail"),
        (b"Received: ", b"Received:  ", "pass", "pass"),
    ],
)
async def test_what_a_relay_changes_breaks_what_the_form_says(
    before: bytes, after: bytes, simple: str, relaxed: str
) -> None:
    for form, wanted in (("simple", simple), ("relaxed", relaxed)):
        raw = write_signature(usual(forms=(form, form)), FIELDS, BODY, key(), forms=(form, form))
        assert raw.count(before) == 1
        assert (await judge(raw.replace(before, after))).result == wanted, form


@pytest.mark.parametrize(
    "names",
    [
        b"from",
        b"From : To :\r\n\tSubject : Date",
        b"FROM:to:Subject",
        b"from:from:to:to:subject:subject",
        b"from:x-none:reply-to:to",
        b"from:to:",
        b"from::to",
        b"date:received:from",
        b"from:dkim-signature",
        b"from:dkim-signature:dkim-signature",
        b"from" + b":x" * 1000,
    ],
)
async def test_the_names_choose_the_fields(names: bytes) -> None:  # §3.5 h=, §5.4.2
    head = usual().replace(b"h=from:to:subject:date", b"h=" + names)
    result = await judge(write_signature(head, FIELDS, BODY, key(), names=names.split(b":")))
    assert result.result == "pass", result.reason


async def test_the_lowest_field_of_a_name_is_signed_first() -> None:
    fields = (b"X-A: 1\r\n", b"x-a: 2\r\n", b"X-A : 3\r\n", *FIELDS)
    for names in (
        [b"from", b"x-a"],
        [b"from", b"x-a", b"X-A"],
        [b"x-a"] * 3 + [b"from"],
        [b"x-a"] * 5 + [b"from"],
    ):
        head = usual().replace(b"h=from:to:subject:date", b"h=" + b":".join(names))
        raw = write_signature(head, fields, BODY, key(), names=names)
        assert (await judge(raw)).result == "pass"
        signed = min(3, len(names) - 1)
        lowest_unsigned = raw.replace(b": 3\r\n", b": 4\r\n")
        assert (await judge(lowest_unsigned)).result == "fail"
        assert (await judge(raw.replace(b"X-A: 1", b"X-A: 0"))).result == ("fail" if signed == 3 else "pass")
        assert (await judge(b"X-A: 0\r\n" + raw)).result == ("fail" if len(names) == 6 else "pass")


async def test_a_signature_may_sign_another_one() -> None:
    inner = write_signature(usual(), FIELDS, BODY, key())
    fields = (inner[: inner.index(b"Received:")], *FIELDS)
    head = usual().replace(b"h=from", b"h=dkim-signature:from")
    outer = write_signature(
        head, fields, BODY, key(), names=[b"dkim-signature", b"from", b"to", b"subject", b"date"]
    )
    first, second = await verify_dkim(outer, over(record(extra="")), NOW)
    assert (first.result, second.result) == ("pass", "pass"), first.reason
    at = outer.rindex(b"b=")
    first, second = await verify_dkim(outer[: at + 3] + b" " + outer[at + 3 :], over(record(extra="")), NOW)
    assert (first.result, second.result) == ("fail", "pass")


@pytest.mark.parametrize(
    ("identity", "wanted"),
    [
        (b"alice@support=2Einstagram.com", "pass"),
        (b"alice@support=2einstagram=2Ecom", "pass"),
        (b"alice@sup\r\n\tport.instagram.com", "pass"),
        (b"=61lice @ support.instagram.com", "pass"),
        (b"a=40b@support.instagram.com", "pass"),
        (b"a=3Bb=3D@mail.support.instagram.com", "pass"),
        (b"bounce+user=example.org@support.instagram.com", "pass"),
        (b"@SUPPORT.Instagram.COM", "pass"),
        (b"@support.instagram.com.", "pass"),
        (b"=40support.instagram.com", "pass"),
        (b"@a.b.c.support.instagram.com", "pass"),
        (b"@instagram.com", "permerror"),
        (b"@support.instagram.com=2Eevil.example", "permerror"),
        (b"@evil=2Esupport=2Einstagram.org", "permerror"),
        (b"@xsupport.instagram.com", "permerror"),
        (b"@support.instagram.com@evil.example", "permerror"),
        (b"support.instagram.com", "permerror"),
        (b"@", "permerror"),
        (b"", "permerror"),
        (b"a@support=instagram.com", "permerror"),
    ],
)
async def test_the_identity_is_quoted_printable(identity: bytes, wanted: str) -> None:  # D15; §2.11, §3.5 i=
    raw = write_signature(usual(b"; i=" + identity), FIELDS, BODY, key())
    result = await judge(raw)
    assert result.result == wanted, result.reason


@pytest.mark.parametrize(
    ("identity", "wanted"),
    [
        (b"alice@support=2Einstagram.com", "pass"),
        (b"@SUPPORT.instagram.com", "pass"),
        (b"a@m=2Esupport.instagram.com", "permerror"),
    ],
)
async def test_a_strict_key_wants_the_domain_itself(identity: bytes, wanted: str) -> None:  # D4; §3.6.1 t=s
    raw = write_signature(usual(b"; i=" + identity), FIELDS, BODY, key())
    assert (await judge(raw, record(extra="t=y:s; ".replace("y:", "")))).result == wanted


@pytest.mark.parametrize(
    ("c", "forms", "wanted"),
    [
        (b"", ("simple", "simple"), "pass"),
        (b"; c=relaxed", ("relaxed", "simple"), "pass"),
        (b"; c=simple", ("simple", "simple"), "pass"),
        (b"; c=Relaxed/RELAXED", ("relaxed", "relaxed"), "pass"),
        (b"; c = relaxed/simple ", ("relaxed", "simple"), "pass"),
        (b"; c=relaxed/", ("relaxed", "simple"), "permerror"),
        (b"; c=/relaxed", ("simple", "relaxed"), "permerror"),
        (b"; c=", ("simple", "simple"), "permerror"),
        (b"; c=nowsp", ("relaxed", "relaxed"), "permerror"),
        (b"; c=relaxed/relaxed/relaxed", ("relaxed", "relaxed"), "permerror"),
    ],
)
async def test_the_canonical_forms_have_defaults(c: bytes, forms: tuple[str, str], wanted: str) -> None:
    head = b"DKIM-Signature: " + TAGS + c + b"; b=@B@"
    result = await judge(write_signature(head, FIELDS, BODY, key(), forms=forms))
    assert result.result == wanted, result.reason


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        (b"v=1;", b"v = 1 ;", "pass"),
        (b"v=1;", b"v=1.0;", "permerror"),
        (b"v=1;", b"", "permerror"),
        (b"v=1;", b"V=1;", "permerror"),
        (b"v=1;", b"v=1; v=1;", "permerror"),
        (b"v=1;", b"v=1; b=AAAA;", "permerror"),
        (b"v=1;", b"v=1; x-y=1;", "permerror"),
        (b"v=1;", b"v=1; junk;", "permerror"),
        (b"v=1;", b"v=1;;", "permerror"),
        (b"v=1;", b"v=1; a b=c;", "permerror"),
        (b"v=1;", b"v=1; x_9=a;", "pass"),
        (b"v=1;", b"v=1; q=dns/txt;", "pass"),
        (b"v=1;", b"v=1; q=DNS/TXT : http;", "pass"),
        (b"v=1;", b"v=1; q=http;", "permerror"),
        (b"v=1;", b"v=1; t=1795000000;", "pass"),
        (b"v=1;", b"v=1; t=1895000000;", "pass"),
        (b"v=1;", b"v=1; t=;", "permerror"),
        (b"v=1;", b"v=1; t=9999999999999;", "pass"),
        (b"v=1;", b"v=1; x=999999999999;", "pass"),
        (b"v=1;", b"v=1; x=" + b"9" * 5000 + b";", "pass"),
        (b"v=1;", b"v=1; t=1795000000; x=9999999999999;", "pass"),
        (b"v=1;", b"v=1; t=9999999999999; x=1895000000;", "permerror"),
        (b"v=1;", b"v=1; x=1895000000.5;", "permerror"),
        (b"v=1;", b"v=1; x=1000;", "fail"),
        (b"v=1;", b"v=1; l=100;", "policy"),
        (b"a=rsa-sha256", b"a=RSA-SHA256", "pass"),
        (b"a=rsa-sha256", b"a=rsa-sha512", "permerror"),
        (b"a=rsa-sha256", b"a=ed25519-sha256", "permerror"),
        (b"a=rsa-sha256", b"a=rsa-\r\n sha256", "permerror"),
        (b"d=support.instagram.com", b"d=Support.Instagram.COM", "pass"),
        (b"d=support.instagram.com", b"d=\r\n support.instagram.com\t", "pass"),
        (b"d=support.instagram.com", b"d=support.\r\n instagram.com", "permerror"),
        (b"d=support.instagram.com", b"d=@support.instagram.com", "permerror"),
        (b"h=from:to:subject:date", b"h=to:subject:date", "fail"),
    ],
)
async def test_the_other_tags(old: bytes, new: bytes, wanted: str) -> None:  # §3.2, §3.5, §6.1.1
    assert usual().count(old) == 1
    names = [b"to", b"subject", b"date"] if b"h=to" in new else (b"from", b"to", b"subject", b"date")
    raw = write_signature(usual().replace(old, new), FIELDS, BODY, key(), names=names)
    result = await judge(raw)
    assert result.result == wanted, result.reason


@pytest.mark.parametrize(
    ("domain", "selector"),
    [
        ("münchen.example", "sel"),
        ("xn--mnchen-3ya.example", "sel"),
        ("MÜNCHEN.example", "sel"),
        ("xn--mnchen-3ya.example", "schlüssel"),
        ("xn--mnchen-3ya.example", "xn--schlssel-95a"),
    ],
)
async def test_names_of_other_scripts_are_looked_up_as_a_labels(
    domain: str, selector: str
) -> None:  # RFC 8616 §4
    head = usual().replace(b"d=support.instagram.com", b"d=" + domain.encode())
    head = head.replace(b"s=" + SELECTOR.encode(), b"s=" + selector.encode())
    label = "sel" if selector == "sel" else "xn--schlssel-95a"
    zone: Zone = {f"{label}._domainkey.xn--mnchen-3ya.example": record(extra="")[KEY_NAME]}
    result = await judge(write_signature(head, FIELDS, BODY, key()), zone)
    assert (result.result, result.domain, result.selector) == ("pass", "xn--mnchen-3ya.example", label)


def key_text(bits: int = 1024) -> str:
    return dkim_key_record(key(bits)).partition("p=")[2]


def pkcs1(bits: int = 1024) -> str:
    public = load_pem_private_key(key(bits), None).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["v=DKIM1; p=P"], "pass"),
        (["p=P"], "pass"),
        (["p=P;"], "pass"),
        (["v=DKIM1;k=rsa;p=P; "], "pass"),
        (["v = DKIM1 ; k = RSA ; p = P"], "pass"),
        (["v=DKIM1; n=a note; foo=bar; p=P"], "pass"),
        (["v=DKIM1; p=P; n=p=AAAA; k=rsa"], "pass"),
        (["v=DKIM1; p=PKCS1"], "pass"),
        (["v=DKIM1; p= P\r\n "], "pass"),
        (["v=DKIM1; h=sha1:sha256:x; s=other : email; p=P"], "pass"),
        (["v=DKIM1; t=x; s=*; p=P"], "pass"),
        (["v=DKIM1; t=y; p=P"], "neutral"),
        (["v=DKIM1; k=ed25519; p=P"], "permerror"),
        (["v=DKIM1; k=ed25519; p=ED", "v=DKIM1; k=rsa; p=P"], "pass"),
        (["v=DKIM1; p=OTHER", "v=DKIM1; p=P"], "pass"),
        (["v=DKIM1; p=P", "v=DKIM1; p=OTHER"], "pass"),
        (["v=DKIM1; p=", "v=DKIM1; p=P"], "pass"),
        (["v=DKIM1; t=y; p=OTHER", "v=DKIM1; p=P"], "pass"),
        (["v=DKIM1; p=OTHER", "v=DKIM1; t=y; p=P"], "neutral"),
        (["v=DKIM2; p=P", "v=DKIM1; p=P"], "pass"),
        (["v=DKIM1; p=%%%", "v=spf1 -all", "p=P"], "pass"),
        (["v=DKIM1; p=OTHER", "v=DKIM1; k=ed25519; p=ED"], "fail"),
        (["v=DKIM1; p=", "v=DKIM1; p="], "fail"),
        (["v=DKIM1; s=tlsrpt; p=P"], "permerror"),
        (["v=DKIM1; h=sha1; p=P"], "permerror"),
        (["V=DKIM1; p=P", "note"], "pass"),
        # v= must stand first (§3.6.1), but only a record that begins with another version is discarded.
        (["k=rsa; v=DKIM1; p=P"], "pass"),
        (["p=P; v=DKIM1"], "pass"),
        (["k=rsa; v=DKIM2; p=P"], "permerror"),
        (["v=dkim1; p=P"], "permerror"),
        (["v=DKIM1; p=P; p=P"], "permerror"),
        (["v=DKIM1; P=P"], "permerror"),
        (["v=DKIM1; n=" + "x" * 20_000 + "; p=P"], "permerror"),
    ],
)
async def test_the_key_that_fits_counts(texts: list[str], wanted: str) -> None:  # D4; §3.6.1, §3.6.2.2
    keys = {"PKCS1": pkcs1(), "OTHER": key_text(2048), "ED": key_text(0), "P": key_text()}
    for name, text in keys.items():
        texts = [
            written.replace(f"p={name}", f"p={text}").replace(f"p = {name}", f"p = {text}")
            for written in texts
        ]
    texts = [text.replace("p= P", f"p= {key_text()[:40]} {key_text()[40:]}") for text in texts]
    result = await judge(
        write_signature(usual(), FIELDS, BODY, key()), {KEY_NAME: [{"TXT": t} for t in texts]}
    )
    assert result.result == wanted, result.reason


@pytest.mark.parametrize("cut", [0, 1, 2])
@pytest.mark.parametrize("bits", [1024, 2048, 0])
async def test_a_key_may_lack_its_padding(bits: int, cut: int) -> None:  # D15; §2.10
    text = dkim_key_record(key(bits), extra="")
    padding = len(text) - len(text.rstrip("="))
    head = usual().replace(b"a=rsa-sha256", b"a=ed25519-sha256" if bits == 0 else b"a=rsa-sha256")
    raw = write_signature(head, FIELDS, BODY, key(bits))
    zone: Zone = {KEY_NAME: [{"TXT": text[: len(text) - min(cut, padding)]}]}
    assert (await judge(raw, zone)).result == "pass"


async def test_a_key_may_come_in_several_strings() -> None:
    text = dkim_key_record(key(4096), extra="")
    pieces = [text[at : at + 100] for at in range(0, len(text), 100)]
    raw = write_signature(usual(), FIELDS, BODY, key(4096))
    assert (await judge(raw, {KEY_NAME: [{"TXT": pieces}]})).result == "pass"


async def test_at_most_four_records_of_a_selector_are_tried() -> None:
    others = [{"TXT": dkim_key_record(key(2048), extra=f"n={n}; ")} for n in range(4)]
    raw = write_signature(usual(), FIELDS, BODY, key())
    own = {"TXT": dkim_key_record(key())}
    assert (await judge(raw, {KEY_NAME: [*others[:3], own]})).result == "pass"
    assert (await judge(raw, {KEY_NAME: [*others, own]})).result == "fail"


async def test_the_evidence_names_the_key_that_fits() -> None:
    texts = [dkim_key_record(key(2048)), dkim_key_record(key(), extra="n=own; ")]
    result = await judge(
        write_signature(usual(), FIELDS, BODY, key()), {KEY_NAME: [{"TXT": t} for t in texts]}
    )
    assert (result.record, result.key_bits) == (texts[1], 1024)


ODD_BODIES = [
    b"",
    b"\r\n",
    b"\r\n" * 5,
    b" ",
    b" \r\n \r\n",
    b"a",
    b"a \r",
    b"a\r",
    b"a\r\n\r",
    b"a \r \r\n",
    b"\r\r\n\r\n",
    b"a\n\r\n\n",
    b"a\n\n\r\n\r\n",
    b"a\r\r\n\n\r\n",
    b"\t a\t\t b \t\r\n",
    b"a\x0b \x0c\r\n",
    b"\r\n\r\na\r\n",
    b"\n",
    b"\r",
]


@pytest.mark.parametrize("form", ["simple", "relaxed"])
def test_the_body_is_the_same_however_it_is_cut(form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of every small size against the form of the RFC line by line."""
    chance = Random(6376)
    bodies = ODD_BODIES + [bytes(chance.choices(b" \t\r\n\r\na", k=chance.randrange(40))) for _ in range(300)]
    for size in (1, 2, 3, 5, 1 << 16):
        monkeypatch.setattr("relaydesk.mailauth.body_hash._SLICE", size)
        for body in bodies:
            assert canonical_body(body, form) == body_form(body, form), (size, body)


@pytest.mark.parametrize("forms", FORMS)
@pytest.mark.parametrize("body", ODD_BODIES)
async def test_any_body_verifies(body: bytes, forms: tuple[str, str]) -> None:
    raw = write_signature(usual(forms=forms), FIELDS, body, key(), forms=forms)
    assert (await judge(raw)).result == "pass"


async def test_a_forged_signature_makes_nobody_hash_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def counted(_body: memoryview, how: str) -> bytes:
        hashed.append(how)
        return bytes(32)

    monkeypatch.setattr("relaydesk.mailauth.dkim.body_hash", counted)
    raw = write_signature(usual(), FIELDS, BODY, key())
    for zone in (
        {"x.example": []},
        {KEY_NAME: ["TIMEOUT"]},
        record(2048),
        {KEY_NAME: [{"TXT": "v=DKIM1; p="}]},
    ):
        assert (await judge(raw, zone)).result != "pass"
    assert (await judge(raw.replace(b"A \ttest", b"B test"))).result == "fail"
    assert hashed == []
    head = raw[: raw.index(b"Received:")]
    await verify_dkim(head * 4 + raw, over(record(extra="")), NOW)
    assert hashed == ["relaxed"]


async def test_it_agrees_with_dkimpy_on_ordinary_mail() -> None:
    chance = Random(7)
    words = [b"Hello", b" ", b"  ", b"\t", b"\r\n", b"parcel", b"\r\n\r\n", b"."]
    agreed = {True: 0, False: 0}
    for number in range(60):
        body = b"".join(chance.choices(words, k=30)) + b"\r\n"
        forms = FORMS[number % 4]
        raw = write_signature(usual(forms=forms), FIELDS, body, key(), forms=forms)
        if number % 3 == 0:
            at = chance.randrange(raw.index(b"Received:"), len(raw))
            raw = raw[:at] + chance.choice([b"x", b" ", b"\r\n "]) + raw[at:]
        ours = (await judge(raw)).result == "pass"
        try:
            theirs = dkim.verify(raw, dnsfunc=lambda *_, **__: dkim_key_record(key()).encode())
        except dkim.DKIMException:
            theirs = False
        assert ours == theirs, raw
        agreed[ours] += 1
    assert min(agreed.values()) > 3
