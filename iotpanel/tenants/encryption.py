"""Secrets that we must be able to read again (signing secrets), encrypted with keys derived from SECRET_KEY."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

_SALT = "iotpanel.tenants.encryption"


def encrypt(text: str, *, purpose: str) -> bytes:
    """Encrypted and authenticated; only `decrypt` with the same purpose reads it."""
    return _cipher(purpose).encrypt(text.encode())


def decrypt(token: bytes, *, purpose: str) -> str:
    """Raises ValueError where the token is not ours, or SECRET_KEY has changed without a fallback."""
    try:
        return _cipher(purpose).decrypt(bytes(token)).decode()
    except InvalidToken as error:
        raise ValueError("not encrypted with this SECRET_KEY") from error


def _cipher(purpose: str) -> MultiFernet:
    """The newest key encrypts; SECRET_KEY_FALLBACKS still decrypt, so that the key can be changed."""
    return MultiFernet([_fernet(str(secret), purpose) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(secret: str, purpose: str) -> Fernet:
    digest = salted_hmac(_SALT, purpose, secret=secret, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(digest))
