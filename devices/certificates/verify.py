"""Whose certificate this is, for brokers of others that ask us: they have checked that its private key is there."""

import string

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from devices.models import DeviceCertificate

DIGITS = set(string.hexdigits)
LONGEST = 16_384  # characters


def holder(certificate: str) -> str:
    """The key of the device whose certificate is in force; empty for any other. Takes PEM or its SHA-256 fingerprint."""
    found = fingerprint_of(certificate)
    row = DeviceCertificate.objects.in_force().filter(fingerprint=found).select_related("device").first() if found else None
    return row.device.key if row is not None and row.device is not None and row.device.key == row.key else ""


def fingerprint_of(certificate: str) -> str:
    """64 hexadecimal digits; empty where this is neither PEM nor a fingerprint."""
    if len(certificate) > LONGEST:
        return ""
    plain = certificate.replace(":", "").strip().lower()
    if len(plain) == 64 and set(plain) <= DIGITS:
        return plain
    try:
        return x509.load_pem_x509_certificate(certificate.encode(errors="replace")).fingerprint(hashes.SHA256()).hex()
    except ValueError:
        return ""
