"""Signing in by name and password (and code), and what a token then opens."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.test import Client
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now
from knox.models import AuthToken
from pytest_django import Settings

from iotpanel.tenants.models import Tenant, User
from tests.make import PASSWORD, make_code, make_member, make_user
from tests.rest import Rest, refused

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def sign_in(username: str, password: str = PASSWORD, **more: str) -> object:
    return Rest().post("auth/token/", {"username": username, "password": password, **more})


def test_a_token_opens_the_api_and_ends_when_revoked(owner: User) -> None:
    answer = Rest().post("auth/token/", {"username": "olga", "password": PASSWORD}).json()
    assert set(answer) == {"token", "expires_at"}
    ends = parse_datetime(answer["expires_at"])
    assert ends is not None and ends > now()
    with_it = Rest(bearer=answer["token"])
    assert with_it.get("me/").json()["username"] == "olga"
    assert with_it.delete("auth/token/").status_code == 204
    refused(with_it.get("me/"), 401, "authentication_failed")


def test_me_names_tenants_and_roles(owner: User, tenant: Tenant, viewer: User) -> None:
    assert Rest(owner).get("me/").json() == {"username": "olga", "tenants": [{"key": "home", "name": "Home", "role": "owner"}]}
    assert Rest(viewer).get("me/").json()["tenants"][0]["role"] == "viewer"


def test_a_superuser_is_owner_everywhere(superuser: User, tenant: Tenant, other_tenant: Tenant) -> None:
    assert [(entry["key"], entry["role"]) for entry in Rest(superuser).get("me/").json()["tenants"]] == [
        ("elsewhere", "owner"),
        ("home", "owner"),
    ]


@pytest.mark.parametrize(("username", "password"), [("olga", "wrong"), ("nobody", PASSWORD), ("OLGA\u0130", PASSWORD)])
def test_a_wrong_name_or_password_is_401(owner: User, username: str, password: str) -> None:
    refused(sign_in(username, password), 401, "wrong_credentials")


def test_an_inactive_person_gets_no_token_and_keeps_none(owner: User) -> None:
    api = Rest(owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    refused(sign_in("olga"), 401, "wrong_credentials")
    refused(api.get("me/"), 401, "authentication_failed")


def test_an_expired_token_is_401(owner: User) -> None:
    api = Rest(owner)
    AuthToken.objects.filter(user=owner).update(expiry=now())
    refused(api.get("me/"), 401, "authentication_failed")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer a b", "Bearer \u00e9", "Bearer " + "x" * 5000, "Bearer iot_x", "Token x", "Basic eDp5"]
)
def test_a_wrong_header_is_401_and_names_the_way_in(db: None, header: str) -> None:
    answer = Rest(authorization=header).get("me/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_ten_wrong_passwords_lock_name_and_address_together(owner: User, viewer: User) -> None:
    for _attempt in range(9):
        refused(sign_in("olga", "wrong"), 401, "wrong_credentials")
    answer = sign_in("olga", "wrong")
    refused(answer, 429, "locked")
    assert answer["Retry-After"] == "900"  # type: ignore[index]
    refused(sign_in("olga"), 429, "locked")  # the right one comes too late
    assert sign_in("viktor").status_code == 200  # type: ignore[attr-defined]


def test_the_right_password_forgives_the_wrong_ones(owner: User) -> None:
    for _attempt in range(9):
        sign_in("olga", "wrong")
    assert sign_in("olga").status_code == 200  # type: ignore[attr-defined]
    refused(sign_in("olga", "wrong"), 401, "wrong_credentials")


def test_missing_fields_are_named(db: None) -> None:
    assert set(refused(Rest().post("auth/token/", {}), 400, "invalid")) == {"username", "password"}


def test_who_has_a_second_factor_needs_its_code(owner: User) -> None:
    TOTP.activate(owner, SECRET)
    refused(sign_in("olga"), 401, "otp_required")
    refused(sign_in("olga", otp="000000"), 401, "wrong_credentials")
    assert sign_in("olga", otp=make_code(SECRET)).status_code == 200  # type: ignore[attr-defined]


def test_a_recovery_code_works_once(owner: User) -> None:
    TOTP.activate(owner, SECRET)
    code = RecoveryCodes.activate(owner).get_unused_codes()[0]
    assert sign_in("olga", otp=code).status_code == 200  # type: ignore[attr-defined]
    refused(sign_in("olga", otp=code), 401, "wrong_credentials")


def test_guessing_codes_locks_too(owner: User) -> None:
    TOTP.activate(owner, SECRET)
    for _attempt in range(10):
        answer = sign_in("olga", otp="000000")
    refused(answer, 429, "locked")


def test_of_many_tokens_the_oldest_end(owner: User, settings: Settings) -> None:
    settings.REST_KNOX = {**settings.REST_KNOX, "TOKEN_LIMIT_PER_USER": 2}
    tokens = [Rest().post("auth/token/", {"username": "olga", "password": PASSWORD}).json()["token"] for _number in range(3)]
    assert [Rest(bearer=token).get("me/").status_code for token in tokens] == [401, 200, 200]


def test_a_session_reads_and_writes_only_with_its_csrf_token(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert browser.get("/api/v1/me/").status_code == 200
    body = {"key": "hall", "name": "Hall"}
    refused(browser.post("/api/v1/groups/", body, content_type="application/json"), 403, "permission_denied")
    browser.get("/api/docs/")
    browser.cookies["csrftoken"] = "a" * 32
    answer = browser.post("/api/v1/groups/", body, content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert answer.status_code == 201


def test_users_and_addresses_are_throttled(owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.THROTTLE = True
    monkeypatch.setattr("iotpanel.api.throttling.PER_USER", 2)
    monkeypatch.setattr("iotpanel.api.throttling.PER_ADDRESS", 2)
    monkeypatch.setattr("iotpanel.api.throttling.time.time", lambda: 4_000_000_027.0)
    cache.delete_many([f"throttle:{who}:{4_000_000_027 // 60}" for who in (f"user:{owner.pk}", "address:127.0.0.1")])
    api, nobody, wrong = Rest(owner), Rest(), Rest(bearer="wrong")
    assert [api.get("me/").status_code for _number in range(3)] == [200, 200, 429]
    assert nobody.get("me/").status_code == 401
    refused(wrong.get("me/"), 401, "authentication_failed")
    answer = wrong.get("me/")
    refused(answer, 429, "throttled")
    assert answer["Retry-After"] == "53"


def test_without_the_cache_requests_pass(owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.THROTTLE = True

    def broken(*args: object, **kwargs: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr("iotpanel.api.throttling.cache.add", broken)
    assert Rest(owner).get("me/").status_code == 200


def test_who_has_several_tenants_names_one(tenant: Tenant, other_tenant: Tenant) -> None:
    both = make_member(tenant, "admin", username="both")
    other_tenant.memberships.create(user=both, role="viewer")
    refused(Rest(both).get("devices/"), 400, "tenant_required")
    assert Rest(both, tenant="elsewhere").get("devices/").status_code == 200
    refused(Rest(both, tenant="elsewhere").post("groups/", {"key": "a", "name": "A"}), 403, "permission_denied")
    assert Rest(both, tenant="home").post("groups/", {"key": "a", "name": "A"}).status_code == 201


@pytest.mark.parametrize("key", ["elsewhere", "no-such", "a\u00e9", "' OR 1=1"])
def test_a_tenant_that_is_not_yours_is_403(owner: User, other_tenant: Tenant, key: str) -> None:
    refused(Rest(owner, tenant=key).get("devices/"), 403, "foreign_tenant")


def test_who_has_no_tenant_is_told_so(db: None) -> None:
    refused(Rest(make_user()).get("devices/"), 403, "no_tenant")
