"""DKIM key records (RFC 6376 §3.6.1, RFC 8301, RFC 8463) as keys that OpenSSL verifies with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from relaydesk.mailauth.tag_list import TagListError, base64_octets, parse_tags
from relaydesk.message import printable

if TYPE_CHECKING:
    from relaydesk.message import Result

RSA_BITS = range(1024, 4097)  # RFC 8301 §3.2 below; above, verifying costs more than a message is worth
_DER_LIMIT = 600  # a SubjectPublicKeyInfo of 4096 bits has 550 bytes
_EXPONENTS = range(3, 1 << 32)
_RECORD_LIMIT = 1 << 14  # octets of a record; its key and its notes stay far below
_RSA_PADDING, _RSA_HASH = PKCS1v15(), Prehashed(SHA256())


class SignatureProblem(Exception):  # noqa: N818 - a finding about a signature, no error of ours
    """Why a signature does not count, as a sentence; ``result`` is what it gets."""

    def __init__(self, result: Result, why: str) -> None:
        super().__init__(why)
        self.result = result


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public key. ``exact_identity`` is ``t=s``: i= must be of d= itself; ``testing`` is ``t=y``."""

    public: RSAPublicKey | Ed25519PublicKey
    algorithm: str
    bits: int
    exact_identity: bool = False
    testing: bool = False

    def fits(self, digest: bytes, signature: bytes) -> bool:
        """Whether the signature over this SHA-256 digest was made with the private key."""
        try:
            if isinstance(self.public, RSAPublicKey):
                self.public.verify(signature, digest, _RSA_PADDING, _RSA_HASH)
            else:
                self.public.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


@lru_cache(maxsize=1024)
def parse_key(record: bytes, algorithm: str) -> VerifyKey:
    """The key of one record, for a signature made with ``algorithm`` ("rsa" or "ed25519").

    :raises SignatureProblem: with the result the signature gets (RFC 6376 §6.1.2).
    """
    if len(record) > _RECORD_LIMIT:
        raise SignatureProblem("permerror", f"The key record has more than {_RECORD_LIMIT} octets.")
    tags = _tags(record)
    if tags.get(b"v", b"DKIM1") != b"DKIM1":
        raise SignatureProblem("permerror", "The key record is of another version than DKIM1.")
    if b"sha256" not in _listed(tags.get(b"h", b"sha256")):
        raise SignatureProblem("permerror", "The key record does not allow sha256 (h=).")
    if not {b"email", b"*"} & _listed(tags.get(b"s", b"*")):
        raise SignatureProblem("permerror", "The key record is not for mail (s=).")
    if tags.get(b"k", b"rsa").lower() != algorithm.encode():
        raise SignatureProblem("permerror", f"The key record is not for {algorithm} (k=).")
    flags = _listed(tags.get(b"t", b""))
    public, bits = _public(tags[b"p"], algorithm)
    return VerifyKey(public, algorithm, bits, exact_identity=b"s" in flags, testing=b"y" in flags)


def _tags(record: bytes) -> dict[bytes, bytes]:
    try:
        tags = parse_tags(record)
    except TagListError:
        tags = {}
    if b"p" not in tags:
        raise SignatureProblem("permerror", "The key record cannot be read.")
    return tags


def _listed(value: bytes) -> set[bytes]:
    return {item.strip().lower() for item in value.split(b":")}


def _public(encoded: bytes, algorithm: str) -> tuple[RSAPublicKey | Ed25519PublicKey, int]:
    if not encoded:
        raise SignatureProblem("fail", "The key was revoked (empty p=).")
    material = base64_octets(encoded)
    if material is None:
        raise SignatureProblem("permerror", "The key is not base64 (p=).")
    try:
        if algorithm == "ed25519":
            return Ed25519PublicKey.from_public_bytes(material), 256
        if len(material) > _DER_LIMIT:
            raise SignatureProblem("policy", f"The RSA key is longer than {RSA_BITS[-1]} bits.")
        key = load_der_public_key(material)
    except (ValueError, UnsupportedAlgorithm) as broken:
        raise SignatureProblem("permerror", f"The key cannot be read ({printable(str(broken))}).") from None
    if not isinstance(key, RSAPublicKey):
        raise SignatureProblem("permerror", "The key is not an RSA key.")
    if key.key_size not in RSA_BITS:
        raise SignatureProblem(
            "policy", f"The RSA key has {key.key_size} bits, not {RSA_BITS[0]} to {RSA_BITS[-1]}."
        )
    if key.public_numbers().e not in _EXPONENTS:
        raise SignatureProblem("policy", "The exponent of the RSA key is out of bounds.")
    return key, key.key_size
