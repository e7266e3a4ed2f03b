"""A certificate that a maker gave a device in the factory: whether it leads to an authority that the product trusts.

Who it is for is the common name; that the device has the private key is shown by a request that this very key has signed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

Kind = TypeVar("Kind", bound=x509.ExtensionType)
LONGEST = 32_768  # characters
MOST = 5  # certificates of a chain, and authorities of a product
UNDERSTOOD = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName)
"""Extensions that may be critical: by any other the maker demands what we would not heed."""
FOR_CLIENTS = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


def read_certificates(text: object) -> list[x509.Certificate]:
    """One to MOST certificates in PEM, one behind the other. Raises ValidationError `bad_certificate`."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise _bad(_("A text of at most %(limit)d characters.") % {"limit": LONGEST})
    if "PRIVATE KEY" in text:
        raise _bad(_("This is a private key: it stays where it is. Send certificates only."))
    try:
        found = x509.load_pem_x509_certificates(text.strip().encode())
        for each in found:
            each.public_key()
            list(each.extensions)
    except (ValueError, UnsupportedAlgorithm, TypeError):
        raise _bad(_("These are no certificates in PEM.")) from None
    if len(found) > MOST:
        raise _bad(_("At most %(limit)d certificates.") % {"limit": MOST})
    return found


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may sign others."""
    basic, usage = _extension(certificate, x509.BasicConstraints), _extension(certificate, x509.KeyUsage)
    return basic is not None and bool(basic.ca) and (usage is None or bool(usage.key_cert_sign))


def leads_to(chain: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], now: datetime) -> bool:
    """Whether the first one is a client's, signed by the next one or by a trusted one, and so on; all of them in force."""
    if not _is_client(chain[0]) or not all(_holds(each, now) for each in chain):
        return False
    for depth, each in enumerate(chain):
        if any(_signed(each, other, depth) and _holds(other, now) for other in trusted):
            return True
        if depth + 1 == len(chain) or not _signed(each, chain[depth + 1], depth):
            return False
    return False


def common_name(certificate: x509.Certificate) -> str:
    """Empty where there is none, or several."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else ""


def same_key(certificate: x509.Certificate, request_key: object) -> bool:
    """Whether the certificate is for this public key."""
    shape = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return certificate.public_key().public_bytes(*shape) == request_key.public_bytes(*shape)  # type: ignore[attr-defined]


def _signed(certificate: x509.Certificate, issuer: x509.Certificate, below: int) -> bool:
    """`below`: how many authorities stand between the issuer and the device."""
    if not is_authority(issuer):
        return False
    basic = _extension(issuer, x509.BasicConstraints)
    if basic is not None and basic.path_length is not None and basic.path_length < below:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _holds(certificate: x509.Certificate, now: datetime) -> bool:
    critical = [each for each in certificate.extensions if each.critical and not isinstance(each.value, UNDERSTOOD)]
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc and not critical


def _is_client(certificate: x509.Certificate) -> bool:
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    return not is_authority(certificate) and (usage is None or bool(FOR_CLIENTS & set(usage)))


def _extension(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _bad(message: str) -> ValidationError:
    return ValidationError(message, code="bad_certificate")
