"""Ed25519 signatures of images: over the 32 bytes of the image's SHA-256, so that neither side needs the image in memory.

openssl dgst -sha256 -binary image.bin > digest
openssl pkeyutl -sign -rawin -inkey key.pem -in digest | base64 -w0
"""

import base64
import binascii
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

KEY_BYTES, SIGNATURE_BYTES = 32, 64
LONGEST = 2_000  # characters of what somebody pastes


def clean_key(value: Any) -> str:
    """A public key as base64 of its 32 bytes; PEM, hex and base64 are taken, empty takes it away. Raises ValidationError."""
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ValidationError(_("This must be a text."), code="bad_type")
    text = value.strip()
    if not text:
        return ""
    raw = _from_pem(text) if text.startswith("-----") else decoded(text, KEY_BYTES)
    if raw is None:
        raise ValidationError(_("An Ed25519 public key: PEM, or its 32 bytes as base64 or hex."), code="bad_key")
    return base64.b64encode(raw).decode()


def decoded(text: str, size: int) -> bytes | None:
    """So many bytes out of hex or base64; None where they are not that."""
    plain = "".join(text.split())
    try:
        raw = bytes.fromhex(plain) if len(plain) == 2 * size else base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == size else None


def is_right(key: str, signature: bytes, sha256: str) -> bool:
    """Whether the signature is the key's, over the digest of this hex text."""
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, bytes.fromhex(sha256))
    except InvalidSignature:
        return False
    return True


def _from_pem(text: str) -> bytes | None:
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw) if isinstance(key, Ed25519PublicKey) else None
