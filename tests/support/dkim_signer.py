"""A signer that follows RFC 6376 to the letter and shares no line with the verifier.

It writes a signature in whatever shape a test asks for: the field stands as the test wrote it, with ``@BH@``
and ``@B@`` where the hash and the signature go. What is signed is the field with ``@B@`` and all white space
around it taken out (§3.7), so no tag is looked for.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def write_signature(
    template: bytes,
    fields: Sequence[bytes],
    body: bytes,
    private_key: bytes,
    *,
    names: Sequence[bytes] = (b"from", b"to", b"subject", b"date"),
    forms: tuple[str, str] = ("relaxed", "relaxed"),
    write: Callable[[bytes], bytes] = lambda encoded: encoded,
) -> bytes:
    """The message: a signature by ``template`` on top, then the fields (each with its CRLF), then the body.

    ``names`` are what is signed, in order and as often as written; ``forms`` those of header and body;
    ``write`` turns base64 into what stands in ``b=`` and ``bh=``.
    """
    hashed = base64.b64encode(hashlib.sha256(body_form(body, forms[1])).digest())
    field = template.replace(b"@BH@", write(hashed)) + b"\r\n"
    signed = b"".join(header_form(chosen, forms[0]) for chosen in selected(fields, names))
    emptied = re.sub(rb"[ \t\r\n]*@B@[ \t\r\n]*(?=;|\Z)", b"", field)
    if not emptied.endswith(b"\r\n"):
        emptied += b"\r\n"
    signed += header_form(emptied, forms[0])[:-2]
    signature = base64.b64encode(sign(signed, private_key))
    return field.replace(b"@B@", write(signature)) + b"".join(fields) + b"\r\n" + body


def sign(text: bytes, private_key: bytes) -> bytes:
    key = load_pem_private_key(private_key, password=None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(hashlib.sha256(text).digest())  # RFC 8463 §3
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.sign(text, PKCS1v15(), SHA256())


def selected(fields: Sequence[bytes], names: Sequence[bytes]) -> list[bytes]:
    """§5.4.2: the last field of a name first, the next one up for the second time, then nothing."""
    chosen = []
    for place, name in enumerate(names):
        again = [earlier.strip().lower() for earlier in names[:place]].count(name.strip().lower())
        same = [field for field in fields if field.split(b":")[0].strip().lower() == name.strip().lower()]
        if again < len(same):
            chosen.append(same[len(same) - 1 - again])
    return chosen


def header_form(field: bytes, form: str) -> bytes:
    """§3.4.1, §3.4.2, step by step."""
    if form == "simple":
        return field
    name, value = field.split(b":", 1)
    value = re.sub(rb"\r\n(?=[ \t])", b"", value)
    value = re.sub(rb"[ \t]+", b" ", value)
    value = re.sub(rb" (?=\r\n\Z)", b"", value)
    return name.lower().rstrip(b" \t") + b":" + value.lstrip(b" ")


def body_form(body: bytes, form: str) -> bytes:
    """§3.4.3, §3.4.4, line by line."""
    lines = body.split(b"\r\n")
    if lines[-1] == b"":
        lines.pop()
    if form == "relaxed":
        lines = [re.sub(rb"[ \t]+", b" ", line) for line in lines]
        lines = [line.removesuffix(b" ") for line in lines]
    while lines and lines[-1] == b"":
        lines.pop()
    if not lines:
        return b"" if form == "relaxed" else b"\r\n"
    return b"\r\n".join(lines) + b"\r\n"
