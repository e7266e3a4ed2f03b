"""Encryption for one browser (RFC 8291): only it can read the message, and the push service in between cannot."""

import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD = 4096  # bytes: what every push service takes
LONGEST = RECORD - 86 - 1 - 16  # bytes of a message: without the header, the delimiter and the tag
CURVE = ec.SECP256R1()


def seal(text: bytes, p256dh: bytes, auth: bytes, *, key: ec.EllipticCurvePrivateKey | None = None, salt: bytes = b"") -> bytes:
    """One record of aes128gcm for the browser with this public key and secret. `key` and `salt` are fresh but in tests.

    Raises ValueError for what is too long, or a key that is no point of the curve.
    """
    if len(text) > LONGEST:
        raise ValueError(f"{len(text)} bytes are too many for one push message")
    ours, salt = key or ec.generate_private_key(CURVE), salt or os.urandom(16)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, p256dh)
    point = ours.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = _derive(ours.exchange(ec.ECDH(), theirs), salt=auth, info=b"WebPush: info\0" + p256dh + point, length=32)
    content_key = _derive(shared, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derive(shared, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    header = salt + RECORD.to_bytes(4) + bytes([len(point)]) + point
    return header + AESGCM(content_key).encrypt(nonce, text + b"\x02", None)  # 2: the last record


def _derive(key: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(key)
