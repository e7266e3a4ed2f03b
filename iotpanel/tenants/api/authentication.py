"""Who asks: by session (with CSRF), `Bearer` user token or API key, or a signed request (`signatures.py`)."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from iotpanel.tenants import api_keys
from iotpanel.tenants.models import ApiKey, User

from .principals import Service
from .signatures import verify

API_KEY_BEGINS = "iot_"
TOUCH_EVERY = 60  # seconds; "last used" need not be written with every request


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <user token or API key>`; API keys begin with `iot_`."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise AuthenticationFailed(_("Write “Bearer”, a space and the token."))
        try:
            token = parts[1].decode("ascii")
        except UnicodeDecodeError as error:
            raise AuthenticationFailed(_("This token is not valid.")) from error
        return by_api_key(token) if token.startswith(API_KEY_BEGINS) else by_user_token(token)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="iotpanel"'


class SignedAuthentication(BaseAuthentication):
    """`Authorization: HMAC id=..., ts=..., nonce=..., sig=...`; `id` is the beginning of the API key."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        header = get_authorization_header(request)
        if header.split(b" ", 1)[0].lower() != b"hmac":
            return None
        return _service(verify(request._request, header))

    def authenticate_header(self, request: Request) -> str:
        return "HMAC"


class CsrfSession(SessionAuthentication):
    """A signed-in browser."""


def by_user_token(token: str) -> tuple[User, Any]:
    """The person and their token; raises AuthenticationFailed for one that is wrong, ended or revoked."""
    user, found = TokenAuthentication().authenticate_credentials(token.encode())
    return user, found


def by_api_key(key: str) -> tuple[Service, ApiKey]:
    """The service and its key; raises AuthenticationFailed for one that is wrong, ended or revoked."""
    found = api_keys.find(key)
    if found is None:
        raise AuthenticationFailed(_("This API key is not valid."))
    return _service(found)


def _service(api_key: ApiKey) -> tuple[Service, ApiKey]:
    now = timezone.now()
    if api_key.last_used_at is None or (now - api_key.last_used_at).total_seconds() > TOUCH_EVERY:
        ApiKey.objects.filter(pk=api_key.pk).update(last_used_at=now)
    return Service(api_key), api_key
