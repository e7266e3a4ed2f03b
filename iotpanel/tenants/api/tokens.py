"""Signing in for programs that a person uses: name and password (and code) for a token."""

from typing import Any

from allauth.mfa.models import Authenticator
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from knox.settings import knox_settings
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from iotpanel.api.errors import ApiError, Unauthorized
from iotpanel.tenants.lockout import locked
from iotpanel.tenants.models import User

from .base import Endpoint
from .serializers import TokenAnswer, TokenRequest


class TokenView(Endpoint):
    """A token for a name and a password; ten wrong ones lock name and address together for 15 minutes."""

    public = True

    @extend_schema(request=TokenRequest, responses={200: TokenAnswer}, auth=[], operation_id="auth_token_create")
    def post(self, request: Request) -> Response:
        given = TokenRequest(data=request.data)
        given.is_valid(raise_exception=True)
        user = sign_in(request, **given.validated_data)
        token, text = new_token(user)
        return Response(TokenAnswer({"token": text, "expires_at": token.expiry}).data)

    @extend_schema(request=None, responses={204: None}, operation_id="auth_token_revoke")
    def delete(self, request: Request) -> Response:
        """Revokes the token that this request is signed in with."""
        if not isinstance(request.auth, AuthToken):
            raise Unauthorized("not_authenticated", _("Send the token that shall be revoked."))
        request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


def new_token(user: User) -> tuple[AuthToken, str]:
    """A token and its text; of more than a hundred a person's oldest end."""
    token, text = AuthToken.objects.create(user)
    kept = AuthToken.objects.filter(user=user).order_by("-created").values("pk")[: knox_settings.TOKEN_LIMIT_PER_USER]
    AuthToken.objects.filter(user=user).exclude(pk__in=kept).delete()
    return token, text


def sign_in(request: Request, *, username: str, password: str, otp: str = "") -> User:
    """The person; raises Unauthorized (`otp_required` where only the code is missing), TooMany where locked."""
    credentials = {"username": username}
    asked = request._request
    if not AxesProxyHandler.is_allowed(asked, credentials):
        raise locked()
    user: Any = authenticate(asked, username=username, password=password)
    if user is None:
        raise _wrong(asked, credentials)
    if not second_factor(user, otp):
        if not otp:
            raise CodeNeeded()
        user_login_failed.send(sender=__name__, credentials=credentials, request=asked)
        raise _wrong(asked, credentials)
    user_logged_in.send(sender=User, request=asked, user=user)
    return user


class CodeNeeded(Unauthorized):
    """Name and password are right; the code is still to be given."""

    def __init__(self) -> None:
        super().__init__("otp_required", _("Give the code of your second factor as “otp”."))


def second_factor(user: User, otp: str) -> bool:
    """Whether the code is right, or none is needed. A recovery code is used up by it."""
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]
    factors = list(Authenticator.objects.filter(user=user))
    if not factors:
        return True
    return bool(otp) and any(_fits(factor, otp) for factor in factors if factor.type in kinds)


def _fits(factor: Authenticator, otp: str) -> bool:
    if not factor.wrap().validate_code(otp):
        return False
    factor.record_usage()
    return True


def _wrong(request: Any, credentials: dict[str, str]) -> ApiError:
    if getattr(request, "axes_locked_out", False) or not AxesProxyHandler.is_allowed(request, credentials):
        return locked()
    return Unauthorized("wrong_credentials", _("Name or password is wrong."))
