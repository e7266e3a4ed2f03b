"""The way in: password, lock-out, second step, and nothing for strangers to register."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client

from iotpanel.tenants.models import User
from tests import make
from tests.pages.people import browser, words

LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def fresh_counters() -> None:
    """Rate limits live in the cache, which tests share."""
    cache.clear()


def sign_in(client: Client, username: str, password: str = make.PASSWORD) -> Any:
    return client.post(LOGIN, {"login": username, "password": password})


def test_strangers_are_sent_to_sign_in_and_back(owner: User) -> None:
    client = browser()
    asked = client.get("/devices/?view=offline")
    assert asked.status_code == 302
    assert asked["Location"] == f"{LOGIN}?next=/devices/%3Fview%3Doffline"

    answer = client.post(asked["Location"], {"login": "olga", "password": make.PASSWORD, "next": "/devices/?view=offline"})
    assert answer["Location"] == "/devices/?view=offline"
    assert client.get("/devices/").status_code == 200


def test_it_says_that_name_or_password_are_wrong_without_saying_which(owner: User) -> None:
    wrong_password = sign_in(browser(), "olga", "not this one")
    no_such_person = sign_in(browser(), "nobody", "not this one")

    assert wrong_password.status_code == no_such_person.status_code == 200
    assert 'role="alert"' in wrong_password.content.decode()
    assert words(wrong_password.content).replace("olga", "") == words(no_such_person.content).replace("nobody", "")


def test_ten_wrong_passwords_lock_the_name_from_this_address(owner: User, viewer: User) -> None:
    client = browser()
    answers = [sign_in(client, "olga", f"wrong {n}") for n in range(10)]
    assert {answer.status_code for answer in answers[:9]} == {200}

    locked = sign_in(client, "olga")
    assert locked.status_code == 429
    assert "15 minutes" in words(locked.content)
    assert browser().get("/").status_code == 302
    assert sign_in(browser(), "viktor").status_code == 302


def test_the_second_step_is_asked_for_where_it_was_set_up(owner: User) -> None:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(owner, secret)
    client = browser()

    step = sign_in(client, "olga")
    assert step["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/").status_code == 302
    assert client.post(step["Location"], {"code": "000000"}).status_code == 200
    assert client.post(step["Location"], {"code": make.make_code(secret, -3)}).status_code == 200
    # A telephone's clock may be half a minute off, and so is a code that is typed at its end.
    assert client.post(step["Location"], {"code": make.make_code(secret, +1)}).status_code == 302
    assert client.get("/account/").status_code == 200


def test_two_factor_authentication_can_be_set_up_in_the_account(owner: User) -> None:
    client = browser()
    sign_in(client, "olga")
    asked = client.get("/accounts/2fa/totp/activate/")
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    client.post(asked["Location"], {"password": make.PASSWORD})

    shown = client.get("/accounts/2fa/totp/activate/")
    assert shown.status_code == 200
    assert "data:image/svg+xml" in shown.content.decode()
    secret = client.session["mfa.totp.secret"]
    assert client.post("/accounts/2fa/totp/activate/", {"code": make.make_code(secret)}).status_code == 302
    assert Authenticator.objects.filter(user=owner, type=Authenticator.Type.TOTP).exists()


def test_the_admin_has_no_door_of_its_own(owner: User) -> None:
    answer = browser().get("/admin/login/?next=/admin/devices/device/")
    assert answer["Location"] == f"{LOGIN}?next=/admin/devices/device/"
    assert browser().post("/admin/login/", {"username": "olga", "password": make.PASSWORD})["Location"].startswith(LOGIN)


def test_nobody_can_register(db: None) -> None:
    answer = browser().post("/accounts/signup/", {"username": "eve", "password1": make.PASSWORD, "password2": make.PASSWORD})

    assert "made by an administrator" in words(answer.content)
    assert not User.objects.filter(username="eve").exists()


@pytest.mark.parametrize("path", ["/accounts/email/", "/accounts/password/reset/", "/accounts/3rdparty/"])
def test_what_needs_mail_is_not_there_without_mail(path: str, owner: User) -> None:
    assert browser(owner).get(path).status_code == 404


def test_sign_on_is_shown_only_where_it_is_configured(db: None, settings: Any) -> None:
    assert "/accounts/oidc/" not in browser().get(LOGIN).content.decode()
    app = {
        "provider_id": "sso",
        "name": "Plant sign-on",
        "client_id": "iotpanel",
        "secret": "s",
        "settings": {"server_url": "https://id.example"},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}

    assert "Plant sign-on" in words(browser().get(LOGIN).content)


def test_signing_out_ends_the_session(owner: User) -> None:
    client = browser(owner)
    assert "Sign out of iotpanel" in words(client.get("/accounts/logout/").content)
    client.post("/accounts/logout/")

    assert client.get("/").status_code == 302
