"""DKIM signatures of our own making (by dkimpy), for the demo's mail, for samples and for tests."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

import dkim
import nacl.signing
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from dkim.canonicalization import CanonicalizationPolicy
from dkim.crypto import parse_pem_private_key

from relaydesk.mailauth.body_hash import Canonical, canonical_body
from relaydesk.mailauth.signed_header import header_fields, signed_fields, split_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaydesk.mailauth.signed_header import Field

# What Instagram signs (mail of 2025): Reply-To and Message-ID are not among it.
META_HEADERS = ("Date", "To", "Subject", "From", "MIME-Version", "Content-Type")


def new_dkim_key(bits: int = 2048) -> bytes:
    """A fresh RSA key of so many bits, or an Ed25519 key for 0, as unencrypted PKCS #8 PEM."""
    key = rsa.generate_private_key(65537, bits) if bits else ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def dkim_key_record(private_key_pem: bytes, extra: str = "h=sha256; t=s; ") -> str:
    """The TXT record to publish for a key at ``selector._domainkey.domain`` (RFC 6376 §3.6.1)."""
    public = _load(private_key_pem).public_key()
    if isinstance(public, rsa.RSAPublicKey):
        kind, material = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, material = "ed25519", public.public_bytes_raw()
    return f"v=DKIM1; k={kind}; {extra}p={base64.b64encode(material).decode('ascii')}"


def sign_dkim(  # noqa: PLR0913 - a signature has that many parts, and most have their defaults
    raw: bytes,
    domain: str,
    selector: str,
    private_key_pem: bytes,
    *,
    headers: Sequence[str] = META_HEADERS,
    canonicalization: str = "relaxed/simple",
    tags: Sequence[tuple[str, str]] = (),
    algorithm: str = "",
) -> bytes:
    """``raw`` (with CRLF line ends) with a DKIM-Signature on top.

    ``tags`` are further ones in order, such as ``("t", "1763900000")``; nothing reads the clock.
    ``algorithm`` is the key's own with SHA-256, unless ``"rsa-sha1"`` is asked for (RFC 8301 forbids it, so
    that samples must show it refused).

    :raises ValueError: for a key that is neither RSA nor Ed25519 in unencrypted PEM.
    """
    key = _load(private_key_pem)
    section, body = split_message(raw)
    form: Canonical = "relaxed" if canonicalization.endswith("/relaxed") else "simple"
    signer = dkim.DKIM()
    signer.headers, names = _selection(section, headers, simple=canonicalization.startswith("simple"))
    if isinstance(key, rsa.RSAPrivateKey):
        named, signing_key = b"rsa-sha256", parse_pem_private_key(private_key_pem)
    else:
        named, signing_key = b"ed25519-sha256", nacl.signing.SigningKey(key.private_bytes_raw())
    named = algorithm.encode() or named
    signer.signature_algorithm, signer.hasher = named, dkim.HASH_ALGORITHMS[named]
    hashed = canonical_body(body, form)
    written = [
        (b"v", b"1"),
        (b"a", named),
        (b"c", canonicalization.encode()),
        (b"d", domain.encode()),
        (b"s", selector.encode()),
        *((name.encode(), value.encode()) for name, value in tags),
        # dkimpy folds at blanks and else in the middle of a word, so a long list needs some (RFC 6376 §3.5).
        (b"h", (":" if len(headers) <= len(META_HEADERS) else ": ").join(headers).encode()),
        (b"bh", base64.b64encode(signer.hasher(hashed).digest())),
        (b"b", b"0" * 60),
    ]
    policy = CanonicalizationPolicy.from_c_value(canonicalization.encode())
    value: bytes = signer.gen_header(written, names, policy, b"DKIM-Signature", signing_key)
    return b"DKIM-Signature: " + value + raw


def _selection(
    section: bytes, headers: Sequence[str], *, simple: bool
) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """The fields as dkimpy takes them, name and value, and the names of those to sign, in lower case.

    dkimpy knows a field by its name as written; the simple form keeps a blank before the colon (§3.4.1).
    """

    def split(field: Field) -> tuple[bytes, bytes]:
        name, _, value = field.raw.partition(b":")
        return name if simple else name.rstrip(b" \t"), value

    fields = header_fields(section)
    signed = signed_fields(fields, (name.lower().encode() for name in headers))
    return [split(field) for field in fields], [split(field)[0].lower() for field in signed]


@lru_cache(maxsize=8)  # to read and prove an RSA key takes longer than to sign with it
def _load(private_key_pem: bytes) -> rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    key = load_pem_private_key(private_key_pem, password=None)
    if not isinstance(key, (rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey)):
        raise ValueError("A DKIM key is RSA or Ed25519; make one with 'openssl genrsa 2048'.")
    return key
