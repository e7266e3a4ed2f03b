"""What a device asks us to sign: checked for its shape, its signature and its key; its subject is not read."""

from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from iotpanel.local.device_authority import PublicKey

LONGEST = 16_384  # characters
CURVES = {"secp256r1": "EC P-256", "secp384r1": "EC P-384"}
RSA_BITS = (2048, 4096)
HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def read_request(text: Any) -> PublicKey:
    """The public key of a certificate signing request in PEM. Raises ValidationError `bad_csr`, `weak_key`."""
    request = _load(text)
    try:
        ours = request.signature_hash_algorithm is None or isinstance(request.signature_hash_algorithm, HASHES)
        signed = ours and request.is_signature_valid
        key = request.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _bad(_("Its key or signature is of a kind that is not taken.")) from None
    if not signed:
        raise _bad(_("Its signature is not that of its key, or uses an old hash."))
    kind_of(key)
    return key  # type: ignore[return-value]  # kind_of takes no other


def _load(text: Any) -> x509.CertificateSigningRequest:
    if not isinstance(text, str) or len(text) > LONGEST:
        raise _bad(_("A text of at most %(limit)d characters.") % {"limit": LONGEST})
    if "PRIVATE KEY" in text:
        raise _bad(_("This is a private key: it stays on the device. Send the request only."))
    try:
        return x509.load_pem_x509_csr(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise _bad(_("This is no certificate signing request in PEM.")) from None


def kind_of(key: Any) -> str:
    """What the key is called. Raises ValidationError `weak_key` for any that we do not sign."""
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES:
        return CURVES[key.curve.name]
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519"
    if isinstance(key, rsa.RSAPublicKey) and RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
        return f"RSA {key.key_size}"
    raise ValidationError({"csr": ValidationError(_("A key of EC P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits."), code="weak_key")})


def _bad(message: str) -> ValidationError:
    return ValidationError({"csr": ValidationError(message, code="bad_csr")})
