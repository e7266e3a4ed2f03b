"""Single sign-on against a provider that runs: who gets in, as whom, and who does not."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from iotpanel.tenants.models import Role, Tenant, User
from tests import make
from tests.pages.openid import CLIENT, SECRET, Provider, provider
from tests.pages.people import browser, words

pytestmark = pytest.mark.django_db

LOGIN, CALLBACK = "/accounts/oidc/sso/login/", "/accounts/oidc/sso/login/callback/"
VERIFIED = {"sub": "7", "email": "olga@example.org", "email_verified": True}


@pytest.fixture
def sso(settings: LazySettings) -> Iterator[Provider]:
    cache.clear()
    with provider() as running:
        app = {
            "provider_id": "sso",
            "name": "Plant sign-on",
            "client_id": CLIENT,
            "secret": SECRET,
            "settings": {"server_url": running.url, "oauth_pkce_enabled": True},
        }
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
        yield running


@pytest.fixture
def olga(tenant: Tenant) -> User:
    return make.make_member(tenant, Role.OWNER, username="olga", email="Olga@Example.org")


def begin(client: Client, **query: str) -> dict[str, str]:
    """Press the button; what the provider is asked."""
    answer = client.post(LOGIN, query_params=query)
    assert answer.status_code == 302, words(answer.content)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def come_back(client: Client, **query: str) -> Any:
    return client.get(CALLBACK, {"code": "good", **query})


def sign_in(client: Client) -> Any:
    return come_back(client, state=begin(client)["state"])


def is_in(client: Client) -> bool:
    return client.get("/devices/").status_code == 200


def test_the_first_sign_in_finds_the_account_by_its_address_and_its_tenant(sso: Provider, olga: User, stranger: User) -> None:
    sso.claims = VERIFIED
    client = browser()

    asked = begin(client, next="/devices/")
    answer = come_back(client, state=asked["state"])

    assert answer["Location"] == "/devices/"
    assert client.session["_auth_user_id"] == str(olga.pk)
    assert SocialAccount.objects.get().user == olga
    assert User.objects.count() == 2, "nobody was made"
    assert "Home" in words(client.get("/devices/").content)
    assert "Elsewhere" not in words(client.get("/devices/").content)


def test_the_exchange_proves_who_we_are_and_that_it_is_the_same_browser(sso: Provider, olga: User) -> None:
    sso.claims = VERIFIED
    asked = begin(client := browser())
    come_back(client, state=asked["state"])

    assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT, "code", "S256")
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}
    assert sso.asked[0]["client_secret"] == SECRET
    assert len(sso.asked[0]["code_verifier"]) >= 43


def test_a_password_that_somebody_else_gave_ends_with_the_first_sign_on(sso: Provider, olga: User) -> None:
    """Whoever made the account knew its password; from now on it is the person's own."""
    sso.claims = VERIFIED
    sign_in(browser())

    olga.refresh_from_db()
    assert not olga.has_usable_password()


def test_later_the_provider_s_id_counts_whatever_becomes_of_the_address(sso: Provider, olga: User, tenant: Tenant) -> None:
    sso.claims = VERIFIED
    sign_in(browser())
    User.objects.filter(pk=olga.pk).update(email="o@new.example")
    make.make_viewer(tenant, email="olga@example.org")

    sign_in(client := browser())

    assert client.session["_auth_user_id"] == str(olga.pk)


@pytest.mark.parametrize("verified", [False, None, "false", "true", 1])
def test_an_address_that_is_not_verified_takes_over_nothing(sso: Provider, olga: User, verified: Any) -> None:
    """Also where the provider writes the word as text, which would be true of any text."""
    sso.claims = VERIFIED | {"email_verified": verified}

    answer = sign_in(client := browser())

    assert "made by an administrator" in words(answer.content)
    assert not is_in(client)
    assert not SocialAccount.objects.exists()
    olga.refresh_from_db()
    assert olga.check_password(make.PASSWORD)


@pytest.mark.parametrize("address", ["nobody@example.org", "olga@example.org.evil.example", "olga@example.\u0131rg", "", "%"])
def test_who_has_no_account_gets_none(sso: Provider, olga: User, address: str) -> None:
    sso.claims = VERIFIED | {"email": address}

    assert "made by an administrator" in words(sign_in(client := browser()).content)
    assert not is_in(client)
    assert User.objects.count() == 1


