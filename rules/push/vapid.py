"""Who we are to push services (RFC 8292): one key pair of this installation, and a token signed with it for each request."""

import base64
import time
from functools import cache
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
LIFE = 12 * 3600  # seconds; push services take no more than 24 hours


def is_set() -> bool:
    """Whether the operator gave this installation a key."""
    return bool(settings.VAPID_KEY)


def public_key() -> str:
    """What a browser subscribes with: an uncompressed point, as URL-safe base64."""
    point = _key(settings.VAPID_KEY).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64url(point)


def authorization(endpoint: str) -> str:
    """The header of a request to this endpoint."""
    place = urlsplit(endpoint)
    claims = {"aud": f"{place.scheme}://{place.netloc}", "exp": int(time.time()) + LIFE, "sub": settings.VAPID_SUBJECT}
    said = ".".join(base64url(orjson.dumps(part)) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(_key(settings.VAPID_KEY).sign(said.encode(), ec.ECDSA(hashes.SHA256())))
    return f"vapid t={said}.{base64url(r.to_bytes(32) + s.to_bytes(32))}, k={public_key()}"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@cache
def _key(secret: str) -> ec.EllipticCurvePrivateKey:
    """The key that the installation's secret stands for: 384 bits out of it, so that no number is likelier than another."""
    seed = HKDF(algorithm=hashes.SHA256(), length=48, salt=None, info=b"iotpanel vapid").derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(seed) % (ORDER - 1) + 1, ec.SECP256R1())
