"""Accounts are made by owners and administrators: nobody registers, neither here nor through single sign-on."""

from http import HTTPStatus
from typing import Any

import requests
import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest
from django.shortcuts import render

from iotpanel.tenants.models import User

log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any) -> None:
        """All but “signed in as …” over the page that one came for."""
        if message_template not in ("account/messages/logged_in.txt", "account/messages/logged_out.txt"):
            super().add_message(request, level, message_template, *args, **kwargs)


class SocialAdapter(DefaultSocialAccountAdapter):
    """Who comes from the sign-on provider must have an account already, found by the verified e-mail address.

    From then on the provider's own id of the person counts, whatever becomes of the address.
    """

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        """The one account with the address. ``"false"``, as some providers write it, is not ``True``, and of two accounts none is meant."""
        for address in sociallogin.email_addresses:
            found = people_with(address.email) if address.verified is True else []
            if len(found) == 1:
                return found[0], address.email
        return None

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **_: Any) -> None:
        """The person reads that it did not work; the log says why. Texts of the provider stay out: they may hold a token."""
        log.warning("sign_on_failed", provider=str(provider), error=str(error), exception=type(exception).__name__ if exception else None)

    def get_requests_session(self) -> requests.Session:
        return PatientSession(self.request)


def people_with(address: str) -> list[User]:
    """Those who may sign in and have this address. The database takes a dotless i for an i, which an address must not."""
    candidates = User.objects.filter(is_active=True, email__iexact=address)
    return [user for user in candidates if user.email.lower() == address.lower()]


class PatientSession(requests.Session):
    """Asks the provider; where it does not answer, or with an error, the person gets a page that says so."""

    SECONDS = 5

    def __init__(self, asker: HttpRequest | None) -> None:
        super().__init__()
        self.asker = asker

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            answer = super().request(*args, **{"timeout": self.SECONDS} | kwargs)
            answer.raise_for_status()
        except requests.RequestException as error:
            log.warning("sign_on_unreachable", error=type(error).__name__)
            page = render(self.asker, "socialaccount/authentication_error.html", status=HTTPStatus.BAD_GATEWAY)
            raise ImmediateHttpResponse(page) from error
        return answer