def test_letters_that_the_database_folds_are_not_the_same_address(sso: Provider, tenant: Tenant) -> None:
    make.make_viewer(tenant, email="mike@example.org")
    sso.claims = VERIFIED | {"email": "m\u0131ke@example.org"}

    sign_in(client := browser())

    assert not is_in(client)


def test_of_two_accounts_with_the_address_none_is_meant(sso: Provider, olga: User, other_tenant: Tenant) -> None:
    """An owner elsewhere may write any address into an account that is theirs."""
    make.make_viewer(other_tenant, email="olga@example.org")
    sso.claims = VERIFIED

    sign_in(client := browser())

    assert not is_in(client)
    assert not SocialAccount.objects.exists()


def test_a_closed_account_stays_closed(sso: Provider, olga: User) -> None:
    sso.claims = VERIFIED
    sign_in(browser())
    User.objects.update(is_active=False)

    sign_in(client := browser())

    assert not is_in(client)


@pytest.mark.parametrize("state", ["", "somebody-elses"])
def test_an_answer_to_a_question_that_this_browser_did_not_ask_is_refused(sso: Provider, olga: User, state: str) -> None:
    sso.claims = VERIFIED
    begin(client := browser())

    answer = come_back(client, state=state)

    assert answer.status_code == 401
    assert "Single sign-on did not work" in words(answer.content)
    assert not is_in(client)
    assert sso.asked == [], "the code was not even redeemed"


def test_another_browser_s_answer_and_one_s_own_again_are_refused(sso: Provider, olga: User) -> None:
    sso.claims = VERIFIED
    state = begin(first := browser())["state"]

    assert come_back(browser(), state=state).status_code == 401
    assert come_back(first, state=state).status_code == 302
    assert come_back(first, state=state).status_code == 401


@pytest.mark.parametrize("told", [{"aud": "another-app"}, {"iss": "https://evil.example"}, {"exp": 1}])
def test_a_token_for_somebody_else_is_refused(sso: Provider, olga: User, told: dict[str, Any]) -> None:
    sso.claims, sso.token = VERIFIED, told

    assert sign_in(client := browser()).status_code == 401
    assert not is_in(client)


def test_a_wrong_code_and_a_refusal_are_refused(sso: Provider, olga: User) -> None:
    client = browser()
    assert come_back(client, state=begin(client)["state"], code="bad").status_code == 502
    assert client.get(CALLBACK, {"error": "server_error", "state": begin(client)["state"]}).status_code == 401
    assert not is_in(client)


def test_a_provider_that_does_not_answer_is_a_page_and_no_crash(sso: Provider, olga: User, settings: LazySettings) -> None:
    state = begin(client := browser())["state"]
    sso.broken = True
    answers = [client.post(LOGIN), come_back(client, state=state)]
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = "http://127.0.0.1:1"
    answers.append(client.post(LOGIN))

    assert [answer.status_code for answer in answers] == [502, 502, 502]
    assert all("Single sign-on did not work" in words(answer.content) for answer in answers)


def test_the_second_step_is_asked_for_after_sign_on_too(sso: Provider, olga: User) -> None:
    totp.TOTP.activate(olga, totp.generate_totp_secret())
    sso.claims = VERIFIED

    assert sign_in(client := browser())["Location"].startswith("/accounts/2fa/authenticate/")
    assert not is_in(client)


def test_a_link_alone_starts_nothing(sso: Provider) -> None:
    """Somebody else's page cannot sign a person in: the button posts."""
    assert browser().get(LOGIN).status_code == 200
    assert Client(enforce_csrf_checks=True).post(LOGIN).status_code == 403


def test_the_button_is_there_where_it_is_configured_and_only_there(sso: Provider, settings: LazySettings) -> None:
    assert "Plant sign-on" in words(browser().get("/accounts/login/").content)

    settings.SOCIALACCOUNT_PROVIDERS = {}

    assert "Plant sign-on" not in words(browser().get("/accounts/login/").content)
    assert "oidc" not in browser().get("/accounts/login/").content.decode()
    assert [browser().get(path).status_code for path in (LOGIN, CALLBACK)] == [404, 404]
